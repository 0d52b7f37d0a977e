//! Programs that have started and wait for their function.

use std::os::fd::{AsFd, OwnedFd};

use super::launch::{limits, request};
use super::{Spawner, sandboxes::State};
use crate::channel;
use crate::error::{At, Fault, Step};
use crate::message::{FromSpawner, ToInit};
use crate::mounts;
use crate::spec::Spec;

impl Spawner {
    /// Makes a parked sandbox a function's. Whatever goes wrong is the sandbox's end.
    pub fn adopt(&mut self, request: u64, id: u64, spec: &Spec) {
        if let Err(fault) = self.try_adopt(request, id, spec) {
            self.kill(id);
            self.refuse(request, fault);
        }
    }

    fn try_adopt(&mut self, request_id: u64, id: u64, spec: &Spec) -> Result<(), Fault> {
        let watch_memory = !self.cgroups.limits_memory();
        let gone = Fault::new(Step::Program, libc::ESRCH);
        let entry = self.entries.get_mut(&id).ok_or(gone)?;
        if !matches!(entry.state, State::Running) || !entry.is_parked {
            return Err(gone);
        }
        if let Some(group) = &entry.group {
            group.limit(&limits(spec)).at(Step::ControlGroup)?;
        }
        let mut request = request(spec, entry.port);
        (request.has_runtime, request.watch_memory) = (false, watch_memory);
        let trees = [Some(&spec.code), spec.layers.as_ref()].into_iter().flatten();
        let trees = trees.map(|directory| mounts::code_tree(directory)).collect::<Result<Vec<_>, _>>()?;
        let descriptors: Vec<_> = trees.iter().map(AsFd::as_fd).collect();
        channel::send(&entry.control, &ToInit::Adopt(Box::new(request)).encode(), &descriptors)
            .at(Step::Exchange)?;
        (entry.is_parked, entry.adopting) = (false, Some(request_id));
        Ok(())
    }

    pub fn adopted(&mut self, id: u64, tmp: &[OwnedFd]) {
        let request = self.entries.get_mut(&id).and_then(|entry| entry.adopting.take());
        if let Some(request) = request {
            let tmp: Vec<_> = tmp.iter().map(AsFd::as_fd).collect();
            self.say(&FromSpawner::Adopted { request }, &tmp);
        }
    }
}

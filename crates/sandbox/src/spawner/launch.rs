//! From a launch request to a running program.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::{Spawner, sandboxes::State};
use crate::cgroup::Limits;
use crate::channel;
use crate::error::{At, Fault, Step};
use crate::message::{Enter, FromSpawner, ToInit};
use crate::mounts;
use crate::spec::{CODE, IDENTITY_DESCRIPTOR, IDENTITY_VARIABLE, LAYERS, RUNTIME, Spec, TMP};

/// A launch that waits for its sandbox.
pub struct Pending {
    pub request: u64,
    spec: Spec,
    /// The program is to wait for its function.
    is_parked: bool,
    output: OwnedFd,
    companions_output: Option<OwnedFd>,
    /// `/tmp` of an earlier sandbox.
    tmp: Option<OwnedFd>,
}

impl Spawner {
    /// `tmp_of` is the sandbox whose `/tmp` comes along.
    pub fn launch(
        &mut self,
        request: u64,
        spec: Spec,
        is_parked: bool,
        tmp_of: Option<u64>,
        descriptors: Vec<OwnedFd>,
    ) {
        let mut descriptors = descriptors.into_iter();
        let Some(output) = descriptors.next() else {
            return self.refuse(request, Fault::new(Step::Exchange, libc::EPROTO));
        };
        let has_companions = !spec.companions.programs.is_empty();
        let companions_output = has_companions.then(|| descriptors.next()).flatten();
        // What lies there belongs to that sandbox's user, so that one is wanted again. If it has become another's, it starts empty.
        let tmp_of = tmp_of.filter(|of| self.start.mode.has_namespaces() && !self.has_user(*of));
        let tmp = descriptors.next().filter(|_| tmp_of.is_some());
        let tmp_of = tmp_of.filter(|_| tmp.is_some());
        let pending = Pending { request, spec, is_parked, output, companions_output, tmp };
        match self.sandbox_for(&pending.spec, tmp_of) {
            Err(fault) => self.refuse(request, fault),
            Ok(id) => {
                let Some(entry) = self.entries.get_mut(&id) else { return };
                match entry.state {
                    State::Preparing(_) => entry.state = State::Preparing(Some(Box::new(pending))),
                    _ => self.enter(id, pending),
                }
            }
        }
    }

    /// Makes spares for these host paths, if spares are made at all. What is wrong with the paths a launch will say.
    pub fn prepare(&mut self, host_paths: &[PathBuf]) {
        if self.start.spares > 0
            && let Ok(Some(root)) = self.root_for(host_paths)
        {
            self.stock.entry(root).or_insert(0);
        }
    }

    /// Kills what is being made for a launch.
    pub fn abandon(&mut self, request: u64) {
        let found = self.entries.iter().find(|(_, entry)| match &entry.state {
            State::Entering(entering) => *entering == request,
            State::Preparing(Some(pending)) => pending.request == request,
            _ => false,
        });
        if let Some(id) = found.map(|(id, _)| *id) {
            self.kill(id);
        }
    }

    /// A spare for the specification's host paths, or else a new sandbox; that in any case where it is to have a user of before.
    fn sandbox_for(&mut self, spec: &Spec, user_of: Option<u64>) -> Result<u64, Fault> {
        let root = self.root_for(&spec.host_read_only)?;
        if let Some(root) = root {
            if self.start.spares > 0 {
                self.stock.entry(root).or_insert(0);
            }
            if user_of.is_none()
                && let Some(spare) = self.take_spare(root)
            {
                return Ok(spare);
            }
        }
        match user_of {
            Some(user_of) => self.give_birth_as(root, user_of),
            None => self.give_birth(root),
        }
    }

    pub fn refuse(&mut self, request: u64, fault: Fault) {
        self.say(&FromSpawner::Failed { request, fault }, &[]);
    }

    /// Makes a prepared sandbox this launch's.
    pub fn enter(&mut self, id: u64, pending: Pending) {
        let request = pending.request;
        match self.try_enter(id, pending) {
            Ok(()) => {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.state = State::Entering(request);
                }
            }
            Err(fault) => {
                self.kill(id);
                self.refuse(request, fault);
            }
        }
    }

    fn try_enter(&mut self, id: u64, pending: Pending) -> Result<(), Fault> {
        let Pending { spec, is_parked, output, companions_output, tmp, .. } = &pending;
        let entry = self.entries.get_mut(&id).ok_or(Fault::new(Step::Clone, libc::ESRCH))?;
        // What waits for its function gets its limits with it.
        if let Some(group) = entry.group.as_ref().filter(|_| !is_parked) {
            group.limit(&limits(spec)).at(Step::ControlGroup)?;
        }
        let mut request = request(spec, entry.port);
        (request.watch_memory, request.has_tmp) = (!self.cgroups.limits_memory(), tmp.is_some());
        if *is_parked {
            (request.is_parked, request.has_code) = (true, false);
            request.env.push(OsString::from(format!("{IDENTITY_VARIABLE}={IDENTITY_DESCRIPTOR}")));
        }
        entry.is_parked = *is_parked;
        let mut trees = Vec::new();
        if self.start.mode.has_namespaces() {
            let code = (!is_parked).then_some(&spec.code);
            let given = [code, spec.layers.as_ref(), spec.runtime.as_ref()].into_iter().flatten();
            for directory in given {
                trees.push(mounts::code_tree(directory)?);
            }
        } else if *is_parked {
            // Nothing can be mounted there later.
            return Err(Fault::new(Step::Code, libc::EOPNOTSUPP));
        } else {
            let private = self.private.as_ref().ok_or(Fault::new(Step::Tmp, libc::EBADF))?;
            let directory = private.create(id, entry.user)?;
            entry.private_directory = Some(directory.clone());
            check_reachable(spec, entry.user)?;
            on_the_host(&mut request, spec, directory);
        }
        let outputs = [Some(output), companions_output.as_ref()].into_iter().flatten();
        let descriptors: Vec<BorrowedFd<'_>> = outputs.chain(&trees).chain(tmp).map(AsFd::as_fd).collect();
        channel::send(&entry.control, &ToInit::Enter(Box::new(request)).encode(), &descriptors)
            .at(Step::Exchange)
    }
}

pub fn limits(spec: &Spec) -> Limits {
    Limits { memory_bytes: spec.memory_bytes, processes_max: spec.processes_max }
}

pub fn request(spec: &Spec, port: u16) -> Enter {
    let mut env: Vec<OsString> = spec
        .env
        .iter()
        .filter(|(name, _)| name != "AWS_LAMBDA_RUNTIME_API")
        .map(|(name, value)| OsString::from(format!("{name}={value}")))
        .collect();
    env.push(OsString::from(format!("AWS_LAMBDA_RUNTIME_API=127.0.0.1:{port}")));
    Enter {
        program: OsString::from(&spec.program),
        args: spec.args.iter().map(OsString::from).collect(),
        env,
        working_dir: OsString::from(&spec.working_dir),
        has_code: true,
        has_layers: spec.layers.is_some(),
        has_runtime: spec.runtime.is_some(),
        memory_bytes: spec.memory_bytes,
        tmp_bytes: spec.tmp_bytes,
        processes_max: spec.processes_max,
        open_files_max: spec.open_files_max,
        companions: spec.companions.programs.iter().map(OsString::from).collect(),
        companions_env_without: spec.companions.env_without.iter().map(OsString::from).collect(),
        connectors: spec.connectors,
        runtime_api_port: port,
        ..Enter::default()
    }
}

/// Without a mount namespace the guest sees the host's own names: the fixed places in program, arguments, environment and
/// working directory are replaced by what they stand for.
fn on_the_host(request: &mut Enter, spec: &Spec, private: PathBuf) {
    let places = [
        (CODE, Some(&spec.code)),
        (LAYERS, spec.layers.as_ref()),
        (RUNTIME, spec.runtime.as_ref()),
        (TMP, Some(&private)),
    ];
    let places: Vec<(&str, String)> =
        places.into_iter().filter_map(|(place, path)| Some((place, path?.to_str()?.to_owned()))).collect();
    let replace = |text: &OsString| match text.to_str() {
        Some(text) => OsString::from(replace_places(text, &places)),
        None => text.clone(),
    };
    request.program = replace(&request.program);
    request.working_dir = replace(&request.working_dir);
    request.args = request.args.iter().map(replace).collect();
    request.companions = request.companions.iter().map(replace).collect();
    let mut env: Vec<OsString> = request.env.iter().map(replace).collect();
    env.retain(|text| !text.to_string_lossy().starts_with("TMPDIR="));
    let mut tmp = OsString::from("TMPDIR=");
    tmp.push(&private);
    env.push(tmp);
    request.env = env;
    let given = [Some(&spec.code), spec.layers.as_ref(), spec.runtime.as_ref()].into_iter().flatten();
    request.readable = given.chain(&spec.host_read_only).cloned().collect();
    request.private_directory = private;
}

/// Replaces places that stand alone or begin a path, in lists with colons and after `NAME=` too.
fn replace_places(text: &str, places: &[(&str, String)]) -> String {
    let mut result = String::with_capacity(text.len());
    for piece in text.split_inclusive([':', '=']) {
        let found = places.iter().find_map(|(place, path)| {
            let rest = piece.strip_prefix(place)?;
            (rest.is_empty() || rest.starts_with(['/', ':'])).then_some((path, rest))
        });
        match found {
            Some((path, rest)) => {
                result.push_str(path);
                result.push_str(rest);
            }
            None => result.push_str(piece),
        }
    }
    result
}

/// A guest with a user of its own must be let through to its code by every directory above.
fn check_reachable(spec: &Spec, user: Option<u32>) -> Result<(), Fault> {
    if user.is_none() {
        return Ok(());
    }
    let given = [Some(&spec.code), spec.layers.as_ref(), spec.runtime.as_ref()].into_iter().flatten();
    for directory in given {
        for above in directory.ancestors() {
            let mode = std::fs::metadata(above).at(Step::Code)?.permissions().mode();
            if mode & 0o001 == 0 {
                return Err(Fault::new(Step::Code, libc::EACCES));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_replaced_where_they_are_paths() {
        let places = [(CODE, "/data/code".to_owned()), (TMP, "/data/tmp".to_owned())];
        let cases = [
            ("/var/task", "/data/code"),
            ("/var/task/bootstrap", "/data/code/bootstrap"),
            ("PATH=/usr/bin:/var/task/bin:/var/task", "PATH=/usr/bin:/data/code/bin:/data/code"),
            ("LAMBDA_TASK_ROOT=/var/task", "LAMBDA_TASK_ROOT=/data/code"),
            ("--cache=/tmp/x", "--cache=/data/tmp/x"),
            ("/var/tasks", "/var/tasks"),
            ("/home/var/task", "/home/var/task"),
            ("print('/tmp')", "print('/tmp')"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(replace_places(text, &places), expected);
        }
    }
}

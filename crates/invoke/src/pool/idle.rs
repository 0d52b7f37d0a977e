//! The environments of a pool that have nothing to do.

use std::sync::Arc;

use crate::environment::Environment;

/// Those that are kept ready, which come first, and those that aren't. Of either the one that was used last comes first
/// again, so that those that aren't needed stay idle and end.
#[derive(Debug, Default)]
pub struct Idle {
    provisioned: Vec<Arc<Environment>>,
    on_demand: Vec<Arc<Environment>>,
}

impl Idle {
    pub fn push(&mut self, environment: Arc<Environment>) {
        if environment.is_provisioned() {
            self.provisioned.push(environment);
        } else {
            self.on_demand.push(environment);
        }
    }

    /// The one that is to have the next invocation.
    pub fn pop(&mut self) -> Option<Arc<Environment>> {
        self.provisioned.pop().or_else(|| self.on_demand.pop())
    }

    pub fn len(&self) -> usize {
        self.provisioned.len() + self.on_demand.len()
    }

    /// `false` if it isn't here.
    pub fn remove(&mut self, environment: &Arc<Environment>) -> bool {
        [&mut self.provisioned, &mut self.on_demand].into_iter().any(|list| {
            let place = list.iter().position(|idle| Arc::ptr_eq(idle, environment));
            place.map(|place| list.remove(place)).is_some()
        })
    }

    /// The one that has been idle longest of those that need not be kept.
    pub fn oldest(&self) -> Option<&Arc<Environment>> {
        self.on_demand.first()
    }

    pub fn take_oldest(&mut self) -> Option<Arc<Environment>> {
        if self.on_demand.is_empty() { None } else { Some(self.on_demand.remove(0)) }
    }

    /// Takes at most so many of those that were kept ready.
    pub fn take_provisioned(&mut self, count: usize) -> Vec<Arc<Environment>> {
        let count = count.min(self.provisioned.len());
        self.provisioned.drain(..count).collect()
    }

    pub fn take_all(&mut self) -> Vec<Arc<Environment>> {
        let mut all = std::mem::take(&mut self.provisioned);
        all.append(&mut self.on_demand);
        all
    }
}

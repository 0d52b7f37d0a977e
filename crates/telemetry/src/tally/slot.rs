use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use pitbird_names::Scope;

use super::{Pair, Request, Tally};

/// Slots at which unused ones are looked for; doubles as the used ones grow.
const SLOTS_BEFORE_SWEEP: usize = 256;

/// What may be tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    Stage { api_id: String, stage: String },
    Alias { scope: Scope, function: String, alias: String },
}

/// A tally at one subject. Several subjects that are tried together are counted by one tally, each by a watch of its own.
#[derive(Debug)]
pub struct Watch {
    pub tally: Arc<Tally>,
    /// The numbers by which requests say which arm served them; those of others aren't counted.
    pub base: u64,
    pub canary: u64,
    /// Which of the tally's routes all requests here belong to; where there is none they say it themselves.
    pub route: Option<usize>,
}

impl Watch {
    pub fn record(&self, request: &Request<'_>) {
        let is_canary = request.arm == self.canary;
        if is_canary || request.arm == self.base {
            let route = self.route.or_else(|| self.tally.route(request));
            self.tally.record(request, is_canary, route);
        }
    }
}

/// Where the data plane finds who watches a subject, if somebody does.
#[derive(Debug, Default)]
pub struct Slot(ArcSwapOption<Watch>);

/// All slots. Whoever measures a subject and whoever tries it get the same one.
#[derive(Debug, Default)]
pub struct Slots(Mutex<Known>);

#[derive(Debug)]
struct Known {
    slots: HashMap<Subject, Arc<Slot>>,
    sweep_at: usize,
}

impl Default for Known {
    fn default() -> Known {
        Known { slots: HashMap::new(), sweep_at: SLOTS_BEFORE_SWEEP }
    }
}

impl Slots {
    pub fn of(&self, subject: Subject) -> Arc<Slot> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.slots.len() >= known.sweep_at && !known.slots.contains_key(&subject) {
            known.slots.retain(|_, slot| Arc::strong_count(slot) > 1);
            known.sweep_at = (known.slots.len() * 2).max(SLOTS_BEFORE_SWEEP);
        }
        known.slots.entry(subject).or_default().clone()
    }
}

#[cfg(test)]
impl Slots {
    pub(super) fn known(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).slots.len()
    }
}

impl Slot {
    /// Counts the request if somebody wants it; `request` is called only then.
    pub fn record<'a>(&self, request: impl FnOnce() -> Request<'a>) {
        if let Some(watch) = &*self.0.load() {
            watch.record(&request());
        }
    }

    /// A request that both arms are to answer, if somebody wants those counted.
    pub fn pair(&self) -> Option<Arc<Pair>> {
        Pair::new(&self.0.load().as_ref()?.tally)
    }

    /// From now on this is what counts.
    pub fn put(&self, watch: Arc<Watch>) {
        self.0.store(Some(watch));
    }

    /// Takes the watch away if it is this one still.
    pub fn take(&self, watch: &Arc<Watch>) {
        self.0.compare_and_swap(watch, None);
    }

    pub fn watch(&self) -> Option<Arc<Watch>> {
        self.0.load_full()
    }
}

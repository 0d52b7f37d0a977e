use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use pitbird_names::Scope;

use super::{Request, Tally};

/// Slots at which unused ones are looked for; doubles as the used ones grow.
const SLOTS_BEFORE_SWEEP: usize = 256;

/// What may be tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    Stage { api_id: String, stage: String },
    Alias { scope: Scope, function: String, alias: String },
}

/// Where the data plane finds the tally of a subject, if there is one.
#[derive(Debug, Default)]
pub struct Slot(ArcSwapOption<Tally>);

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
        if let Some(tally) = &*self.0.load() {
            tally.record(&request());
        }
    }

    /// From now on this is what counts.
    pub fn put(&self, tally: Arc<Tally>) {
        self.0.store(Some(tally));
    }

    /// Takes the tally away if it is this one still.
    pub fn take(&self, tally: &Arc<Tally>) {
        self.0.compare_and_swap(tally, None);
    }

    pub fn tally(&self) -> Option<Arc<Tally>> {
        self.0.load_full()
    }
}

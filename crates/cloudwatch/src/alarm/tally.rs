//! How many alarms there are, without counting them each time that one is made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pitbird_names::Scope;

/// Alarms of an account in a region, of all kinds: what the evaluator was measured with (docs/performance.md). CloudWatch itself
/// starts with 5,000 and raises that when asked. Source: CloudWatch quotas.
pub const ALARMS_MAX: usize = 10_000;

/// As many as a scope's alarms can be at most: those that were there when they were counted, and all that were let in since.
/// Alarms that went, and those whose commit failed, are found out by counting again when there seems to be no room.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<HashMap<Scope, usize>>>);

impl Tally {
    /// Is there room for one more? Then it is counted in. To be asked within a transaction, of which there is one at a time.
    pub fn admits<E>(&self, scope: &Scope, count: impl FnOnce() -> Result<usize, E>) -> Result<bool, E> {
        let mut most = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let present = match most.get(scope) {
            Some(most) if *most < ALARMS_MAX => *most,
            _ => count()?,
        };
        let has_room = present < ALARMS_MAX;
        most.insert(scope.clone(), present + usize::from(has_room));
        Ok(has_room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_counted_at_first_and_when_there_seems_to_be_no_room() {
        let (tally, scope) = (Tally::default(), Scope::default());
        let admits = |present: Result<usize, ()>| tally.admits(&scope, || present);
        assert_eq!(admits(Err(())), Err(()), "nothing is known yet");
        assert_eq!(admits(Ok(ALARMS_MAX - 2)), Ok(true));
        assert_eq!(admits(Err(())), Ok(true), "the last one isn't counted for");
        assert_eq!(admits(Ok(ALARMS_MAX)), Ok(false));
        assert_eq!(admits(Ok(ALARMS_MAX - 1)), Ok(true), "one has gone");
        assert_eq!(admits(Ok(ALARMS_MAX)), Ok(false));
    }
}

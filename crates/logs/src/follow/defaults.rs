use std::collections::HashMap;
use std::sync::Arc;

use pitbird_names::Scope;

use crate::filters::Counting;

const MINUTE_MS: i64 = 60_000;
/// After a minute's end, so that its last events have been filed, milliseconds.
const SETTLE_MS: i64 = 3_000;
/// Minutes of filters that are open at once; beyond it a new one is decided by its first events alone.
const OPEN_MAX: usize = 10_000;

/// Minutes in which events came to filters with a default value: was any taken? Source: PutMetricFilter's guide, "the value
/// reported … during a period when logs are ingested but no matching logs are found".
#[derive(Debug, Default)]
pub struct Defaults {
    open: HashMap<(Scope, Arc<str>, String, i64), Minute>,
}

#[derive(Debug)]
struct Minute {
    filter: Arc<Counting>,
    is_taken: bool,
    due_ms: i64,
}

/// A minute that ends with its filter's default value.
#[derive(Debug)]
pub struct Untaken {
    pub scope: Scope,
    pub filter: Arc<Counting>,
    pub at_ms: i64,
}

impl Defaults {
    /// Notes that an event of a minute was looked at. Gives back what can't be kept open.
    pub fn note(
        &mut self,
        scope: &Scope,
        filter: &Arc<Counting>,
        at_ms: i64,
        is_taken: bool,
        now_ms: i64,
    ) -> Option<Untaken> {
        let at_ms = at_ms - at_ms.rem_euclid(MINUTE_MS);
        let key = (scope.clone(), filter.key.0.clone(), filter.key.1.clone(), at_ms);
        if let Some(minute) = self.open.get_mut(&key) {
            minute.is_taken |= is_taken;
            return None;
        }
        if self.open.len() >= OPEN_MAX {
            let untaken = || Untaken { scope: scope.clone(), filter: filter.clone(), at_ms };
            return (!is_taken).then(untaken);
        }
        let due_ms = (at_ms + MINUTE_MS).max(now_ms) + SETTLE_MS;
        self.open.insert(key, Minute { filter: filter.clone(), is_taken, due_ms });
        None
    }

    /// The minutes that are over; all of them when `now_ms` is the end of time.
    pub fn due(&mut self, now_ms: i64) -> Vec<Untaken> {
        let over = self.open.extract_if(|_, minute| minute.due_ms <= now_ms);
        let untaken = over.filter(|(_, minute)| !minute.is_taken);
        untaken
            .map(|((scope, _, _, at_ms), minute)| Untaken { scope, filter: minute.filter, at_ms })
            .collect()
    }

    /// When the next minute is over.
    pub fn next_ms(&self) -> Option<i64> {
        self.open.values().map(|minute| minute.due_ms).min()
    }
}

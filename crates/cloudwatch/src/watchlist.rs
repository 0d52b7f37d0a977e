//! The alarms as the evaluator needs them: each rule compiled once and kept as long as its record stays the same.
//!
//! A record's revision grows with every change of it, so that the list is made true again by comparing revisions, and only
//! when something was committed at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::alarm::{AlarmRule, Watched};
use pitbird_records::{Alarm, AnomalyDetector, CompositeAlarm, Record};
use pitbird_store::{Store, Versioned};
use pitbird_telemetry::alarm::{Rule, State as AlarmValue};
use pitbird_telemetry::metrics::Metric;

use crate::query::{Banded, Plan};
use crate::{State, alarm};

/// All metric alarms, the composite alarms whose actions are held back, and anomaly detection models.
#[derive(Default)]
pub struct Watchlist {
    /// The commit that the list is true of; `None` when it was never filled.
    generation: Option<u64>,
    alarms: BTreeMap<String, Entry<Watch>>,
    composites: BTreeMap<String, Entry<Held>>,
    detectors: BTreeMap<String, Entry<Versioned<AnomalyDetector>>>,
}

/// What is known of a record of a revision; `None` where there is nothing to be done about it.
struct Entry<T> {
    rev: u64,
    known: Option<T>,
}

/// An alarm whose state alone has changed.
#[derive(Debug)]
pub struct Moved {
    pub key: String,
    /// The record's revision before and after.
    pub from_rev: u64,
    pub rev: u64,
    pub state: AlarmValue,
}

/// A metric alarm, ready to be judged.
pub struct Watch {
    /// The record's revision.
    pub rev: u64,
    pub scope: Scope,
    pub name: String,
    /// The state that it is in.
    pub state: AlarmValue,
    pub is_high_resolution: bool,
    pub rule: Rule,
    pub read: Read,
}

/// What has to be read for an alarm.
pub enum Read {
    Metric(Box<Metric>),
    Queries(Arc<Plan>),
    /// A query and the band of what is expected of it.
    Band(Arc<Plan>, Banded),
}

/// A composite alarm whose actions wait.
struct Held {
    scope: Scope,
    until_ms: i64,
}

impl Watchlist {
    /// Makes the list true as of the last commit.
    pub async fn refresh(&mut self, state: &State) -> Result<(), pitbird_store::Error> {
        // Read before the records are: what is committed meanwhile is looked at again.
        let generation = *state.store.watch().borrow();
        if self.generation == Some(generation) {
            return Ok(());
        }
        let mut list = std::mem::take(self);
        *self = state
            .read(move |store| {
                update(store, &mut list.alarms, watch)?;
                update(store, &mut list.composites, held)?;
                update(store, &mut list.detectors, Some)?;
                list.generation = Some(generation);
                Ok(list)
            })
            .await?;
        Ok(())
    }

    /// Notes states that the evaluator itself has just written down, so that these records needn't be read again.
    pub fn note(&mut self, moved: Vec<Moved>) {
        for Moved { key, from_rev, rev, state } in moved {
            let Some(entry) = self.alarms.get_mut(&key).filter(|entry| entry.rev == from_rev) else {
                continue;
            };
            entry.rev = rev;
            if let Some(watch) = &mut entry.known {
                (watch.rev, watch.state) = (rev, state);
            }
        }
    }

    /// Alarms that a step judges.
    pub fn watches(&self) -> impl Iterator<Item = &Watch> {
        self.alarms.values().filter_map(|entry| entry.known.as_ref())
    }

    /// The anomaly detection models that are set.
    pub fn detectors(&self) -> Vec<&Versioned<AnomalyDetector>> {
        self.detectors.values().filter_map(|entry| entry.known.as_ref()).collect()
    }

    /// The scopes that have actions of composite alarms which have been held back long enough.
    pub fn due(&self, now_ms: i64) -> Vec<Scope> {
        let held = self.composites.values().filter_map(|entry| entry.known.as_ref());
        let mut scopes: Vec<Scope> =
            held.filter(|held| held.until_ms <= now_ms).map(|held| held.scope.clone()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }
}

/// Reads those records of a table that have changed, and forgets those that are gone.
fn update<R: Record, T>(
    store: &Store,
    entries: &mut BTreeMap<String, Entry<T>>,
    know: impl Fn(Versioned<R>) -> Option<T>,
) -> Result<(), pitbird_store::Error> {
    let mut present = BTreeMap::new();
    for (key, rev) in store.revs::<R>("")? {
        match entries.remove(&key) {
            Some(entry) if entry.rev == rev => {
                present.insert(key, entry);
            }
            _ => match store.get::<R>(&key) {
                // It may have changed once more since the revisions were read.
                Ok(Some(found)) => {
                    let rev = found.rev;
                    present.insert(key, Entry { rev, known: know(found) });
                }
                Ok(None) => {}
                Err(error @ pitbird_store::Error::Unreadable { .. }) => {
                    tracing::error!(%error, "an alarm can't be read");
                    present.insert(key, Entry { rev, known: None });
                }
                Err(error) => return Err(error),
            },
        }
    }
    *entries = present;
    Ok(())
}

fn watch(found: Versioned<Alarm>) -> Option<Watch> {
    let Versioned { rev, record: Alarm { head, rule } } = found;
    let compiled = alarm::evaluable(&rule, &head.scope)
        .and_then(|evaluable| Some((read(&rule, &head.scope)?, evaluable)));
    let Some((read, evaluable)) = compiled else {
        tracing::error!(alarm = head.name, "an alarm's rule can't be read");
        return None;
    };
    Some(Watch {
        rev,
        state: alarm::value(&head.state),
        is_high_resolution: alarm::is_high_resolution(&rule),
        scope: head.scope,
        name: head.name,
        rule: evaluable,
        read,
    })
}

fn read(rule: &AlarmRule, scope: &Scope) -> Option<Read> {
    Some(match &rule.watched {
        Watched::Metric(stat) => Read::Metric(Box::new(alarm::metric(stat, scope))),
        Watched::Queries { queries } => {
            let plan = Arc::new(alarm::plan(queries, scope).ok()?);
            match &rule.threshold_metric {
                Some(id) => plan.banded(id).map(|banded| Read::Band(plan.clone(), banded))?,
                None => Read::Queries(plan),
            }
        }
    })
}

fn held(found: Versioned<CompositeAlarm>) -> Option<Held> {
    let alarm = found.record;
    let until_ms = alarm.suppression?.until_ms?;
    Some(Held { scope: alarm.head.scope, until_ms })
}

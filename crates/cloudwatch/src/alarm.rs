//! Alarms: finding them, judging what may be set, and moving them from state to state.

mod actions;
mod band;
mod composite;
mod event;
mod history;
mod rule;
mod tally;

use pitbird_names::Scope;
use pitbird_records::alarm::{AlarmHead, AlarmState};
use pitbird_records::{Alarm, CompositeAlarm, Record};
use pitbird_store::{Store, Transaction};
use pitbird_telemetry::alarm::State as AlarmValue;
use serde_json::Value as Json;

use crate::{Error, State};

pub use actions::{Action, done, pending};
pub use band::detectors;
pub use composite::{Occasion, children, depending, missing, parents, rule, settle, suppressor};
pub use history::{HISTORY_MS, HistoryQuery, note_configured, note_deleted, place, prune};
pub use rule::{Given, evaluable, is_high_resolution, metric, parse, plan};
pub use tally::{ALARMS_MAX, Tally};

/// An alarm of either kind.
pub trait Kind: Record + Clone {
    /// `MetricAlarm` or `CompositeAlarm`.
    const TYPE: &'static str;

    fn head(&self) -> &AlarmHead;

    fn head_mut(&mut self) -> &mut AlarmHead;

    /// What of the configuration the history tells, beside the head.
    fn configuration(&self) -> Json;

    /// What of the configuration an event tells.
    fn event_configuration(&self) -> Json;

    /// What holds the actions back: `WaitPeriod`, `Alarm` or `ExtensionPeriod`.
    fn suppressed_by(&self) -> Option<&str>;
}

impl Kind for Alarm {
    const TYPE: &'static str = "MetricAlarm";

    fn head(&self) -> &AlarmHead {
        &self.head
    }

    fn head_mut(&mut self) -> &mut AlarmHead {
        &mut self.head
    }

    fn configuration(&self) -> Json {
        rule::configuration(&self.rule)
    }

    fn event_configuration(&self) -> Json {
        event::of_metric(self)
    }

    fn suppressed_by(&self) -> Option<&str> {
        None
    }
}

impl Kind for CompositeAlarm {
    const TYPE: &'static str = "CompositeAlarm";

    fn head(&self) -> &AlarmHead {
        &self.head
    }

    fn head_mut(&mut self) -> &mut AlarmHead {
        &mut self.head
    }

    fn configuration(&self) -> Json {
        composite::configuration(self)
    }

    fn event_configuration(&self) -> Json {
        event::of_composite(self)
    }

    fn suppressed_by(&self) -> Option<&str> {
        self.suppression.as_ref().map(|suppression| suppression.by.as_str())
    }
}

/// How an alarm stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub name: String,
    pub state: AlarmValue,
    /// In CloudWatch's words.
    pub reason: String,
    /// When the state last changed, milliseconds since 1970.
    pub since_ms: i64,
}

impl State {
    /// How the alarms of these names, of either kind, stand as of the last commit, in the order of the names. Those that
    /// don't exist are left out.
    pub fn alarm_states<'n>(
        &self,
        scope: &Scope,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Vec<Standing>, pitbird_store::Error> {
        let mut standings = Vec::new();
        for name in names {
            let key = Alarm::key_of(scope, name);
            let head = match self.store.get::<Alarm>(&key)? {
                Some(found) => Some(found.record.head),
                None => self.store.get::<CompositeAlarm>(&key)?.map(|found| found.record.head),
            };
            let Some(AlarmHead { name, state, .. }) = head else { continue };
            let value = value(&state);
            standings.push(Standing {
                name,
                state: value,
                reason: state.reason,
                since_ms: state.transitioned_ms,
            });
        }
        Ok(standings)
    }
}

/// A state's value; damaged records have no data.
pub fn value(state: &AlarmState) -> AlarmValue {
    AlarmValue::parse(&state.value).unwrap_or(AlarmValue::InsufficientData)
}

/// All alarms of a kind of a scope by their names.
pub fn all<A: Kind>(store: &Store, scope: &Scope) -> Result<Vec<A>, pitbird_store::Error> {
    let found = store.list::<A>(&Alarm::prefix_of(scope))?;
    Ok(found.into_iter().map(|found| found.record).collect())
}

/// The state of an alarm that has just been made.
pub fn unchecked(now_ms: i64) -> AlarmState {
    AlarmState {
        value: AlarmValue::InsufficientData.to_string(),
        reason: "Unchecked: Initial alarm creation".to_owned(),
        reason_data: None,
        updated_ms: now_ms,
        transitioned_ms: now_ms,
    }
}

/// Makes an alarm, or sets it anew: then its state stays, and its tags do too. `Other` is the kind among which no alarm may have
/// its name.
pub fn put<A: Kind, Other: Kind>(
    tx: &mut Transaction<'_>,
    alarm: &mut A,
    tally: &Tally,
    now_ms: i64,
) -> Result<Option<A>, Error> {
    let head = alarm.head_mut();
    let key = Alarm::key_of(&head.scope, &head.name);
    if tx.exists::<Other>(&key)? {
        let words = format!("An alarm of the type {} has the name {} already.", Other::TYPE, head.name);
        return Err(Error::Invalid(words));
    }
    let before = tx.get::<A>(&key)?.map(|found| found.record);
    match &before {
        Some(before) => {
            head.state = before.head().state.clone();
            head.tags = before.head().tags.clone();
        }
        None => {
            let prefix = Alarm::prefix_of(&head.scope);
            let count =
                || Ok::<_, pitbird_store::Error>(tx.count::<A>(&prefix)? + tx.count::<Other>(&prefix)?);
            if !tally.admits(&head.scope, count)? {
                return Err(Error::TooManyAlarms { limit: ALARMS_MAX });
            }
        }
    }
    tx.put(alarm)?;
    note_configured(tx, alarm, before.is_none(), now_ms)?;
    Ok(before)
}

/// Why an alarm is in a state.
#[derive(Debug, Clone)]
pub struct Cause {
    pub reason: String,
    /// JSON.
    pub data: Option<String>,
}

/// Moves an alarm to another state, durably, with its place in the history and with its actions, which are carried out soon
/// after. Alarms on this one are for [`settle`]. Answers the record's new revision.
pub fn transition<A: Kind>(
    tx: &mut Transaction<'_>,
    alarm: &mut A,
    value: AlarmValue,
    cause: Cause,
    now_ms: i64,
) -> Result<u64, pitbird_store::Error> {
    let suppressed_by = alarm.suppressed_by().map(str::to_owned);
    let before = enter(alarm, value, cause, now_ms);
    let rev = tx.put(alarm)?;
    history::note_transition(tx, alarm, &before)?;
    let before = Previous { state: &before, suppressed_by: suppressed_by.as_deref() };
    actions::note_deeds(tx, alarm, &before)?;
    Ok(rev)
}

/// What an alarm was before a change.
pub struct Previous<'a> {
    pub state: &'a AlarmState,
    pub suppressed_by: Option<&'a str>,
}

impl<'a> Previous<'a> {
    fn of<A: Kind>(alarm: &'a A) -> Previous<'a> {
        Previous { state: &alarm.head().state, suppressed_by: alarm.suppressed_by() }
    }
}

/// Puts an alarm into a state, and answers the one before.
fn enter<A: Kind>(alarm: &mut A, value: AlarmValue, cause: Cause, now_ms: i64) -> AlarmState {
    let after = AlarmState {
        value: value.to_string(),
        reason: cause.reason,
        reason_data: cause.data,
        updated_ms: now_ms,
        transitioned_ms: now_ms,
    };
    std::mem::replace(&mut alarm.head_mut().state, after)
}

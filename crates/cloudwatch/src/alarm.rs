//! Alarms: finding them, judging what may be set, and moving them from state to state.

mod history;
mod rule;

use pitbird_names::Scope;
use pitbird_records::Alarm;
use pitbird_records::alarm::AlarmState;
use pitbird_store::Transaction;
use pitbird_telemetry::alarm::State as AlarmValue;

use crate::State;

pub use history::{HISTORY_MS, HistoryQuery, note_configured, note_deleted, place, prune};
pub use rule::{Given, evaluable, metric, parse};

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
    /// How the alarms of these names stand as of the last commit, in the order of the names. Those that don't exist are left
    /// out.
    pub fn alarm_states<'n>(
        &self,
        scope: &Scope,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Vec<Standing>, pitbird_store::Error> {
        let mut standings = Vec::new();
        for name in names {
            let Some(found) = self.store.get::<Alarm>(&Alarm::key_of(scope, name))? else { continue };
            let Alarm { name, state, .. } = found.record;
            let value = AlarmValue::parse(&state.value).unwrap_or(AlarmValue::InsufficientData);
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

/// All alarms of a scope by their names.
pub fn all(state: &State, scope: &Scope) -> Result<Vec<Alarm>, pitbird_store::Error> {
    let found = state.store.list::<Alarm>(&Alarm::prefix_of(scope))?;
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

/// Moves an alarm to another state, durably and with its place in the history.
pub fn transition(
    tx: &mut Transaction<'_>,
    mut alarm: Alarm,
    value: AlarmValue,
    reason: String,
    reason_data: Option<String>,
    now_ms: i64,
) -> Result<(), pitbird_store::Error> {
    let next = AlarmState {
        value: value.to_string(),
        reason,
        reason_data,
        updated_ms: now_ms,
        transitioned_ms: now_ms,
    };
    let before = std::mem::replace(&mut alarm.state, next);
    tx.put(&alarm)?;
    history::note_transition(tx, &alarm, &before)
}

use std::sync::Arc;

use pitbird_records::{Alarm, CompositeAlarm};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_telemetry::alarm::State as AlarmValue;
use serde::Deserialize;

use crate::alarm::{Cause, Kind, Occasion};
use crate::shape::Nothing;
use crate::{Error, State, alarm};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    alarm_name: String,
    state_value: String,
    state_reason: String,
    state_reason_data: Option<String>,
}

/// Sets a state until the next evaluation finds another; a composite alarm's until an alarm of its rule changes.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let Input { alarm_name, state_value, state_reason, state_reason_data } = input;
    let is_json = |text: &String| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if !state_reason_data.as_ref().is_none_or(is_json) {
        return Err(Error::ReasonData.into());
    }
    let value = AlarmValue::parse(&state_value).ok_or_else(|| Error::value("StateValue", state_value))?;
    let set = move |tx: &mut Transaction<'_>| {
        let key = Alarm::key_of(&caller.scope, &alarm_name);
        let cause = Cause { reason: state_reason, data: state_reason_data };
        let has_changed = if let Some(found) = tx.get::<Alarm>(&key)? {
            enter(tx, found.record, value, cause, now_ms)?
        } else if let Some(found) = tx.get::<CompositeAlarm>(&key)? {
            enter(tx, found.record, value, cause, now_ms)?
        } else {
            return Err(Error::NoAlarm);
        };
        if has_changed {
            alarm::settle(tx, &caller.scope, Occasion::changed(alarm_name), now_ms)?;
        }
        Ok(())
    };
    state.store.write(set).await?;
    Ok(Nothing {})
}

/// Sets a state, unless it is the one that the alarm has. Has it changed?
fn enter<A: Kind>(
    tx: &mut Transaction<'_>,
    mut alarm: A,
    value: AlarmValue,
    cause: Cause,
    now_ms: i64,
) -> Result<bool, Error> {
    let has_changed = alarm.head().state.value != value.as_str();
    if has_changed {
        alarm::transition(tx, &mut alarm, value, cause, now_ms)?;
    }
    Ok(has_changed)
}

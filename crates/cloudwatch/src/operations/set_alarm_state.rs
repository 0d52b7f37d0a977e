use std::sync::Arc;

use pitbird_records::Alarm;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_telemetry::alarm::State as AlarmValue;
use serde::Deserialize;

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

/// Sets a state until the next evaluation finds another.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let Input { alarm_name, state_value, state_reason, state_reason_data } = input;
    let is_json = |text: &String| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if !state_reason_data.as_ref().is_none_or(is_json) {
        return Err(Error::ReasonData.into());
    }
    let value = AlarmValue::parse(&state_value).ok_or_else(|| Error::value("StateValue", state_value))?;
    let set = move |tx: &mut Transaction<'_>| {
        let found = tx.get::<Alarm>(&Alarm::key_of(&caller.scope, &alarm_name))?.ok_or(Error::NoAlarm)?;
        // Setting the state that it has changes nothing.
        if found.record.state.value != value.as_str() {
            alarm::transition(tx, found.record, value, state_reason, state_reason_data, now_ms)?;
        }
        Ok::<_, Error>(())
    };
    state.store.write(set).await?;
    Ok(Nothing {})
}

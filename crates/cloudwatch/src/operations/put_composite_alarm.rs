use std::sync::Arc;

use pitbird_records::{Alarm, CompositeAlarm};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::put::{self, Named};
use crate::alarm::{Occasion, Tally};
use crate::shape::Nothing;
use crate::tags::Tag;
use crate::{Error, State, alarm};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    alarm_name: String,
    alarm_rule: String,
    alarm_description: Option<String>,
    actions_enabled: Option<bool>,
    #[serde(rename = "OKActions")]
    ok_actions: Option<Vec<String>>,
    alarm_actions: Option<Vec<String>>,
    insufficient_data_actions: Option<Vec<String>>,
    actions_suppressor: Option<String>,
    actions_suppressor_wait_period: Option<u32>,
    actions_suppressor_extension_period: Option<u32>,
    tags: Option<Vec<Tag>>,
}

/// Makes a composite alarm or sets it anew, and judges it at once.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    alarm::rule(&input.alarm_rule)?;
    let suppressor = alarm::suppressor(
        input.actions_suppressor,
        input.actions_suppressor_wait_period,
        input.actions_suppressor_extension_period,
    )?;
    let named = Named {
        name: input.alarm_name,
        description: input.alarm_description,
        actions_enabled: input.actions_enabled,
        ok_actions: input.ok_actions,
        alarm_actions: input.alarm_actions,
        insufficient_data_actions: input.insufficient_data_actions,
        tags: input.tags,
    };
    let head = put::head(named, caller.scope, now_ms)?;
    let made = CompositeAlarm { head, rule: input.alarm_rule, suppressor, suppression: None };
    let tally = state.tally.clone();
    state.store.write(move |tx: &mut Transaction<'_>| write(tx, made, &tally, now_ms)).await?;
    Ok(Nothing {})
}

fn write(
    tx: &mut Transaction<'_>,
    mut alarm: CompositeAlarm,
    tally: &Tally,
    now_ms: i64,
) -> Result<(), Error> {
    let missing = alarm::missing(tx, &alarm)?;
    if !missing.is_empty() {
        return Err(Error::Invalid(format!(
            "Could not save the composite alarm as alarms [{}] in the alarm rule do not exist",
            missing.join(", ")
        )));
    }
    let before = alarm::put::<_, Alarm>(tx, &mut alarm, tally, now_ms)?;
    if let Some(suppression) = before.and_then(|before| before.suppression) {
        // What is held back stays so, under the new periods once these begin.
        alarm.suppression = Some(suppression);
        tx.put(&alarm)?;
    }
    let occasion = Occasion { renewed: Some(alarm.head.name.clone()), ..Occasion::default() };
    alarm::settle(tx, &alarm.head.scope, occasion, now_ms)?;
    Ok(())
}

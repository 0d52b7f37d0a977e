use std::sync::Arc;

use pitbird_names::arn;
use pitbird_records::{Alarm, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::alarm::Given;
use crate::shape::{Dimension, Nothing};
use crate::tags::{self, Tag};
use crate::{Error, State, alarm};

/// Alarms of an account in a region. Source: CloudWatch quotas.
const ALARMS_MAX: usize = 5000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    alarm_name: String,
    alarm_description: Option<String>,
    actions_enabled: Option<bool>,
    #[serde(rename = "OKActions")]
    ok_actions: Option<Vec<String>>,
    alarm_actions: Option<Vec<String>>,
    insufficient_data_actions: Option<Vec<String>>,
    metric_name: Option<String>,
    namespace: Option<String>,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    period: Option<u32>,
    unit: Option<String>,
    evaluation_periods: Option<u32>,
    datapoints_to_alarm: Option<u32>,
    threshold: Option<f64>,
    comparison_operator: Option<String>,
    treat_missing_data: Option<String>,
    evaluate_low_sample_count_percentile: Option<String>,
    tags: Option<Vec<Tag>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    if input.alarm_name.chars().any(char::is_control) {
        let words = "AlarmName must not contain control characters.".to_owned();
        return Err(Error::Invalid(words).into());
    }
    refuse_actions("OKActions", input.ok_actions)?;
    refuse_actions("AlarmActions", input.alarm_actions)?;
    refuse_actions("InsufficientDataActions", input.insufficient_data_actions)?;
    let rule = alarm::parse(Given {
        namespace: input.namespace,
        metric: input.metric_name,
        dimensions: input.dimensions,
        statistic: input.statistic,
        extended_statistic: input.extended_statistic,
        unit: input.unit,
        period_s: input.period,
        evaluation_periods: input.evaluation_periods,
        datapoints_to_alarm: input.datapoints_to_alarm,
        threshold: input.threshold,
        comparison: input.comparison_operator,
        treat_missing_data: input.treat_missing_data,
        low_samples: input.evaluate_low_sample_count_percentile,
    })?;
    let mut texts = Texts::new();
    tags::add(&mut texts, input.tags.unwrap_or_default()).map_err(Error::into_invalid)?;
    let made = Alarm {
        scope: caller.scope,
        name: input.alarm_name,
        description: input.alarm_description,
        actions_enabled: input.actions_enabled.unwrap_or(true),
        configured_ms: now_ms,
        rule,
        state: alarm::unchecked(now_ms),
        tags: texts,
    };
    state.store.write(move |tx: &mut Transaction<'_>| put(tx, made, now_ms)).await?;
    Ok(Nothing {})
}

/// Makes the alarm, or sets it anew: then its state stays, and its tags do too.
fn put(tx: &mut Transaction<'_>, mut alarm: Alarm, now_ms: i64) -> Result<(), Error> {
    let before = tx.get::<Alarm>(&Alarm::key_of(&alarm.scope, &alarm.name))?.map(|found| found.record);
    match &before {
        Some(before) => {
            alarm.state = before.state.clone();
            alarm.tags = before.tags.clone();
        }
        None if tx.count::<Alarm>(&Alarm::prefix_of(&alarm.scope))? >= ALARMS_MAX => {
            return Err(Error::TooManyAlarms { limit: ALARMS_MAX });
        }
        None => {}
    }
    tx.put(&alarm)?;
    alarm::note_configured(tx, &alarm, before.as_ref(), now_ms)?;
    Ok(())
}

/// There is nothing yet that an alarm could set going.
fn refuse_actions(parameter: &str, actions: Option<Vec<String>>) -> Result<(), Error> {
    match actions.unwrap_or_default().first() {
        None => Ok(()),
        Some(action) if arn::parse(action).is_none() => {
            Err(Error::Invalid(format!("Invalid arn syntax: {action}")))
        }
        Some(action) => Err(Error::unsupported(format!("{parameter} {action}"))),
    }
}

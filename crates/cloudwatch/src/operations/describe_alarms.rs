use std::sync::Arc;

use pitbird_records::Alarm;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::MetricAlarm;
use crate::{Error, State, alarm, page};

/// Alarms on a page. Source: DescribeAlarms.
const LIMIT: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    alarm_names: Option<Vec<String>>,
    alarm_name_prefix: Option<String>,
    alarm_types: Option<Vec<String>>,
    state_value: Option<String>,
    action_prefix: Option<String>,
    max_records: Option<u32>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    /// There are none.
    composite_alarms: [(); 0],
    metric_alarms: Vec<MetricAlarm>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    if input.alarm_names.is_some() && input.alarm_name_prefix.is_some() {
        let words = "AlarmNames and AlarmNamePrefix are mutually exclusive.".to_owned();
        return Err(Error::Invalid(words).into());
    }
    let mut alarms = alarm::all(&state, &caller.scope).map_err(Error::from)?;
    alarms.retain(|alarm| input.takes(alarm));
    let limit = input.max_records.map_or(LIMIT, |limit| limit as usize);
    let name = |alarm: &Alarm| alarm.name.clone();
    let (alarms, next_token) = page::cut(alarms, input.next_token.as_deref(), limit, name)?;
    let metric_alarms = alarms.into_iter().map(MetricAlarm::from).collect();
    Ok(Output { composite_alarms: [], metric_alarms, next_token })
}

impl Input {
    fn takes(&self, alarm: &Alarm) -> bool {
        let is_named = self.alarm_names.as_ref().is_none_or(|names| names.contains(&alarm.name));
        let prefix = self.alarm_name_prefix.as_deref();
        let types = self.alarm_types.as_ref();
        // No alarm has an action, so none has one that begins in a certain way.
        self.action_prefix.is_none()
            && is_named
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && self.state_value.as_ref().is_none_or(|value| alarm.state.value == *value)
            && types.is_none_or(|types| types.is_empty() || types.iter().any(|known| known == "MetricAlarm"))
    }
}

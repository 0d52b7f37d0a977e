use std::sync::Arc;

use pitbird_records::Alarm;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::{self, Dimension, MetricAlarm, dimensions};
use crate::{Error, State, alarm};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    metric_name: String,
    namespace: String,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    period: Option<u32>,
    unit: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    metric_alarms: Vec<MetricAlarm>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, mut input, .. } = call;
    let wanted = dimensions(input.dimensions.take(), "Dimensions")?;
    let mut alarms = alarm::all::<Alarm>(&state.store, &caller.scope).map_err(Error::from)?;
    alarms.retain(|alarm| {
        input.takes(alarm) && alarm::metric(&alarm.rule, &alarm.head.scope).dimensions == wanted
    });
    Ok(Output { metric_alarms: alarms.into_iter().map(MetricAlarm::from).collect() })
}

impl Input {
    fn takes(&self, alarm: &Alarm) -> bool {
        let rule = &alarm.rule;
        let (statistic, extended) = shape::statistics(rule);
        rule.namespace == self.namespace
            && rule.metric == self.metric_name
            && (self.statistic.is_none() || self.statistic == statistic)
            && (self.extended_statistic.is_none() || self.extended_statistic == extended)
            && self.period.is_none_or(|period| period == rule.period_s)
            && (self.unit.is_none() || self.unit == rule.unit)
    }
}

use std::sync::Arc;

use pitbird_records::Alarm;
use pitbird_records::alarm::{MetricStatistic, Watched};
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
    let mut alarms =
        state.read(move |store| alarm::all::<Alarm>(store, &caller.scope)).await.map_err(Error::from)?;
    let is_meant = |alarm: &Alarm| match &alarm.rule.watched {
        Watched::Metric(metric) => {
            input.takes(metric) && alarm::metric(metric, &alarm.head.scope).dimensions == wanted
        }
        Watched::Queries { .. } => false,
    };
    alarms.retain(is_meant);
    Ok(Output { metric_alarms: alarms.into_iter().map(MetricAlarm::from).collect() })
}

impl Input {
    fn takes(&self, metric: &MetricStatistic) -> bool {
        let (statistic, extended) = shape::statistics(&metric.statistic);
        metric.namespace == self.namespace
            && metric.metric == self.metric_name
            && (self.statistic.is_none() || self.statistic == statistic)
            && (self.extended_statistic.is_none() || self.extended_statistic == extended)
            && self.period.is_none_or(|period| period == metric.period_s)
            && (self.unit.is_none() || self.unit == metric.unit)
    }
}

use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::datum::{MetricDatum, check_namespace};
use crate::shape::Nothing;
use crate::{Error, State};

/// Data of one call. Source: PutMetricData.
const DATA_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    namespace: String,
    metric_data: Option<Vec<MetricDatum>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    check_namespace(&input.namespace)?;
    let data = input.metric_data.filter(|data| !data.is_empty());
    let data = data.ok_or_else(|| Error::Missing("MetricData".to_owned()))?;
    if data.len() > DATA_MAX {
        return Err(Error::TooMany { parameter: "MetricData".to_owned(), limit: DATA_MAX }.into());
    }
    let parse = |(place, datum): (usize, MetricDatum)| {
        datum.parse(&format!("MetricData.member.{}", place + 1), now_ms)
    };
    let data = data.into_iter().enumerate().map(parse).collect::<Result<Vec<_>, Error>>()?;
    state.telemetry.put(&caller.scope, &input.namespace, data).await.map_err(Error::from)?;
    Ok(Nothing {})
}

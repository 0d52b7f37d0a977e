use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::query::Dimension;
use crate::shape::Nothing;
use crate::{State, anomaly};

use super::detector::{Math, Single, target};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Option<Vec<Dimension>>,
    stat: Option<String>,
    single_metric_anomaly_detector: Option<Single>,
    metric_math_anomaly_detector: Option<Math>,
}

/// Alarms on its band have nothing to judge by afterwards.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let flat = Single {
        account_id: None,
        namespace: input.namespace,
        metric_name: input.metric_name,
        dimensions: input.dimensions,
        stat: input.stat,
    };
    let target = target(flat, input.single_metric_anomaly_detector, input.metric_math_anomaly_detector)?;
    anomaly::delete(&state, target, &caller.scope).await?;
    Ok(Nothing {})
}

//! What an anomaly detection model is of, as its operations take it.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::anomaly::{Statistic, Target};
use crate::query::{Dimension, MetricDataQuery};

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Single {
    pub account_id: Option<String>,
    pub namespace: Option<String>,
    pub metric_name: Option<String>,
    pub dimensions: Option<Vec<Dimension>>,
    pub stat: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Math {
    pub metric_data_queries: Option<Vec<MetricDataQuery>>,
}

/// `flat` are the members of the call itself, which may all be missing.
pub fn target(flat: Single, single: Option<Single>, math: Option<Math>) -> Result<Target, Error> {
    let is_flat = flat.namespace.is_some()
        || flat.metric_name.is_some()
        || flat.dimensions.as_ref().is_some_and(|given| !given.is_empty())
        || flat.stat.is_some();
    let missing = || Error::Missing("MetricMathAnomalyDetector.MetricDataQueries".to_owned());
    let queries = math.map(|math| math.metric_data_queries.ok_or_else(missing)).transpose()?;
    Ok(Target { flat: is_flat.then(|| statistic(flat)), single: single.map(statistic), queries })
}

fn statistic(given: Single) -> Statistic {
    let Single { account_id, namespace, metric_name, dimensions, stat } = given;
    Statistic { account_id, namespace, metric: metric_name, dimensions, statistic: stat }
}

//! A model of the values that a metric is expected to have: what it is of and how it is trained. What it has learnt isn't kept.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;
use crate::alarm::AlarmQuery;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnomalyDetector {
    pub scope: Scope,
    /// Tells what it is of, so that no two are of the same: JSON.
    pub identity: String,
    pub of: Modelled,
    /// Times that it isn't trained on: from the first, before the second, milliseconds since 1970.
    pub excluded: Vec<(i64, i64)>,
    /// As it was given; whatever it is, it means UTC.
    pub timezone: Option<String>,
    pub has_periodic_spikes: Option<bool>,
    pub configured_ms: i64,
}

/// What a model is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modelled {
    Metric(ModelledMetric),
    /// Metric math; one of the queries returns data.
    Queries(Vec<AlarmQuery>),
}

/// One statistic of one metric, whatever the period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelledMetric {
    pub namespace: String,
    pub metric: String,
    /// Names and values, in the order in which they were given.
    pub dimensions: Vec<(String, String)>,
    pub statistic: String,
}

impl AnomalyDetector {
    /// The key of a model by what it is of.
    pub fn key_of(scope: &Scope, identity: &str) -> String {
        crate::key(scope, &[identity])
    }

    /// The prefix of the keys of a scope's models.
    pub fn prefix_of(scope: &Scope) -> String {
        crate::prefix(scope, &[])
    }
}

impl Record for AnomalyDetector {
    const TABLE: &'static str = "anomaly_detector";
    fn key(&self) -> String {
        AnomalyDetector::key_of(&self.scope, &self.identity)
    }
}

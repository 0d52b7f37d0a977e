//! Filters of log groups: what is counted in their events, and what of them goes to a function.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

/// Makes datapoints of the events that its pattern takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricFilter {
    pub scope: Scope,
    pub group: String,
    /// 1 to 512 characters without `:` and `*`.
    pub name: String,
    pub created_ms: i64,
    pub pattern: String,
    pub metric: MetricTransformation,
}

/// What a metric filter publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricTransformation {
    pub namespace: String,
    pub name: String,
    /// A number, `$.property` or `$field`.
    pub value: String,
    /// For minutes in which events came and none was taken.
    pub default: Option<f64>,
    /// By name, what in an event is their value: `$.property` or `$field`.
    pub dimensions: Texts,
    pub unit: Option<String>,
}

/// Sends the events that its pattern takes to a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionFilter {
    pub scope: Scope,
    pub group: String,
    /// 1 to 512 characters without `:` and `*`.
    pub name: String,
    pub created_ms: i64,
    pub pattern: String,
    /// A function's, with a version or an alias if wanted.
    pub destination_arn: String,
    /// `ByLogStream` or `Random`.
    pub distribution: String,
}

/// Neither a group's nor a filter's name has a colon, so that a prefix lists one group's filters.
fn key_of(scope: &Scope, group: &str, name: &str) -> String {
    crate::key(scope, &[&format!("{group}:{name}")])
}

impl MetricFilter {
    pub fn key_of(scope: &Scope, group: &str, name: &str) -> String {
        key_of(scope, group, name)
    }

    /// The prefix of the keys of a group's filters.
    pub fn prefix_of(scope: &Scope, group: &str) -> String {
        key_of(scope, group, "")
    }
}

impl SubscriptionFilter {
    pub fn key_of(scope: &Scope, group: &str, name: &str) -> String {
        key_of(scope, group, name)
    }

    /// The prefix of the keys of a group's filters.
    pub fn prefix_of(scope: &Scope, group: &str) -> String {
        key_of(scope, group, "")
    }
}

impl Record for MetricFilter {
    const TABLE: &'static str = "metric_filter";
    fn key(&self) -> String {
        key_of(&self.scope, &self.group, &self.name)
    }
}

impl Record for SubscriptionFilter {
    const TABLE: &'static str = "subscription_filter";
    fn key(&self) -> String {
        key_of(&self.scope, &self.group, &self.name)
    }
}

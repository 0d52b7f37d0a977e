//! A usage plan: which stages its keys may call, how fast and how often.

use std::collections::BTreeMap;

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsagePlan {
    pub scope: Scope,
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub api_stages: Vec<ApiStage>,
    /// For each key by itself.
    pub throttle: Option<Throttle>,
    pub quota: Option<Quota>,
    pub product_code: Option<String>,
    pub tags: Texts,
}

impl Record for UsagePlan {
    const TABLE: &'static str = "usage_plan";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.id])
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiStage {
    pub api_id: String,
    pub stage: String,
    /// By `{resource path}/{METHOD}`, for each key by itself.
    pub throttle: BTreeMap<String, Throttle>,
}

/// A token bucket's size and filling.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Throttle {
    /// Requests at once.
    pub burst_limit: i64,
    /// Requests a second.
    pub rate_limit: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quota {
    /// Requests in a period.
    pub limit: i64,
    /// Requests taken off the first period.
    pub offset: i64,
    /// `DAY`, `WEEK` or `MONTH`.
    pub period: String,
}

/// A key's place in a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsagePlanKey {
    pub scope: Scope,
    pub plan_id: String,
    pub key_id: String,
}

impl Record for UsagePlanKey {
    const TABLE: &'static str = "usage_plan_key";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.plan_id, &self.key_id])
    }
}

/// How often one key has called under a plan on one day (UTC). Written behind the requests, in batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub scope: Scope,
    pub plan_id: String,
    pub key_id: String,
    /// `2026-01-31`.
    pub day: String,
    pub used: i64,
    /// What the quota had left at the day's end; `None` without a quota.
    pub remaining: Option<i64>,
    /// The revision of the [`UsageGrant`] that `remaining` counts from, if it counts from one.
    #[serde(default)]
    pub grant: Option<u64>,
}

impl Record for Usage {
    const TABLE: &'static str = "usage";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.plan_id, &self.key_id, &self.day])
    }
}

/// What UpdateUsage granted a key beyond its plan's quota for the period that `since` falls into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsageGrant {
    pub scope: Scope,
    pub plan_id: String,
    pub key_id: String,
    /// The day (UTC) on which it was granted: `2026-01-31`.
    pub since: String,
    /// What remained from then on.
    pub remaining: i64,
}

impl Record for UsageGrant {
    const TABLE: &'static str = "usage_grant";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.plan_id, &self.key_id])
    }
}

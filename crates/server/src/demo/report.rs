//! What happened, as one JSON document.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The whole story.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Was v2 rolled back and v3 promoted, and did nobody fail who shouldn't have?
    pub ok: bool,
    pub endpoint: String,
    pub isolation: String,
    pub seed: u64,
    pub requests_per_second: u32,
    pub seconds: f64,
    /// What differs from the careful defaults, in words.
    pub deviations: Vec<String>,
    pub releases: Vec<Release>,
    pub requests: u64,
    pub failed: u64,
    /// Good answers by the release that gave them.
    pub answers_by_release: BTreeMap<String, u64>,
    /// The aws commands that do the same.
    pub commands: Vec<String>,
}

/// What became of one release.
#[derive(Debug, Serialize)]
pub struct Release {
    pub name: String,
    /// The rollout's status: `Promoted`, `RolledBack`, …
    pub outcome: String,
    pub reason: String,
    pub seconds: f64,
    /// Requests of all clients while it was rolled out, and those that failed.
    pub requests: u64,
    pub failed: u64,
    /// Requests that the canary got.
    pub canary_requests: u64,
    /// From the last decision to the data plane, milliseconds.
    pub switch_ms: u64,
    /// The rollout as the service tells it, with its evidence and decisions.
    pub rollout: Value,
}

//! What happened, as one JSON document.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::traffic;

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
    /// Answers by the release that gave them.
    pub answers_by_release: BTreeMap<String, Answers>,
    /// The aws commands that do the same.
    pub commands: Vec<String>,
}

/// What clients saw of one release.
#[derive(Debug, Serialize)]
pub struct Answers {
    pub good: u64,
    pub failed: u64,
    /// Of the last thousand or so, milliseconds.
    pub latency_p50_ms: f64,
    pub latency_p99_ms: f64,
}

impl From<&traffic::Answers> for Answers {
    fn from(seen: &traffic::Answers) -> Answers {
        let (latency_p50_ms, latency_p99_ms) = (seen.latency_ms(0.5), seen.latency_ms(0.99));
        Answers { good: seen.good, failed: seen.failed, latency_p50_ms, latency_p99_ms }
    }
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

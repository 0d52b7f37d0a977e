//! What happened, as one JSON document.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::traffic::{self, Tally};

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

/// Was v2 rolled back and v3 promoted, does v3 alone answer after that, and did nobody fail but through v2? `after` is what
/// clients saw at the end, `all` what they saw from the beginning.
pub fn is_as_promised(v2: &Release, v3: &Release, after: &Tally, all: &Tally) -> bool {
    let is_caught = v2.outcome == "RolledBack" && v3.outcome == "Promoted";
    let only_v3_remains = after.failed == 0 && after.by_release.keys().eq(["v3"]);
    let only_v2_failed = all.failed == v2.failed;
    is_caught && only_v3_remains && only_v2_failed
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

#[cfg(test)]
mod tests {
    use super::*;

    fn release(outcome: &str, failed: u64) -> Release {
        Release {
            name: "v".to_owned(),
            outcome: outcome.to_owned(),
            reason: String::new(),
            seconds: 1.0,
            requests: 100,
            failed,
            canary_requests: 10,
            switch_ms: 0,
            rollout: Value::Null,
        }
    }

    fn tally(failed: u64, releases: &[&str]) -> Tally {
        let by_release = releases.iter().map(|name| ((*name).to_owned(), traffic::Answers::default()));
        Tally { requests: 100, failed, by_release: by_release.collect() }
    }

    #[test]
    fn anything_but_the_promised_end_is_a_failure() {
        let (bad, good) = (release("RolledBack", 5), release("Promoted", 0));
        let (after, all) = (tally(0, &["v3"]), tally(5, &["v1", "v2", "v3"]));
        assert!(is_as_promised(&bad, &good, &after, &all));
        for outcome in ["Promoted", "Inconclusive", "TimedOut", "Aborted", "Failed"] {
            assert!(!is_as_promised(&release(outcome, 5), &good, &after, &all), "v2 {outcome}");
        }
        for outcome in ["RolledBack", "Inconclusive", "TimedOut", "Aborted", "Failed"] {
            assert!(!is_as_promised(&bad, &release(outcome, 0), &after, &all), "v3 {outcome}");
        }
        for (after, all) in [
            (tally(1, &["v3"]), all.clone()),
            (tally(0, &["v1", "v3"]), all.clone()),
            (tally(0, &[]), all.clone()),
            (after, tally(6, &["v1", "v2", "v3"])),
        ] {
            assert!(!is_as_promised(&bad, &good, &after, &all), "{after:?} {all:?}");
        }
    }
}

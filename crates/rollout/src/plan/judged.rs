use pitbird_analysis::LatencyMargins;
use pitbird_analysis::routes::ROUTES_MAX;
use serde::{Deserialize, Serialize};

use super::{Error, check_names, decimals, range};

/// The pre-check of rollouts that judge latency: nothing moves before it is known how long the base takes.
pub const LATENCY_HISTORY: &str = "latency-history";
/// So many warm requests of the base tell its p99.9; no more are waited for.
pub const HISTORY_REQUESTS: u64 = 1_000;
/// After this time fewer will do, ms.
pub const HISTORY_PATIENCE_MS: u64 = 60_000;
/// But not fewer than these: the p99 of fewer is their slowest. Any thresholds are fair to both arms, since they are
/// frozen before the canary has a request; bad ones see less.
pub const HISTORY_REQUESTS_MIN: u64 = 200;

/// A wait for warm code at most, ms.
pub const WARM_UP_MS_MAX: u64 = 3_600_000;

/// What is judged besides the error rate of all requests together. Decided beforehand, since the weights of the evidence
/// depend on it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Judged {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Routes that are watched apart too, by the executor's names for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
    /// Users keep their arm: errors are compared by the first failure of each, with the configured weight. The bound on the harm,
    /// latencies and guardrails go on counting requests, and how these are split is not asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub users: bool,
    /// There are requests that both arms answer, mirrored ones or probes: they are evidence of their own about the error rate, for a
    /// quarter of what convicts and beside the traffic for what promotes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pairs: bool,
}

/// When the canary counts as no slower.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// The difference of shares (0 to 1) of requests above the base's p50, and above its p99, that is still accepted.
    pub body_margin: f64,
    pub tail_margin: f64,
    /// After the first shift, how long latencies say nothing yet, ms.
    pub warm_up_ms: u64,
    /// By which part (0 to 1) the canary's requests may be slower than the base's before they count as slow: the
    /// executor measures them by thresholds that are higher by so much.
    #[serde(skip_serializing_if = "is_usual")]
    pub slower_by: f64,
}

/// The part that is accepted unless the plan says otherwise.
pub const SLOWER_BY: f64 = 0.1;

/// Plans that were made before there was a choice keep their fingerprints.
fn is_usual(slower_by: &f64) -> bool {
    *slower_by == SLOWER_BY
}

impl Default for Latency {
    fn default() -> Self {
        let LatencyMargins { body, tail } = LatencyMargins::default();
        Latency { body_margin: body, tail_margin: tail, warm_up_ms: 0, slower_by: SLOWER_BY }
    }
}

impl Latency {
    pub(crate) fn margins(&self) -> LatencyMargins {
        LatencyMargins { body: self.body_margin, tail: self.tail_margin }
    }
}

impl Judged {
    pub(super) fn is_errors_only(&self) -> bool {
        *self == Judged::default()
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some(latency) = &self.latency {
            for (name, value) in [("body_margin", latency.body_margin), ("tail_margin", latency.tail_margin)]
            {
                decimals(name, range(name, value, 0.001, 0.5)?)?;
            }
            decimals("slower_by", range("slower_by", latency.slower_by, 0.0, 1.0)?)?;
            range("warm_up_ms", latency.warm_up_ms as f64, 0.0, WARM_UP_MS_MAX as f64)?;
        }
        check_names("routes", &self.routes, ROUTES_MAX)
    }
}

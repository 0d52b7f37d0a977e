use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Error, decimals, range};

/// Limits on a latency at most.
pub const CEILINGS_MAX: usize = 4;
/// A limit on a latency at most, ms.
pub const ABOVE_MS_MAX: u64 = 3_600_000;

/// What the canary may not exceed, whatever the base does. Each is watched by a test of its own at all times; together
/// they roll back a canary that keeps to all of them with at most [`alpha_rollback`](super::Rules::alpha_rollback).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guardrails {
    /// The canary's error rate at most, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
    /// At most [`CEILINGS_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<LatencyCeiling>,
}

/// A quantile (0 to 1) of the latency of the canary's warm requests, and what it may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyCeiling {
    pub quantile: f64,
    pub above_ms: u64,
}

/// One of the limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guardrail {
    ErrorRate(f64),
    Latency(LatencyCeiling),
}

impl Guardrails {
    pub fn is_empty(&self) -> bool {
        *self == Guardrails::default()
    }

    /// All of them, the error rate first; states, records and evidence count them in this order.
    pub fn all(&self) -> Vec<Guardrail> {
        let latency = self.latency.iter().copied().map(Guardrail::Latency);
        self.error_rate.map(Guardrail::ErrorRate).into_iter().chain(latency).collect()
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some(rate) = self.error_rate {
            decimals("guardrails.error_rate", range("guardrails.error_rate", rate, 0.0001, 0.5)?)?;
        }
        let count = self.latency.len();
        if count > CEILINGS_MAX {
            return Err(Error::TooMany { name: "guardrails.latency", count, max: CEILINGS_MAX });
        }
        for (at, ceiling) in self.latency.iter().enumerate() {
            let LatencyCeiling { quantile, above_ms } = *ceiling;
            let name = "guardrails.latency.quantile";
            decimals(name, range(name, quantile, 0.5, 0.999)?)?;
            range("guardrails.latency.above_ms", above_ms as f64, 1.0, ABOVE_MS_MAX as f64)?;
            if self.latency[..at].iter().any(|other| other.quantile == quantile) {
                return Err(Error::QuantileTwice(quantile));
            }
        }
        Ok(())
    }
}

impl Guardrail {
    /// The share of the canary's requests that may be events: errors, or slow ones.
    pub fn limit(self) -> f64 {
        match self {
            Guardrail::ErrorRate(rate) => rate,
            Guardrail::Latency(ceiling) => 1.0 - ceiling.quantile,
        }
    }
}

impl fmt::Display for Guardrail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Guardrail::ErrorRate(rate) => write!(f, "error rate at most {} %", hundredfold(*rate)),
            Guardrail::Latency(LatencyCeiling { quantile, above_ms }) => {
                write!(f, "p{} at most {above_ms} ms", hundredfold(*quantile))
            }
        }
    }
}

/// Without the tail that binary fractions grow.
fn hundredfold(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

/// What to do where evidence is missing: counts that nobody could read, an alarm that nobody knows of, a canary that is
/// not heard of, too few requests, latencies that nobody measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenBlind {
    /// Stay at this weight, look on, and end inconclusive at the plan's longest duration. Never promote.
    #[default]
    Hold,
}

impl WhenBlind {
    /// Plans that were made before it was said keep their fingerprints.
    pub(super) fn is_usual(&self) -> bool {
        *self == WhenBlind::default()
    }
}

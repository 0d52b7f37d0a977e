use pitbird_analysis::Excess;
use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

/// A traffic rate looks back about this far, ms.
const RATE_MS: u64 = 10_000;

/// How a rollout has come to its weight, beyond what its phase says. States of older versions have none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Course {
    /// Where the ramp has come to, within a step.
    pub percent: Percent,
    /// How often it has moved within a step.
    pub moves: u32,
    pub rate: Rate,
    /// What the canary's errors look like beside the base's.
    #[serde(skip_serializing_if = "is_unseen")]
    pub excess: Excess,
    /// When the first weight was there, and when the present step's was first.
    pub first_ms: Option<u64>,
    pub step_ms: Option<u64>,
    /// When the last look was.
    pub before_ms: Option<u64>,
    /// When a canary request was last seen.
    pub canary_ms: Option<u64>,
    /// Since when the weight is cut to half, and how often it was.
    pub retreat_ms: Option<u64>,
    pub retreats: u32,
    /// Since when the present step's gate is all that it waits for, and whether somebody has opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate_ms: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_gate_open: bool,
}

/// How many requests come, of both arms: counted over some time, the older ones less and less. In whole numbers, which
/// every reader gives back the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rate {
    requests: u64,
    ms: u64,
    looked_ms: Option<u64>,
}

fn is_unseen(excess: &Excess) -> bool {
    *excess == Excess::default()
}

impl Rate {
    /// Takes in what came since the last look.
    pub fn look(&mut self, requests: u64, now_ms: u64) {
        if let Some(looked_ms) = self.looked_ms {
            self.requests = self.requests.saturating_add(requests);
            self.ms = self.ms.saturating_add(now_ms.saturating_sub(looked_ms));
            while self.ms > 2 * RATE_MS {
                (self.requests, self.ms) = (self.requests / 2, self.ms / 2);
            }
        }
        self.looked_ms = Some(now_ms);
    }

    /// How many are expected in a stretch of time; `None` before anything was counted.
    pub fn within(self, ms: u64) -> Option<f64> {
        (self.ms > 0).then(|| self.requests as f64 * ms as f64 / self.ms as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_follows_the_traffic() {
        let mut rate = Rate::default();
        assert_eq!(rate.within(1000), None);
        (0..=30).for_each(|second| rate.look(100, 1000 * second));
        assert_eq!(rate.within(1000), Some(100.0));
        (31..=90).for_each(|second| rate.look(1000, 1000 * second));
        let now = rate.within(1000).unwrap();
        assert!((980.0..=1000.0).contains(&now), "{now}");
        rate.look(u64::MAX, 91_000);
        assert!(rate.within(1000).unwrap().is_finite());
    }
}

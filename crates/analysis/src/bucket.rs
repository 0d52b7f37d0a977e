use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An arm that claims more events than requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{events} events among {requests} requests")]
pub struct MoreEventsThanRequests {
    pub requests: u64,
    pub events: u64,
}

/// What one arm saw: requests, and how many of them were events (errors, timeouts, slow answers). Never more events
/// than requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Counts", into = "Counts")]
pub struct Arm {
    requests: u64,
    events: u64,
}

impl Arm {
    pub fn new(requests: u64, events: u64) -> Result<Arm, MoreEventsThanRequests> {
        if events > requests {
            return Err(MoreEventsThanRequests { requests, events });
        }
        Ok(Arm { requests, events })
    }

    pub fn requests(self) -> u64 {
        self.requests
    }

    pub fn events(self) -> u64 {
        self.events
    }

    /// Both arms' counts together; stops at the largest number instead of wrapping.
    pub fn plus(self, other: Arm) -> Arm {
        Arm {
            requests: self.requests.saturating_add(other.requests),
            events: self.events.saturating_add(other.events),
        }
    }

    /// Events per request; `None` without requests.
    pub fn rate(self) -> Option<f64> {
        (self.requests > 0).then(|| self.events as f64 / self.requests as f64)
    }

    pub(crate) fn n(self) -> f64 {
        self.requests as f64
    }

    pub(crate) fn k(self) -> f64 {
        self.events as f64
    }

    pub(crate) fn quiet(self) -> f64 {
        (self.requests - self.events) as f64
    }
}

/// What both arms saw in an interval with one traffic weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    pub canary: Arm,
    pub base: Arm,
}

impl Bucket {
    /// `n_c`, `k_c`, `n_b`, `k_b`: requests and events of canary and base.
    pub fn new(n_c: u64, k_c: u64, n_b: u64, k_b: u64) -> Result<Bucket, MoreEventsThanRequests> {
        Ok(Bucket { canary: Arm::new(n_c, k_c)?, base: Arm::new(n_b, k_b)? })
    }

    pub fn plus(self, other: Bucket) -> Bucket {
        Bucket { canary: self.canary.plus(other.canary), base: self.base.plus(other.base) }
    }

    /// The canary's observed share of the requests, 0 to 1; `None` when there were none.
    pub fn share(self) -> Option<f64> {
        let total = self.canary.n() + self.base.n();
        (total > 0.0).then(|| self.canary.n() / total)
    }

    /// Did both arms see requests? Otherwise the bucket compares nothing.
    pub fn compares(self) -> bool {
        self.canary.requests > 0 && self.base.requests > 0
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    requests: u64,
    events: u64,
}

impl TryFrom<Counts> for Arm {
    type Error = MoreEventsThanRequests;
    fn try_from(counts: Counts) -> Result<Arm, MoreEventsThanRequests> {
        Arm::new(counts.requests, counts.events)
    }
}

impl From<Arm> for Counts {
    fn from(arm: Arm) -> Counts {
        Counts { requests: arm.requests, events: arm.events }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arm_never_has_more_events_than_requests() {
        assert_eq!(Arm::new(3, 4), Err(MoreEventsThanRequests { requests: 3, events: 4 }));
        assert!(serde_json::from_str::<Arm>(r#"{"requests":3,"events":4}"#).is_err());
        assert!(serde_json::from_str::<Arm>(r#"{"requests":3,"events":1,"slow":1}"#).is_err());
    }

    #[test]
    fn sums_stop_at_the_largest_number() {
        let full = Arm::new(u64::MAX, u64::MAX).unwrap();
        assert_eq!(full.plus(full), full);
        assert_eq!(Bucket::default().share(), None);
    }
}

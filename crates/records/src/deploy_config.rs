//! A CodeDeploy deployment configuration of one's own: how traffic moves to a new version.

use pitbird_names::Scope;
use serde::{Deserialize, Serialize};

use crate::Record;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeployConfig {
    pub scope: Scope,
    pub name: String,
    /// A UUID.
    pub id: String,
    pub created_ms: i64,
    pub routing: TrafficRouting,
}

impl Record for DeployConfig {
    const TABLE: &'static str = "deploy_config";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.name])
    }
}

/// How traffic moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrafficRouting {
    AllAtOnce,
    /// A share, 1 to 99 percent, and after an interval the rest.
    Canary {
        percent: u32,
        interval_min: u32,
    },
    /// A share, 1 to 99 percent, and after each interval another.
    Linear {
        percent: u32,
        interval_min: u32,
    },
}

impl TrafficRouting {
    /// The new version's share after so many shifts, counted from 1, in percent: 100 at the end.
    pub fn percent_after(self, shifts: u32) -> u32 {
        match self {
            TrafficRouting::Canary { percent, .. } if shifts <= 1 => percent,
            TrafficRouting::Linear { percent, .. } => percent.saturating_mul(shifts).min(100),
            TrafficRouting::AllAtOnce | TrafficRouting::Canary { .. } => 100,
        }
    }

    /// Between two shifts.
    pub fn interval_min(self) -> u32 {
        match self {
            TrafficRouting::AllAtOnce => 0,
            TrafficRouting::Canary { interval_min, .. } | TrafficRouting::Linear { interval_min, .. } => {
                interval_min
            }
        }
    }

    /// From the first shift to the last.
    pub fn total_min(self) -> u64 {
        let intervals = match self {
            TrafficRouting::AllAtOnce => 0,
            TrafficRouting::Canary { .. } => 1,
            TrafficRouting::Linear { percent, .. } => u64::from(100u32.div_ceil(percent.max(1)) - 1),
        };
        intervals * u64::from(self.interval_min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_grow_to_the_whole() {
        let shares = |routing: TrafficRouting| -> Vec<u32> {
            let mut shares = Vec::new();
            while shares.last() != Some(&100) {
                shares.push(routing.percent_after(shares.len() as u32 + 1));
            }
            shares
        };
        assert_eq!(shares(TrafficRouting::AllAtOnce), [100]);
        assert_eq!(shares(TrafficRouting::Canary { percent: 10, interval_min: 5 }), [10, 100]);
        let ten: Vec<u32> = (1..=10).map(|step| step * 10).collect();
        assert_eq!(shares(TrafficRouting::Linear { percent: 10, interval_min: 1 }), ten);
        assert_eq!(shares(TrafficRouting::Linear { percent: 30, interval_min: 1 }), [30, 60, 90, 100]);
        assert_eq!(TrafficRouting::Linear { percent: 30, interval_min: 7 }.total_min(), 21);
        assert_eq!(TrafficRouting::Linear { percent: 10, interval_min: 10 }.total_min(), 90);
        assert_eq!(TrafficRouting::Canary { percent: 10, interval_min: 30 }.total_min(), 30);
    }
}

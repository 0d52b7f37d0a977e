use pitbird_names::Percent;
use pitbird_rollout as planner;
use serde::{Deserialize, Serialize};

use crate::Error;

/// How the weight finds its way by itself.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Ramp {
    failures_per_look: Option<f64>,
    first_percent: Option<f64>,
}

/// When a canary counts as no slower.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Latency {
    body_margin: Option<f64>,
    tail_margin: Option<f64>,
    slower_by: Option<f64>,
    warm_up_ms: Option<u64>,
}

impl Ramp {
    pub fn parse(self) -> Result<planner::Ramp, Error> {
        let usual = planner::Ramp::default();
        let percent = |given| {
            Percent::new(given).map_err(|error| Error::invalid(format!("Ramp.FirstPercent: {error}.")))
        };
        Ok(planner::Ramp {
            failures_per_look: self.failures_per_look.unwrap_or(usual.failures_per_look),
            first_percent: self.first_percent.map(percent).transpose()?.unwrap_or(usual.first_percent),
        })
    }
}

impl From<&planner::Ramp> for Ramp {
    fn from(ramp: &planner::Ramp) -> Ramp {
        Ramp {
            failures_per_look: Some(ramp.failures_per_look),
            first_percent: Some(ramp.first_percent.get()),
        }
    }
}

impl Latency {
    pub fn parse(self) -> planner::Latency {
        let usual = planner::Latency::default();
        planner::Latency {
            body_margin: self.body_margin.unwrap_or(usual.body_margin),
            tail_margin: self.tail_margin.unwrap_or(usual.tail_margin),
            slower_by: self.slower_by.unwrap_or(usual.slower_by),
            warm_up_ms: self.warm_up_ms.unwrap_or(usual.warm_up_ms),
        }
    }
}

impl From<&planner::Latency> for Latency {
    fn from(latency: &planner::Latency) -> Latency {
        Latency {
            body_margin: Some(latency.body_margin),
            tail_margin: Some(latency.tail_margin),
            slower_by: Some(latency.slower_by),
            warm_up_ms: Some(latency.warm_up_ms),
        }
    }
}

use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

use super::{Error, decimals, range};

/// A ramp that is limited by risk: the weight rises as fast as the evidence allows, up to the step's percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ramp {
    /// The blast radius: how many requests more than on the base may be expected to fail between two looks, 0.01 to
    /// 1000. What may be expected follows from the bound on the harm, which holds with the plan's promotion level.
    pub failures_per_look: f64,
    /// The weight at which it begins at most, and beyond which it doesn't go before it is shown that the canary isn't
    /// broken altogether. The smaller, the fewer failures convict one that is (2 or 3 at 2 %, 4 at 8 to 15 %) and the longer it takes
    /// where traffic is low: at 10 requests a second 14 s at 2 %, 8 s at 5 %, 6 s at 10 %, 5 s at 12 % and 15 %.
    pub first_percent: Percent,
}

impl Default for Ramp {
    fn default() -> Self {
        Ramp { failures_per_look: 1.5, first_percent: Percent::new(12.0).expect("a percentage") }
    }
}

impl Ramp {
    pub(super) fn check(&self) -> Result<(), Error> {
        decimals("failures_per_look", range("failures_per_look", self.failures_per_look, 0.01, 1000.0)?)?;
        decimals("first_percent", range("first_percent", self.first_percent.get(), 0.01, 50.0)?)?;
        Ok(())
    }
}

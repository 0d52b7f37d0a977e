//! Kernel K1: do events fall on the canary more often than its share of the traffic explains?
//!
//! Under the null ratio `r0` of event rates, an event belongs to the canary with probability
//! `pi r0 / (1 - pi + pi r0)`, however often events come: bursts and outages of something both arms share cancel out.
//! With `r0 = 1` the observed share of a bucket may stand for `pi`, so that nobody needs to trust the configured split.

use libm::log1p;
use serde::{Deserialize, Serialize};

use crate::exact::Exact;
use crate::grid::{self, Point, WIDTH};
use crate::log_space::log_sum_exp;

/// An e-process on the share of events. Memory is constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShareTest {
    null: Null,
    /// The null ratio `r0`.
    ratio: Exact<1>,
    logs: Exact<WIDTH>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Null {
    AtMost,
    AtLeast,
    Exactly,
}

impl ShareTest {
    /// Null: the canary's event rate is at most `ratio` times the base's. Rejecting it means "worse". `None` unless the
    /// ratio lies in 0.001 to 1000.
    pub fn worse(ratio: f64) -> Option<ShareTest> {
        ShareTest::new(Null::AtMost, ratio)
    }

    /// Null: the canary's event rate is at least `ratio` times the base's. Rejecting it means "less than `ratio` times
    /// as bad". For a ratio other than 1 give the configured share. `None` unless the ratio lies in 0.001 to 1000.
    pub fn better(ratio: f64) -> Option<ShareTest> {
        ShareTest::new(Null::AtLeast, ratio)
    }

    /// Null: requests are split as configured. Here every request is an event and the share is the configured weight.
    pub fn split() -> ShareTest {
        ShareTest { null: Null::Exactly, ratio: Exact([1.0]), logs: Exact::ZERO }
    }

    fn new(null: Null, ratio: f64) -> Option<ShareTest> {
        let fits = (1.0e-3..=1.0e3).contains(&ratio);
        fits.then_some(ShareTest { null, ratio: Exact([ratio]), logs: Exact::ZERO })
    }

    /// Takes in a bucket: events of both arms and the canary's share of the requests, 0 to 1. A share at or beyond
    /// either end compares nothing and changes nothing.
    pub fn update(&mut self, canary_events: u64, base_events: u64, share: f64) {
        let Some(steps) = increments(self.grid(), self.ratio[0], canary_events, base_events, share) else {
            return;
        };
        for (log, step) in self.logs.iter_mut().zip(steps) {
            *log += step;
        }
    }

    /// The logarithm of the e-process now.
    pub fn log_e(&self) -> f64 {
        let grid = self.grid();
        log_sum_exp(|| grid.iter().zip(self.logs.iter()).map(|(point, log)| point.ln_weight + log))
    }

    fn grid(&self) -> &'static [Point] {
        match self.null {
            Null::AtMost => &grid::WORSE,
            Null::AtLeast => &grid::BETTER,
            Null::Exactly => &grid::SPLIT,
        }
    }
}

/// What a bucket adds to each alternative's logarithm; `None` when it says nothing. Unused places stay 0.
pub(crate) fn increments(
    grid: &[Point],
    null_ratio: f64,
    canary_events: u64,
    base_events: u64,
    share: f64,
) -> Option<[f64; WIDTH]> {
    let (canary, all) = (canary_events as f64, canary_events as f64 + base_events as f64);
    if all == 0.0 || !(share > 0.0 && share < 1.0) {
        return None;
    }
    // ln((1-pi+pi r)/(1-pi+pi r0)) as ln(1 + pi (r-r0)/(1-pi+pi r0)): keeps its digits where pi is small.
    let slope = share * null_ratio / (1.0 + share * (null_ratio - 1.0));
    let mut steps = [0.0; WIDTH];
    for (step, point) in steps.iter_mut().zip(grid) {
        *step = canary * point.ln_ratio - all * log1p(slope * point.excess);
    }
    Some(steps)
}

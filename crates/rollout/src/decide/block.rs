//! Where requests are few, looks are gathered before they are judged. The tests take the canary's share from what a
//! bucket saw: one canary request among ten of a second makes a share of a tenth, whatever the weight, and a failure
//! at a tenth says less than one at a hundredth. So a bucket lasts until about one canary request can be expected. How
//! long that is, is decided when it begins. Users' first failures are compared by the configured weight, and wait for nothing.

use pitbird_analysis::{Bucket, RouteBucket, Timed};
use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

use crate::{Evidence, Plan, State};

/// A bucket lasts this long at most, ms.
pub const BLOCK_MS_MAX: u64 = 600_000;

/// What was seen under one weight and not judged yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Block {
    percent: Percent,
    until_ms: u64,
    bucket: Bucket,
    timed: Timed,
    /// By the plan's numbers.
    routes: Vec<(usize, RouteBucket)>,
}

impl State {
    /// Takes in what a look saw, and judges what is complete.
    pub(super) fn gather(&mut self, plan: &Plan, evidence: &Evidence) {
        let buckets = evidence.buckets.iter().map(|seen| seen.percent);
        let latency = evidence.latency.iter().map(|seen| seen.percent);
        let routes = evidence.routes.iter().map(|seen| seen.percent);
        let mut percents: Vec<Percent> = Vec::new();
        for percent in buckets.chain(latency).chain(routes) {
            if !percents.contains(&percent) {
                percents.push(percent);
            }
        }
        for percent in percents {
            if self.block.as_ref().is_some_and(|block| block.percent != percent) {
                self.judge_block(plan);
            }
            let began_ms = self.course.before_ms.unwrap_or(self.now_ms);
            let until_ms = began_ms.saturating_add(self.block_ms(plan, percent));
            let mut block = self.block.take().unwrap_or_else(|| Block::new(percent, until_ms));
            block.add(plan, evidence);
            self.block = Some(block);
        }
        self.course.before_ms = Some(self.now_ms);
        if self.block.as_ref().is_some_and(|block| self.now_ms >= block.until_ms) {
            self.judge_block(plan);
        }
    }

    /// Until about one canary request is expected; where the weights are fixed, a look.
    fn block_ms(&self, plan: &Plan, percent: Percent) -> u64 {
        let look_ms = plan.rules().interval_ms;
        let canary = self.course.rate.within(look_ms).map(|requests| requests * percent.get() / 100.0);
        match canary.filter(|_| plan.ramp().is_some()) {
            Some(canary) if canary < 1.0 => {
                let looks = (1.0 / canary.max(1.0e-6)).ceil() as u64;
                looks.saturating_mul(look_ms).min(BLOCK_MS_MAX.max(look_ms))
            }
            _ => 0,
        }
    }

    /// Do latencies say something already?
    pub(super) fn is_warm(&self, plan: &Plan) -> bool {
        let warm_up_ms = plan.judged().latency.as_ref().map_or(0, |latency| latency.warm_up_ms);
        self.course.first_ms.is_some_and(|first_ms| self.now_ms >= first_ms.saturating_add(warm_up_ms))
    }

    fn judge_block(&mut self, plan: &Plan) {
        let Some(block) = self.block.take() else { return };
        let weight = block.percent.get() / 100.0;
        self.course.excess.add(block.bucket);
        self.judge.observe(block.bucket, weight);
        let is_timed = self.is_warm(plan) && self.latency.is_some();
        if let Some(latency) = self.latency.as_mut().filter(|_| is_timed) {
            latency.observe(block.timed);
        }
        let Some(routes) = &mut self.routes else { return };
        for (route, mut seen) in block.routes {
            if !is_timed {
                seen.timed = Timed::default();
            }
            routes.observe(route, seen, block.bucket.share(), weight);
        }
    }
}

impl Block {
    fn new(percent: Percent, until_ms: u64) -> Block {
        let (bucket, timed) = (Bucket::default(), Timed::default());
        Block { percent, until_ms, bucket, timed, routes: Vec::new() }
    }

    /// Takes in what a look saw under this weight.
    fn add(&mut self, plan: &Plan, evidence: &Evidence) {
        for seen in evidence.buckets.iter().filter(|seen| seen.percent == self.percent) {
            self.bucket = self.bucket.plus(seen.bucket);
        }
        for seen in evidence.latency.iter().filter(|seen| seen.percent == self.percent) {
            self.timed = self.timed.plus(seen.timed);
        }
        let names = &plan.judged().routes;
        // Most executors tell routes in the plan's order.
        let mut next = 0;
        for seen in evidence.routes.iter().filter(|seen| seen.percent == self.percent) {
            let rest = names.get(next..).unwrap_or_default();
            let later = rest.iter().position(|name| *name == seen.route).map(|at| next + at);
            let Some(route) = later.or_else(|| names.iter().position(|name| *name == seen.route)) else {
                continue;
            };
            next = route + 1;
            match self.routes.iter_mut().find(|(known, _)| *known == route) {
                Some((_, sum)) => *sum = sum.plus(seen.bucket),
                None => self.routes.push((route, seen.bucket)),
            }
        }
    }
}

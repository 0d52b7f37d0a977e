//! The same tests per route, so that a route with a hundredth of the traffic is not lost in the crowd, and the question
//! afterwards which route and metric it was.
//!
//! Routes are few and known before the rollout: their weights in the combination are fixed then.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Bucket;
use crate::broken::{BrokenTest, with_broken};
use crate::cluster::Firsts;
use crate::exact::Exact;
use crate::grid::{self, Point, SLOWER, WIDTH, WORSE};
use crate::latency::{COUNT, Timed, steps};
use crate::log_space::log_sum_exp;
use crate::restart::{Settled, add, begin, ln_weight, mixture, settle, with_settled};
use crate::share::increments;

/// Routes that are watched apart at most.
pub const ROUTES_MAX: usize = 50;
/// Metrics of a route: errors, cold starts, and slow requests at four thresholds.
pub const METRICS: usize = 2 + COUNT;

/// What is counted of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Errors,
    /// Requests that began an environment. Told, never a reason to roll back: a canary is new, so more of its
    /// environments are.
    ColdStarts,
    /// Requests above the threshold that was frozen from this one of [`QUANTILES`](crate::latency::QUANTILES).
    Slow(usize),
}

/// The place of [`Metric::Errors`] in [`Metric::ALL`].
const ERRORS: usize = 0;

impl Metric {
    /// All of them, in the order in which they are kept.
    pub const ALL: [Metric; METRICS] = [
        Metric::Errors,
        Metric::ColdStarts,
        Metric::Slow(0),
        Metric::Slow(1),
        Metric::Slow(2),
        Metric::Slow(3),
    ];

    fn grid(self) -> &'static [Point] {
        match self {
            Metric::Errors | Metric::ColdStarts => &WORSE,
            Metric::Slow(_) => &SLOWER,
        }
    }
}

/// What both arms did on a route in an interval with one traffic weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteBucket {
    pub errors: Bucket,
    /// Requests, and those that began an environment. Empty where nobody counts them.
    #[serde(default)]
    pub cold: Bucket,
    /// Empty where nobody measures.
    #[serde(default)]
    pub timed: Timed,
}

impl RouteBucket {
    pub fn plus(self, other: RouteBucket) -> RouteBucket {
        RouteBucket {
            errors: self.errors.plus(other.errors),
            cold: self.cold.plus(other.cold),
            timed: self.timed.plus(other.timed),
        }
    }
}

/// The tests of every route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteJudge {
    /// Shared with copies of the judge until one of them changes.
    routes: Arc<[Route]>,
    starts: u32,
    /// Users keep an arm: their first errors on a route are compared, not requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_by_user: bool,
    /// Requests are drawn, and it is asked whether a route is broken altogether. Not so in judges of before there was such a test.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_by_draws: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    /// Counts stop at the largest number.
    canary: u32,
    base: u32,
    cells: [Cell; METRICS],
    /// Of its errors.
    #[serde(default, skip_serializing_if = "Settled::is_nothing")]
    settled: Settled,
    /// Of its errors too, where requests are drawn.
    #[serde(default, skip_serializing_if = "BrokenTest::is_new")]
    broken: BrokenTest,
}

/// One metric of one route: evidence per alternative, summed over starts, and the events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cell {
    logs: Exact<WIDTH>,
    canary: u32,
    base: u32,
}

impl RouteJudge {
    /// `None` for more than [`ROUTES_MAX`] routes, or for none at all.
    pub fn new(routes: usize) -> Option<RouteJudge> {
        RouteJudge::of(routes, false)
    }

    /// The same where users keep an arm: see [`ErrorJudge::of_users`](crate::ErrorJudge::of_users).
    pub fn of_users(routes: usize) -> Option<RouteJudge> {
        RouteJudge::of(routes, true)
    }

    fn of(routes: usize, is_by_user: bool) -> Option<RouteJudge> {
        let cell = Cell { logs: Exact([ln_weight(0); WIDTH]), canary: 0, base: 0 };
        let cells = std::array::from_fn(|_| cell.clone());
        let (settled, broken) = (Settled::NOTHING, BrokenTest::default());
        let route = Route { canary: 0, base: 0, cells, settled, broken };
        let fits = (1..=ROUTES_MAX).contains(&routes);
        let is_by_draws = !is_by_user;
        fits.then(|| RouteJudge { routes: vec![route; routes].into(), starts: 1, is_by_user, is_by_draws })
    }

    pub fn routes(&self) -> usize {
        self.routes.len()
    }

    /// Takes in what was seen of a route; routes count from 0. One that is not known changes nothing. `share` is the
    /// canary's observed share of all requests of the bucket, those of other routes too: requests draw their arm
    /// whatever their route, and a route's own few requests would tell the share badly. `None` takes the route's own.
    /// `weight` is the configured one, 0 to 1.
    pub fn observe(&mut self, route: usize, seen: RouteBucket, share: Option<f64>, weight: f64) {
        let Some(route) = Arc::make_mut(&mut self.routes).get_mut(route) else { return };
        if self.is_by_draws {
            route.broken.update(seen.errors, weight);
        }
        stop_at_most(&mut route.canary, seen.errors.canary.requests());
        stop_at_most(&mut route.base, seen.errors.base.requests());
        for (cell, metric) in route.cells.iter_mut().zip(Metric::ALL) {
            let (bucket, steps) = match metric {
                Metric::Errors if self.is_by_user => (seen.errors, None),
                Metric::Errors => (seen.errors, share_steps(seen.errors, share)),
                Metric::ColdStarts => (seen.cold, share_steps(seen.cold, share)),
                Metric::Slow(at) => (seen.timed.at(at), steps(seen.timed, at)),
            };
            if let Some(steps) = steps {
                add(&mut cell.logs, &steps);
            }
            stop_at_most(&mut cell.canary, bucket.canary.events());
            stop_at_most(&mut cell.base, bucket.base.events());
        }
    }

    /// Takes in how many users had their first error on a route under a configured weight, 0 to 1; nothing where requests are compared.
    pub fn observe_firsts(&mut self, route: usize, seen: Firsts, weight: f64) {
        let steps = increments(&grid::WORSE, 1.0, seen.canary, seen.base, weight);
        let Some(steps) = steps.filter(|_| self.is_by_user) else { return };
        if let Some(route) = Arc::make_mut(&mut self.routes).get_mut(route) {
            add(&mut route.cells[ERRORS].logs, &steps);
        }
    }

    /// From here on a user's first error on a route may be one that was counted before: what errors have gathered stays as it is.
    pub fn forget(&mut self) {
        let Some(starts) = self.starts.checked_add(1) else { return };
        for route in Arc::make_mut(&mut self.routes) {
            for (at, cell) in route.cells.iter_mut().enumerate() {
                match at {
                    ERRORS => settle(&mut cell.logs, self.starts, &mut route.settled, &grid::WORSE),
                    _ => begin(&mut cell.logs, self.starts),
                }
            }
        }
        self.starts = starts;
    }

    /// Watches for regressions that begin now.
    pub fn restart(&mut self) {
        let Some(starts) = self.starts.checked_add(1) else { return };
        for cell in Arc::make_mut(&mut self.routes).iter_mut().flat_map(|route| &mut route.cells) {
            begin(&mut cell.logs, self.starts);
        }
        self.starts = starts;
    }

    /// The evidence of one metric, spread evenly over the routes.
    pub fn log_e(&self, metric: Metric) -> f64 {
        let even = -libm::log(self.routes.len() as f64);
        log_sum_exp(|| (0..self.routes.len()).map(|route| even + self.log_e_of(route, metric).unwrap_or(0.0)))
    }

    /// The evidence against the worst route alone, as if it had been chosen before.
    pub fn log_e_of_worst(&self, metric: Metric) -> f64 {
        (0..self.routes.len())
            .filter_map(|route| self.log_e_of(route, metric))
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// The evidence that a route fails more often, spread evenly over the routes.
    pub fn log_e_errors(&self) -> f64 {
        self.log_e(Metric::Errors)
    }

    /// The evidence that a route is slower, spread evenly over routes and thresholds.
    pub fn log_e_slower(&self) -> f64 {
        let even = -libm::log(COUNT as f64);
        log_sum_exp(|| (0..COUNT).map(|at| even + self.log_e(Metric::Slow(at))))
    }

    /// The evidence of one metric of one route; `None` for a route that is not known.
    pub fn log_e_of(&self, route: usize, metric: Metric) -> Option<f64> {
        let at = Metric::ALL.iter().position(|known| *known == metric)?;
        let route = self.routes.get(route)?;
        let log_e = mixture(&route.cells.get(at)?.logs, self.starts, metric.grid());
        Some(match at {
            ERRORS => {
                let broken = Some(&route.broken).filter(|_| self.is_by_draws);
                with_broken(with_settled(log_e, &route.settled), broken)
            }
            _ => log_e,
        })
    }

    /// Requests of canary and base on a route.
    pub fn requests(&self, route: usize) -> Option<(u64, u64)> {
        self.routes.get(route).map(|route| (route.canary.into(), route.base.into()))
    }

    /// Events of canary and base of a metric of a route.
    pub fn events(&self, route: usize, metric: Metric) -> Option<(u64, u64)> {
        let at = Metric::ALL.iter().position(|known| *known == metric)?;
        self.routes.get(route).map(|route| (route.cells[at].canary.into(), route.cells[at].base.into()))
    }
}

fn share_steps(bucket: Bucket, share: Option<f64>) -> Option<[f64; WIDTH]> {
    let share = share.or_else(|| bucket.share())?;
    increments(&grid::WORSE, 1.0, bucket.canary.events(), bucket.base.events(), share)
}

pub(crate) fn stop_at_most(sum: &mut u32, more: u64) {
    *sum = sum.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(n_c: u64, k_c: u64, n_b: u64, k_b: u64) -> RouteBucket {
        RouteBucket { errors: Bucket::new(n_c, k_c, n_b, k_b).unwrap(), ..RouteBucket::default() }
    }

    #[test]
    fn routes_are_bounded() {
        assert!(RouteJudge::new(0).is_none() && RouteJudge::new(ROUTES_MAX + 1).is_none());
        assert_eq!(RouteJudge::new(ROUTES_MAX).unwrap().routes(), ROUTES_MAX);
    }

    #[test]
    fn a_dead_route_is_found_and_the_others_are_not_blamed() {
        let mut judge = RouteJudge::new(50).unwrap();
        for second in 0..8 {
            for route in 0..50 {
                judge.observe(route, seen(1, u64::from(route == 7), 99, 0), None, 0.01);
            }
            if second == 4 {
                judge.restart();
            }
        }
        assert!(judge.log_e_of(7, Metric::Errors).unwrap() > 20.0);
        assert!(judge.log_e_of(8, Metric::Errors).unwrap() < 1e-12);
        assert!(judge.log_e_errors() > 15.0);
        assert_eq!(judge.requests(7), Some((8, 792)));
        assert_eq!(judge.events(7, Metric::Errors), Some((8, 0)));
        assert_eq!(judge.log_e_of(50, Metric::Errors), None);
    }

    #[test]
    fn a_route_of_few_requests_is_judged_by_the_share_of_all() {
        let (mut alone, mut among) = (RouteJudge::new(1).unwrap(), RouteJudge::new(1).unwrap());
        for _ in 0..3 {
            alone.observe(0, seen(1, 1, 0, 0), None, 0.01);
            among.observe(0, seen(1, 1, 0, 0), Some(0.01), 0.01);
        }
        assert!(alone.log_e_errors() < 0.0 && among.log_e_errors() > 6.0);
    }

    /// Three failures of the canary's, while the base answered two hundred requests.
    #[test]
    fn a_dead_route_is_found_by_what_the_canary_has_not_answered() {
        let mut judge = RouteJudge::new(50).unwrap();
        (0..3).for_each(|_| judge.observe(7, seen(1, 1, 66, 0), Some(0.015), 0.015));
        let mut users = RouteJudge::of_users(50).unwrap();
        users.observe_firsts(7, Firsts { canary: 3, base: 0 }, 0.015);
        assert!(
            judge.log_e_errors() > users.log_e_errors() + 2.0,
            "{} {}",
            judge.log_e_errors(),
            users.log_e_errors()
        );
        let before = judge.log_e_errors();
        judge.observe(7, seen(1, 0, 66, 0), Some(0.015), 0.015);
        assert!(judge.log_e_errors() < before - 2.0, "it answers");
    }

    /// As it was written before there was the test of all draws: what has begun without it ends without it.
    #[test]
    fn a_judge_of_before_goes_on_with_the_share_alone() {
        let mut written = serde_json::to_value(RouteJudge::new(2).unwrap()).unwrap();
        assert!(written.as_object_mut().unwrap().remove("is_by_draws").is_some());
        let mut old: RouteJudge = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&old).unwrap(), written);
        let mut users = RouteJudge::of_users(2).unwrap();
        old.observe(1, seen(3, 3, 147, 0), Some(0.02), 0.02);
        users.observe_firsts(1, Firsts { canary: 3, base: 0 }, 0.02);
        assert_eq!(old.log_e_errors(), users.log_e_errors());
    }

    #[test]
    fn a_route_that_nobody_knows_changes_nothing() {
        let mut judge = RouteJudge::new(2).unwrap();
        let before = judge.clone();
        judge.observe(2, seen(10, 10, 10, 0), None, 0.5);
        assert_eq!(judge, before);
    }

    #[test]
    fn cold_starts_are_told_and_condemn_nobody() {
        let mut judge = RouteJudge::new(1).unwrap();
        let cold = Bucket::new(10, 9, 90, 0).unwrap();
        (0..9).for_each(|_| judge.observe(0, RouteBucket { cold, ..RouteBucket::default() }, None, 0.1));
        assert!(judge.log_e_of(0, Metric::ColdStarts).unwrap() > 20.0);
        assert!(judge.log_e_errors().abs() < 1e-12 && judge.log_e_slower().abs() < 1e-12);
    }

    #[test]
    fn where_users_keep_an_arm_their_first_errors_decide_and_requests_are_counted() {
        let mut judge = RouteJudge::of_users(2).unwrap();
        judge.observe(1, seen(50, 50, 50, 0), Some(0.01), 0.01);
        assert!(judge.log_e_errors().abs() < 1e-12 && judge.events(1, Metric::Errors) == Some((50, 0)));
        judge.observe_firsts(1, Firsts { canary: 3, base: 0 }, 0.01);
        judge.observe_firsts(7, Firsts { canary: 3, base: 0 }, 0.01);
        let before = judge.log_e_of(1, Metric::Errors).unwrap();
        assert!(before > 6.0);
        judge.forget();
        judge.observe_firsts(1, Firsts { canary: 0, base: 900 }, 0.5);
        assert!((judge.log_e_of(1, Metric::Errors).unwrap() - before).abs() < 0.01, "settled");
        let mut requests = RouteJudge::new(2).unwrap();
        requests.observe_firsts(1, Firsts { canary: 3, base: 0 }, 0.01);
        assert_eq!(requests, RouteJudge::new(2).unwrap());
        let text = serde_json::to_string(&judge).unwrap();
        assert_eq!(serde_json::from_str::<RouteJudge>(&text).unwrap(), judge);
    }

    #[test]
    fn counts_stop_at_the_largest_number() {
        let mut judge = RouteJudge::new(1).unwrap();
        (0..3).for_each(|_| judge.observe(0, seen(u64::MAX, 1, 5, 1), None, 0.1));
        assert_eq!(judge.requests(0), Some((u64::from(u32::MAX), 15)));
        assert!(judge.log_e_errors().is_finite());
    }
}

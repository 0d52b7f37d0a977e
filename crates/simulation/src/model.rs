//! Traffic and faults, as a release meets them. What happens is decided by a seed; what the rules see of it is counts.

use std::ops::Range;
use std::sync::LazyLock;

use libm::{erfc, exp, log, pow, sin, sqrt};
use pitbird_analysis::cluster::{FirstEvents, PER_HOST, capped};
use pitbird_analysis::latency::QUANTILES;
use pitbird_analysis::{Arm, Bucket, Firsts, Pairs, RouteBucket, Slow, Timed};

use crate::draws::Draws;

/// Routes of a model that has any; all but the one that may die share the rest of the traffic evenly.
pub const ROUTES: usize = 50;
/// The route that may die, and its share of the traffic.
pub const DYING_ROUTE: usize = 7;
const DYING_SHARE: f64 = 0.01;
/// Hosts that serve both arms.
const HOSTS: f64 = 40.0;
/// Users that keep their arm.
const USERS: usize = 2_000;
/// Seconds of a daily cycle, for which nobody waits a day.
const DAY_S: f64 = 1_200.0;
/// The base's latency is lognormal with a median of 50 ms and a p99 of 300 ms.
const MEDIAN_MS: f64 = 50.0;
const Z99: f64 = 2.326_347_874_040_841;
/// A canary this much slower is still accepted: its requests are counted against the threshold times this.
const ACCEPTED: f64 = 1.1;
/// Of the base's failures, those that lie in the request: both arms fail it.
const SHARED: f64 = 0.5;

/// A kind of traffic, and what is wrong with the canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub name: &'static str,
    /// Requests of both arms a second.
    pub per_second: f64,
    /// The base's error rate.
    pub errors: f64,
    pub shape: Shape,
    pub fault: Fault,
    pub has_routes: bool,
    /// Requests a second that both arms answer, beside the traffic.
    pub pairs_per_second: f64,
}

/// What moves in both arms alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Steady,
    /// Errors rise tenfold in ten minutes, latency with them.
    Drift,
    /// Traffic, errors and latency go up and down, each in its own time.
    Daily,
    /// One second in fifty has twenty times the traffic.
    Bursts,
    /// The rate of each second is lognormal with a spread of 1.2.
    HeavyTailed,
    /// Three minutes, some time in the first ten, in which three of ten requests fail.
    Outage,
    /// One second in a hundred fails every other request.
    Storms,
    /// Each failure is followed by three requests on average, of which four of five fail.
    Retries,
    /// 2,000 users keep their arm, a tenth of whom make a third of the requests; one of 500 fails half of his.
    Users,
    /// Any of 40 hosts is bad in one second of 500 and fails three of ten; the canary has its share of them.
    Hosts,
    /// The canary gets 1.3 times the share that is configured.
    Skewed,
    /// A weight begins to draw a second after it is said to be there: what is counted by then was drawn under the one before.
    Lagging,
    /// 8 % of the canary's requests meet a cold start, 1 % of the base's, and these are slow.
    Cold,
}

/// What is wrong with the canary, from a second that is drawn from `onset_s` on.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The canary's error rate is the base's plus this.
    pub errors: f64,
    pub slower: Slower,
    /// One route fails altogether.
    pub is_route_dead: bool,
    pub onset_s: Range<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slower {
    No,
    /// Every answer takes so many times as long.
    Body(f64),
    /// The slowest 2 % take so many times as long.
    Tail(f64),
}

impl Fault {
    pub const NONE: Fault =
        Fault { errors: 0.0, slower: Slower::No, is_route_dead: false, onset_s: 0.0..0.0 };
}

/// One run of a model.
pub struct World<'a> {
    model: &'a Model,
    draws: Draws,
    onset_s: f64,
    outage_s: f64,
    /// A canary this many times slower is still accepted.
    accepted: f64,
    /// Where they keep their arm; the first ones make most of the requests.
    users: Vec<User>,
    /// Users who have failed.
    failed: FirstEvents,
    /// The weight of the time before.
    weight_before: f64,
}

#[derive(Debug, Clone, Copy)]
struct User {
    draw: f64,
    is_failing: bool,
}

/// What a stretch of time brought.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Under which weight (0 to 1), and what.
    pub buckets: Vec<(f64, Bucket)>,
    pub timed: Timed,
    pub routes: Vec<(usize, RouteBucket)>,
    /// Users who failed for the first time, where they keep their arm.
    pub firsts: Firsts,
    /// What both arms answered.
    pub pairs: Pairs,
    pub requests: u64,
    pub canary_requests: u64,
    /// How many of the canary's requests failed that would not have on the base.
    pub extra_failures: f64,
}

/// What comes of requests that both arms answer, of which the canary fails a share and the base another, 0 to 1. Half of the base's failures are the
/// canary's as well; the others, and what is wrong with the canary, fall on each by itself.
pub fn answered(draws: &mut Draws, pairs: u64, canary: f64, base: f64) -> Pairs {
    let both = SHARED * base;
    let alone = |rate: f64| ((rate - both) / (1.0 - both)).clamp(0.0, 1.0);
    let left = pairs - draws.binomial(pairs, both);
    let failed = draws.binomial(left, alone(canary));
    let canary_alone = failed - draws.binomial(failed, alone(base));
    Pairs { pairs, canary_alone, base_alone: draws.binomial(left - failed, alone(base)) }
}

impl<'a> World<'a> {
    pub fn new(model: &'a Model, seed: u64, run: u64) -> World<'a> {
        let mut draws = Draws::new(seed, model.name, run);
        let Range { start, end } = model.fault.onset_s;
        let onset_s = start + (end - start) * draws.uniform();
        let outage_s = 600.0 * draws.uniform();
        let users = if model.shape == Shape::Users { USERS } else { 0 };
        let users = (0..users).map(|_| User { draw: draws.uniform(), is_failing: draws.happens(0.002) });
        let (users, failed) = (users.collect(), FirstEvents::default());
        World { model, draws, onset_s, outage_s, accepted: ACCEPTED, users, failed, weight_before: 0.0 }
    }

    /// The same where a canary is accepted that is this many times slower.
    pub fn accepting(self, accepted: f64) -> World<'a> {
        World { accepted, ..self }
    }

    /// When the canary becomes bad.
    pub fn onset_s(&self) -> f64 {
        self.onset_s
    }

    /// The time from `at_s` for `for_s` seconds with a weight of 0 to 1.
    pub fn pass(&mut self, at_s: f64, for_s: f64, weight: f64) -> Seen {
        let share = match self.model.shape {
            Shape::Skewed => (1.3 * weight).min(1.0),
            Shape::Lagging => self.weight_before,
            _ => weight,
        };
        self.weight_before = weight;
        let requests = self.requests(at_s, for_s);
        let canary = self.draws.binomial(requests, share);
        let base = requests - canary;
        let rate = self.error_rate(at_s);
        let is_bad = at_s >= self.onset_s;
        let more = if is_bad { self.model.fault.errors } else { 0.0 };
        let mut seen = Seen { requests, canary_requests: canary, ..Seen::default() };
        seen.pairs = self.pairs(for_s, rate, more);
        if self.model.has_routes {
            self.by_route(&mut seen, (canary, base), (rate + more).min(1.0), rate, is_bad);
            return seen;
        }
        let bucket = match self.model.shape {
            Shape::Users => return self.of_users(seen, at_s, weight, (rate, more)),
            Shape::Hosts => self.hosts(canary, base, share, rate),
            _ => {
                let k_c = self.draws.binomial(canary, (rate + more).min(1.0));
                let k_b = self.draws.binomial(base, rate);
                self.retried([canary, k_c, base, k_b], share)
            }
        };
        seen.extra_failures = bucket.canary.events() as f64 - bucket.canary.requests() as f64 * rate;
        seen.timed = self.timed(at_s, bucket.canary.requests(), bucket.base.requests(), is_bad);
        seen.buckets.push((weight, bucket));
        seen
    }

    fn pairs(&mut self, for_s: f64, rate: f64, more: f64) -> Pairs {
        let pairs = (self.model.pairs_per_second * for_s).round() as u64;
        answered(&mut self.draws, pairs, (rate + more).min(1.0), rate)
    }

    fn requests(&mut self, at_s: f64, for_s: f64) -> u64 {
        let swell = match self.model.shape {
            Shape::Daily => 1.0 + 0.9 * sin(2.0 * std::f64::consts::PI * at_s / DAY_S),
            Shape::Bursts if self.draws.happens(0.02) => 20.0,
            Shape::HeavyTailed => exp(1.2 * self.draws.normal()),
            _ => 1.0,
        };
        self.draws.poisson(self.model.per_second * for_s * swell)
    }

    /// The base's error rate.
    fn error_rate(&mut self, at_s: f64) -> f64 {
        let rate = self.model.errors;
        match self.model.shape {
            Shape::Drift => rate * (1.0 + 9.0 * (at_s / 600.0).min(1.0)),
            Shape::Daily => rate * (1.0 + 0.9 * sin(2.0 * std::f64::consts::PI * at_s / (0.7 * DAY_S))),
            Shape::Outage if (self.outage_s..self.outage_s + 180.0).contains(&at_s) => 0.3,
            Shape::Storms if self.draws.happens(0.01) => 0.5,
            _ => rate,
        }
    }

    fn retried(&mut self, counts: [u64; 4], share: f64) -> Bucket {
        let [mut n_c, mut k_c, mut n_b, mut k_b] = counts;
        if self.model.shape == Shape::Retries {
            let more = self.draws.poisson(3.0 * (k_c + k_b) as f64);
            let canary = self.draws.binomial(more, share);
            (n_c, n_b) = (n_c + canary, n_b + more - canary);
            k_c += self.draws.binomial(canary, 0.8);
            k_b += self.draws.binomial(more - canary, 0.8);
        }
        Bucket { canary: arm(n_c, k_c), base: arm(n_b, k_b) }
    }

    /// Each host's errors count up to a cap.
    fn hosts(&mut self, canary: u64, base: u64, share: f64, rate: f64) -> Bucket {
        let of_canary = (HOSTS * share).round().max(1.0) as u64;
        let mut serve = |requests: u64, hosts: u64| {
            let each = (0..hosts).map(|host| requests / hosts + u64::from(host < requests % hosts));
            let failed = each.map(|requests| {
                let rate = if self.draws.happens(0.002) { 0.3 } else { rate };
                self.draws.binomial(requests, rate)
            });
            arm(requests, capped(failed, PER_HOST))
        };
        Bucket { canary: serve(canary, of_canary), base: serve(base, HOSTS as u64 - of_canary.min(39)) }
    }

    /// Each request is some user's, and takes his arm.
    fn of_users(&mut self, mut seen: Seen, at_s: f64, weight: f64, (rate, more): (f64, f64)) -> Seen {
        let mut counts = [0_u64; 4];
        for _ in 0..seen.requests {
            let (user, users) = (self.draws.uniform(), self.users.len() as f64);
            let number = (users * user * user) as usize;
            let User { draw, is_failing } = self.users[number];
            let is_canary = draw < weight;
            let would_fail = self.draws.happens(if is_failing { 0.5 } else { rate });
            let fails = would_fail || is_canary && self.draws.happens(more);
            let place = if is_canary { 0 } else { 2 };
            counts[place] += 1;
            counts[place + 1] += u64::from(fails);
            seen.extra_failures += f64::from(u8::from(fails && !would_fail));
            if fails && self.failed.is_first(number as u64) {
                let arm = if is_canary { &mut seen.firsts.canary } else { &mut seen.firsts.base };
                *arm += 1;
            }
        }
        let [canary, k_c, base, k_b] = counts;
        seen.canary_requests = canary;
        seen.timed = self.timed(at_s, canary, base, false);
        seen.buckets.push((weight, Bucket { canary: arm(canary, k_c), base: arm(base, k_b) }));
        seen
    }

    fn by_route(&mut self, seen: &mut Seen, requests: (u64, u64), rate: f64, base_rate: f64, is_bad: bool) {
        let (mut canary, mut base, mut left) = (requests.0, requests.1, 1.0);
        let mut sum = Bucket::default();
        for route in 0..ROUTES {
            let share = match route {
                DYING_ROUTE => DYING_SHARE,
                _ => (1.0 - DYING_SHARE) / (ROUTES - 1) as f64,
            };
            let part = (share / left).min(1.0);
            let (n_c, n_b) = (self.draws.binomial(canary, part), self.draws.binomial(base, part));
            (canary, base, left) = (canary - n_c, base - n_b, left - share);
            let is_dead = is_bad && self.model.fault.is_route_dead && route == DYING_ROUTE;
            let k_c = self.draws.binomial(n_c, if is_dead { 1.0 } else { rate });
            let errors =
                Bucket { canary: arm(n_c, k_c), base: arm(n_b, self.draws.binomial(n_b, base_rate)) };
            sum = sum.plus(errors);
            seen.extra_failures += k_c as f64 - n_c as f64 * base_rate;
            if n_c + n_b > 0 {
                seen.routes.push((route, RouteBucket { errors, ..RouteBucket::default() }));
            }
        }
        seen.buckets.push((seen.canary_requests as f64 / seen.requests.max(1) as f64, sum));
    }

    fn timed(&mut self, at_s: f64, canary: u64, base: u64, is_bad: bool) -> Timed {
        let swell = match self.model.shape {
            Shape::Daily => 1.0 + 0.5 * sin(2.0 * std::f64::consts::PI * at_s / (1.3 * DAY_S)),
            Shape::Drift => 1.0 + (at_s / 600.0).min(1.0),
            _ => 1.0,
        };
        let slower = if is_bad { self.model.fault.slower } else { Slower::No };
        let cold = if self.model.shape == Shape::Cold { (0.08, 0.01) } else { (0.0, 0.0) };
        // Cold ones are left out, as whoever counts is told to.
        let canary = canary - self.draws.binomial(canary, cold.0);
        let base = base - self.draws.binomial(base, cold.1);
        let accepted = self.accepted;
        let mut slow = |requests: u64, above: [f64; 4]| {
            let (mut left, mut before, mut counts) = (requests, 1.0, [0; 4]);
            for (count, above) in counts.iter_mut().zip(above) {
                *count = self.draws.binomial(left, (above / before).min(1.0));
                (left, before) = (*count, above);
            }
            Slow::new(requests, counts).unwrap_or_default()
        };
        Timed {
            canary: slow(canary, above(accepted, swell, slower)),
            base: slow(base, above(1.0, swell, Slower::No)),
        }
    }
}

fn arm(requests: u64, events: u64) -> Arm {
    Arm::new(requests, events.min(requests)).unwrap_or_default()
}

/// The shares of answers above the base's p50, p90, p99 and p99.9.
pub fn shares_above(slower: Slower) -> [f64; 4] {
    above(1.0, 1.0, slower)
}

/// The chances to be above the base's p50, p90, p99 and p99.9, each times `factor`, where all answers take `swell` times
/// as long as before the rollout.
fn above(factor: f64, swell: f64, slower: Slower) -> [f64; 4] {
    THRESHOLDS_MS.map(|threshold_ms| {
        let ms = factor * threshold_ms / swell;
        match slower {
            Slower::No => beyond(ms),
            Slower::Body(times) => beyond(ms / times),
            Slower::Tail(times) => {
                if ms < *P98_MS {
                    beyond(ms)
                } else {
                    beyond(ms / times).min(0.02)
                }
            }
        }
    })
}

static THRESHOLDS_MS: LazyLock<[f64; 4]> = LazyLock::new(|| QUANTILES.map(at_quantile));
static P98_MS: LazyLock<f64> = LazyLock::new(|| at_quantile(0.98));

fn spread() -> f64 {
    log(6.0) / Z99
}

/// The chance that the base takes longer.
fn beyond(ms: f64) -> f64 {
    0.5 * erfc(log(ms / MEDIAN_MS) / (spread() * sqrt(2.0)))
}

fn at_quantile(quantile: f64) -> f64 {
    let (mut low, mut high) = (1.0e-3, 1.0e6);
    for _ in 0..100 {
        let middle = pow(low * high, 0.5);
        if beyond(middle) > 1.0 - quantile { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_those_of_the_published_simulation() {
        let equal = above(ACCEPTED, 1.0, Slower::No);
        for (found, expected) in equal.iter().zip([0.450_757_85, 0.079_966_28, 0.007_140_93]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        let base = above(1.0, 1.0, Slower::No);
        for (found, expected) in base.iter().zip([0.5, 0.1, 0.01, 0.001]) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}

//! What no rule could do better: tests that know beforehand what is wrong, at the same chance of a false rollback. And ours
//! alone, at a weight that stays, without the ramp and without latency's share of the chance.

use std::fmt::Write as _;

use pitbird_analysis::broken::BROKEN_PART;
use pitbird_analysis::latency::{BANDS_PART, PARTS, QUANTILES};
use pitbird_analysis::{Bands, BrokenTest, Bucket, ShareTest, TwoByTwo, combine, threshold};

use super::Counts;
use crate::catalogue::regressions;
use crate::ending::Ending;
use crate::model::{DYING_ROUTE, Model, Seen, Slower, World, shares_above};
use crate::runs::Runs;

/// The chance of a false rollback that all of them have.
const ALPHA: f64 = 0.001;
/// Nobody waits for more looks than these.
const LOOKS_MAX: u64 = 20_000;

const HEAD: &str = "
## What bounds them

The same faults at a weight that stays. An oracle is Wald's test that knows beforehand what is wrong and how much. For 1 → 2 % it looks at
the failures alone; for the dead route at the answers as well, and it knows which route it is and that the split is as configured. All have the same chance of a false rollback, 0.1 %, and one look a second.

| fault | counted | weight | oracle, median / p95 | ours alone, median / p95 |
|---|---|---|---|---|
";

pub(super) fn table(counts: Counts, runs: &Runs, only: &str) -> String {
    let mut text = HEAD.to_owned();
    let count = counts.faults;
    let mut row = |model: &Model, what: &str, weight: f64, numbers: [Vec<f64>; 2]| {
        let [oracle, ours] = numbers.map(|numbers| super::quantiles(&numbers, &[0.5, 0.95], ""));
        let _ = writeln!(text, "| {} | {what} | {} % | {oracle} | {ours} |", model.name, 100.0 * weight);
    };
    let wanted = |model: &Model| model.name.contains(only);
    for model in regressions().iter().filter(|model| wanted(model)) {
        for weight in [0.01, 0.1, 0.5] {
            let extra = |test: fn(f64) -> Test| {
                runs.all(count, |run| alone(World::new(model, runs.seed(), run), weight, test(weight)))
                    .iter()
                    .map(|ending| ending.extra_failures)
                    .collect::<Vec<_>>()
            };
            if model.name.contains("1 → 2 %") {
                row(model, "extra failures", weight, [extra(knows_ratio), extra(of_errors)]);
            }
            if model.fault.is_route_dead {
                row(model, "extra failures", weight, [extra(knows_route), extra(one_route_of_fifty)]);
            }
        }
        if model.fault.slower == Slower::Body(1.5) {
            let requests = |test: fn() -> Test| {
                let world = |run| World::new(model, runs.seed(), run).accepting(1.0);
                let ends = runs.all(count, |run| alone(world(run), 0.1, test()));
                ends.iter().map(|ending| ending.requests as f64).collect::<Vec<_>>()
            };
            let what = "requests of both arms, no slowness accepted";
            row(model, what, 0.1, [requests(knows_slowness), requests(latency_without_late_starts)]);
        }
    }
    text
}

/// Takes in what was seen and tells the logarithm of its evidence.
type Test = Box<dyn FnMut(&Seen) -> f64>;

/// What happened until a test alone was sure.
fn alone(mut world: World<'_>, weight: f64, mut test: Test) -> Ending {
    let mut ending = Ending::default();
    for _ in 0..LOOKS_MAX {
        let seen = world.pass(0.0, 1.0, weight);
        ending.add(&seen);
        if test(&seen) >= threshold(ALPHA) {
            break;
        }
    }
    ending
}

fn errors(seen: &Seen) -> Bucket {
    seen.buckets.iter().fold(Bucket::default(), |sum, (_, bucket)| sum.plus(*bucket))
}

/// The canary's errors are twice as frequent.
fn knows_ratio(_: f64) -> Test {
    let mut log_e = 0.0;
    Box::new(move |seen| {
        let bucket = errors(seen);
        let (canary, base) = (bucket.canary.events() as f64, bucket.base.events() as f64);
        let share = bucket.share().unwrap_or_default();
        log_e += canary * libm::log(2.0) - (canary + base) * libm::log1p(share);
        log_e
    })
}

/// By how they are shared, and whether the canary is broken altogether.
struct OfErrors {
    share: ShareTest,
    broken: BrokenTest,
    weight: f64,
}

impl OfErrors {
    fn new(weight: f64) -> OfErrors {
        let share = ShareTest::worse(1.0).expect("a ratio within the limits");
        OfErrors { share, broken: BrokenTest::default(), weight }
    }

    fn take(&mut self, bucket: Bucket, share: f64) -> f64 {
        self.share.update(bucket.canary.events(), bucket.base.events(), share);
        self.broken.update(bucket, self.weight);
        combine(&[(1.0 - BROKEN_PART, self.share.log_e()), (BROKEN_PART, self.broken.log_e())])
    }
}

fn of_errors(weight: f64) -> Test {
    let mut test = OfErrors::new(weight);
    Box::new(move |seen| {
        let bucket = errors(seen);
        test.take(bucket, bucket.share().unwrap_or_default())
    })
}

fn on_dying_route(seen: &Seen) -> (Bucket, f64) {
    let of = seen.routes.iter().find(|(route, _)| *route == DYING_ROUTE);
    let bucket = of.map_or(Bucket::default(), |(_, bucket)| bucket.errors);
    (bucket, errors(seen).share().unwrap_or_default())
}

/// The canary answers one in ten thousand of this route's requests, the base all but one in a thousand.
fn knows_route(weight: f64) -> Test {
    const CANARY: f64 = 0.9999;
    const BASE: f64 = 0.001;
    let of_canary = |canary: f64, base: f64| weight * canary / (weight * canary + (1.0 - weight) * base);
    let (failed, answered) = (of_canary(CANARY, BASE), of_canary(1.0 - CANARY, 1.0 - BASE));
    let steps = |share: f64| (libm::log(share / weight), libm::log((1.0 - share) / (1.0 - weight)));
    let (failed, answered) = (steps(failed), steps(answered));
    let mut log_e = 0.0;
    Box::new(move |seen| {
        let Bucket { canary, base } = on_dying_route(seen).0;
        log_e += canary.events() as f64 * failed.0 + base.events() as f64 * failed.1;
        log_e += (canary.requests() - canary.events()) as f64 * answered.0;
        log_e += (base.requests() - base.events()) as f64 * answered.1;
        log_e
    })
}

/// Half of the evidence for all routes, a fiftieth of that for each.
fn one_route_of_fifty(weight: f64) -> Test {
    let (mut all, mut route) = (of_errors(weight), OfErrors::new(weight));
    Box::new(move |seen| {
        let (bucket, share) = on_dying_route(seen);
        combine(&[(0.5, all(seen)), (0.01, route.take(bucket, share))])
    })
}

/// Which part of the canary's answers is above each threshold, and which of the base's.
fn knows_slowness() -> Test {
    let (base, canary) = (shares_above(Slower::No), shares_above(Slower::Body(1.5)));
    let mut log_e = 0.0;
    Box::new(move |seen| {
        let arm = seen.timed.canary;
        let (mut left, mut before) = (arm.requests(), [1.0, 1.0]);
        // From band to band.
        for ((above, base), canary) in arm.above().into_iter().zip(base).zip(canary) {
            log_e += (left - above) as f64 * libm::log((before[1] - canary) / (before[0] - base));
            (left, before) = (above, [base, canary]);
        }
        log_e += left as f64 * libm::log(before[1] / before[0]);
        log_e
    })
}

/// The mean of thresholds and bands, without starts for late faults.
fn latency_without_late_starts() -> Test {
    let mut tests =
        QUANTILES.map(|quantile| TwoByTwo::at_rate(1.0 - quantile).expect("a rate between 0 and 1"));
    let mut bands = Bands::default();
    Box::new(move |seen| {
        for (at, test) in tests.iter_mut().enumerate() {
            test.update(seen.timed.at(at));
        }
        bands.update(seen.timed);
        let alone = PARTS.into_iter().zip(tests.iter().map(TwoByTwo::log_e));
        combine(&alone.chain([(BANDS_PART, bands.log_e())]).collect::<Vec<_>>())
    })
}

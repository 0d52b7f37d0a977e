//! How fast the analysis takes in buckets, on one core. Each line: kernel, updates of one alternative per second, and
//! nanoseconds per bucket; medians of seven rounds. Run: `cargo run --release -p pitbird-analysis --example speed`.
#![allow(clippy::print_stdout, reason = "a program whose purpose is its output")]

use std::hint::black_box;
use std::time::Instant;

use pitbird_analysis::{
    Arm, Bucket, ErrorJudge, HarmBound, LatencyJudge, LatencyMargins, Restarting, RouteBucket, RouteJudge,
    ShareTest, Slow, Timed, TwoByTwo, harm, routes,
};

const BUCKETS: u32 = 20_000;
const ROUNDS: usize = 7;

fn main() {
    let buckets: Vec<Bucket> = (0..64)
        .map(|i| {
            Bucket::new(30 + i % 7, 1 + i % 3, 270 + i % 11, 2 + i % 5).expect("fewer events than requests")
        })
        .collect();
    let history = Arm::new(60_000, 600).expect("fewer events than requests");

    let mut share = ShareTest::worse(1.0).expect("1 is a ratio");
    measure("share test (K1), 24 alternatives", 24, &buckets, |bucket| {
        share.update(bucket.canary.events(), bucket.base.events(), 0.1);
        share.log_e()
    });
    let mut bound = HarmBound::new(history, 0.005);
    measure("harm bound (K2), 20 margins", harm::MARGINS.len(), &buckets, |bucket| {
        bound.update(bucket);
        bound.upper(0.01)
    });
    let mut table = TwoByTwo::new(history);
    measure("2x2 (K3), 24 alternatives", 24, &buckets, |bucket| {
        table.update(bucket);
        table.log_e()
    });
    let mut restarts = Restarting::default();
    (0..360).for_each(|_| restarts.restart());
    measure("late regressions, 361 starts of 24", 24, &buckets, |bucket| {
        restarts.update(bucket.canary.events(), bucket.base.events(), 0.1);
        restarts.log_e()
    });
    let mut latency = LatencyJudge::new(LatencyMargins::default());
    measure("latency, all of it", 4 * 24 + 2 * harm::MARGINS.len(), &buckets, |bucket| {
        latency.observe(timed(bucket));
        0.0
    });
    let mut by_route = RouteJudge::new(routes::ROUTES_MAX).expect("within the bound");
    let mut route = 0;
    measure("one route of 50, six metrics", 24 * routes::METRICS, &buckets, |bucket| {
        route = (route + 1) % routes::ROUTES_MAX;
        by_route.observe(
            route,
            RouteBucket { errors: bucket, cold: bucket, timed: timed(bucket) },
            None,
            0.1,
        );
        0.0
    });
    let mut judge = ErrorJudge::new(history, 0.005);
    measure("a judge of the error rate, all of it", 24 + harm::MARGINS.len() + 24, &buckets, |bucket| {
        judge.observe(bucket, 0.1);
        0.0
    });
}

fn timed(bucket: Bucket) -> Timed {
    let slow = |arm: Arm| {
        let above = [arm.requests() / 2, arm.requests() / 10, arm.events(), arm.events() / 2];
        Slow::new(arm.requests(), above).expect("falls from threshold to threshold")
    };
    Timed { canary: slow(bucket.canary), base: slow(bucket.base) }
}

fn measure(name: &str, alternatives: usize, buckets: &[Bucket], mut update: impl FnMut(Bucket) -> f64) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for i in 0..BUCKETS {
                black_box(update(black_box(buckets[i as usize % buckets.len()])));
            }
            start.elapsed().as_secs_f64() / f64::from(BUCKETS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let bucket = rounds[ROUNDS / 2];
    let rate = alternatives as f64 / bucket / 1e6;
    println!("{name:<40} {rate:>8.1} M alternatives/s {:>9.0} ns per bucket", bucket * 1e9);
}

//! What a rollout's judgement takes: memory that is bounded, and none more per update.

use pitbird_analysis::routes::{METRICS, ROUTES_MAX};
use pitbird_analysis::{
    Arm, Bucket, ErrorJudge, LatencyJudge, LatencyMargins, PairJudge, Pairs, Release, RouteBucket,
    RouteJudge, SloGuard, Slow, Thresholds, Timed,
};

const BYTES_MAX: u64 = 64 * 1024;
const THRESHOLDS: Thresholds = Thresholds { alpha_rollback: 0.001, alpha_promote: 0.01, margin: 0.005 };

struct Judges {
    errors: ErrorJudge,
    latency: LatencyJudge,
    routes: RouteJudge,
    guard: SloGuard,
}

impl Judges {
    fn new() -> Judges {
        Judges {
            errors: ErrorJudge::new(Arm::default(), 0.004),
            latency: LatencyJudge::new(LatencyMargins::default()),
            routes: RouteJudge::new(ROUTES_MAX).expect("within the bound"),
            guard: SloGuard::new(0.01).expect("a budget"),
        }
    }

    /// A look: every route, everything measured, a new weight each time, and a new start.
    fn look(&mut self, at: u64) -> f64 {
        let bucket = Bucket::new(30, 2 + at % 3, 270, at % 2).expect("fewer events than requests");
        let slow = |requests| Slow::new(requests, [requests / 2, requests / 10, 1, 0]).expect("falls");
        let timed = Timed { canary: slow(30), base: slow(270) };
        self.errors.observe(bucket, 0.01 + at as f64 / 1000.0);
        self.latency.observe(timed);
        for route in 0..ROUTES_MAX {
            self.routes.observe(route, RouteBucket { errors: bucket, cold: bucket, timed }, None, 0.1);
        }
        self.guard.update(bucket.canary);
        self.errors.restart();
        self.latency.restart();
        self.routes.restart();
        let latency = Some((&self.latency, LatencyMargins::default()));
        let release = Release { errors: &self.errors, latency, routes: Some(&self.routes), pairs: None };
        release.findings(&THRESHOLDS).log_e_worse + self.guard.log_e()
    }
}

#[test]
fn fifty_routes_of_six_metrics_take_64_kib() {
    assert_eq!((ROUTES_MAX, METRICS), (50, 6));
    let mut judges = None;
    // What lies on the heap, and the struct itself as if it did too.
    let heap = allocation_counter::measure(|| judges = Some(Box::new(Judges::new())));
    let live = u64::try_from(heap.bytes_current).expect("it is alive");
    assert!(live > 50 * 6 * 24 * 8, "{live}: everything is counted");
    assert!(live <= BYTES_MAX, "{live}");
    let mut judges = judges.expect("made above");
    judges.look(0);
}

#[test]
fn no_update_asks_for_memory() {
    let mut judges = Judges::new();
    // Grids are made once a process.
    judges.look(0);
    let asked = allocation_counter::measure(|| {
        for at in 1..100 {
            assert!(judges.look(at).is_finite());
        }
    });
    assert_eq!(asked.count_total, 0);
}

#[test]
fn pairs_take_half_a_kib_and_ask_for_no_more() {
    assert!(size_of::<PairJudge>() <= 512, "{}", size_of::<PairJudge>());
    let mut judge = PairJudge::new(0.004);
    let mut look = |at: u64| {
        judge.observe(Pairs { pairs: 5, canary_alone: at % 2, base_alone: at % 3 });
        judge.restart();
        judge.findings(&THRESHOLDS).log_e_worse
    };
    look(0);
    let asked = allocation_counter::measure(|| assert!((1..100).map(look).all(f64::is_finite)));
    assert_eq!(asked.count_total, 0);
}

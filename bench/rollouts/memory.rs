//! What a rollout of 50 routes and 6 metrics has of the memory, in bytes that are allocated and not freed: the executor itself with
//! its store, counts from a data plane that this program plays, and a clock that leaps from look to look. SQLite's own memory isn't
//! among it: its caches have a bound, however many rollouts there are. Run:
//! `cargo run --release -p pitbird-rollouts --example rollout_memory`.
#![allow(clippy::print_stdout, reason = "a program whose purpose is its output")]

#[path = "memory/bed.rs"]
mod bed;
#[path = "memory/weigh.rs"]
mod weigh;

use peak_alloc::PeakAlloc;
use pitbird_telemetry::tally::{Limits, Spec, Tally};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Rollouts before those that are weighed: maps and pools have grown by then.
const BEFORE: usize = 10;
const WEIGHED: usize = 30;

fn main() {
    let [learning, frozen] = tally();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let weights = runtime.expect("a runtime").block_on(weigh::weigh(&HEAP, BEFORE, WEIGHED));
    let (shifted, others) = weights.standing;
    assert_eq!((shifted, others), (BEFORE + WEIGHED, WEIGHED), "those at 50 %, and those that learn");
    for (what, bytes) in [
        ("a rollout at 50 %, its canary's 50 routes in the snapshot among it", weights.quiet),
        ("of that the routes, which any canary has there", weights.canary),
        ("of that its tally", frozen),
        ("a rollout that learns how long the base takes", weights.learning),
        ("of that its tally", learning),
        ("beside that, at the peak of a look", weights.look),
    ] {
        println!("{what}  {:.1} KiB", bytes as f64 / 1024.0);
    }
}

/// A tally's own bytes, before and after thresholds are frozen.
fn tally() -> [usize; 2] {
    let before = HEAP.current_usage();
    let routes = (0..bed::ROUTES).map(|number| format!("GET /r{number}")).collect();
    let tally = Tally::new(Spec { routes, is_timed: true, ..Spec::default() });
    let learning = HEAP.current_usage() - before;
    tally.freeze(Limits::default(), vec![Limits::default(); bed::ROUTES]);
    [learning, HEAP.current_usage() - before]
}

//! What a rollout of 50 routes and 6 metrics has of the memory stays bounded; `bench/rollouts/memory.rs` tells it in full.

#[path = "../../../bench/rollouts/memory/bed.rs"]
mod bed;
#[path = "../../../bench/rollouts/memory/weigh.rs"]
mod weigh;

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const BYTES_MAX: usize = 64 * 1024;

#[tokio::test(start_paused = true)]
async fn a_rollout_that_waits_takes_64_kib() {
    let weights = weigh::weigh(&HEAP, 3, 5).await;
    assert_eq!(weights.standing, (8, 5), "those at 50 %, and those that learn");
    // A tally of so many routes alone has more than this.
    assert!(weights.quiet > 16 * 1024 && weights.learning > 48 * 1024, "{weights:?}");
    assert!(weights.canary < weights.quiet && weights.look > weights.quiet, "{weights:?}");
    assert!(weights.quiet <= BYTES_MAX && weights.learning <= BYTES_MAX, "{weights:?}");
}

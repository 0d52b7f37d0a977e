//! Weighs rollouts by what is allocated before and after they are there. Sleeps are of a clock that stands still otherwise: they are how
//! long the rollouts are left alone, and take no time.

use std::ops::Range;
use std::time::Duration;

use peak_alloc::PeakAlloc;

use crate::bed::Bed;

/// Looks are a second apart.
const LOOK: Duration = Duration::from_secs(1);
const QUIET: Duration = Duration::from_secs(20);
/// Readings in a row that are the same, once no look is under way.
const SAME: usize = 20;

/// Bytes of one rollout.
#[derive(Debug)]
pub struct Weights {
    /// At 50 %, thresholds known, nothing to do; what its canary has in the snapshot is among it.
    pub quiet: usize,
    /// A canary in the snapshot, that any stage may have.
    pub canary: usize,
    /// Before its first shift.
    pub learning: usize,
    /// Beside that at most, while it looks.
    pub look: usize,
    /// Rollouts at 50 %, and others.
    pub standing: (usize, usize),
}

pub async fn weigh(heap: &PeakAlloc, before: usize, weighed: usize) -> Weights {
    let directory = tempfile::tempdir().expect("a directory");
    let bed = Bed::open(directory.path(), before + 3 * weighed).await;
    let numbers = |group: usize| before + group * weighed..before + (group + 1) * weighed;

    shifted(&bed, 0..1).await;
    let one = settled(heap).await;
    heap.reset_peak_usage();
    tokio::time::sleep(LOOK).await;
    settled(heap).await;
    let look = heap.peak_usage().saturating_sub(one);
    shifted(&bed, 1..before).await;

    let mut base = settled(heap).await;
    let mut grown = async || {
        let now = settled(heap).await;
        let grown = now.saturating_sub(base) / weighed;
        base = now;
        grown
    };
    shifted(&bed, numbers(0)).await;
    let quiet = grown().await;
    bed.begin(numbers(1)).await;
    tokio::time::sleep(QUIET).await;
    let learning = grown().await;
    bed.give_canaries(numbers(2)).await;
    let canary = grown().await;
    Weights { quiet, canary, learning, look, standing: bed.standing().await }
}

/// Begins rollouts, lets them have what they wait for, and waits without requests.
async fn shifted(bed: &Bed, numbers: Range<usize>) {
    bed.begin(numbers.clone()).await;
    tokio::time::sleep(LOOK).await;
    bed.serve(numbers);
    tokio::time::sleep(QUIET).await;
}

/// What is allocated once no look is under way. The clock stands still as long as nobody sleeps by it; the store's writer has a thread
/// of its own, and takes real time.
async fn settled(heap: &PeakAlloc) -> usize {
    let (mut usage, mut same) = (heap.current_usage(), 0);
    while same < SAME {
        // Nothing tells that the store's writer has freed what it held; what ends the wait is that nothing changes any more.
        std::thread::sleep(Duration::from_millis(5));
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        same = if heap.current_usage() == usage { same + 1 } else { 0 };
        usage = heap.current_usage();
    }
    usage
}

use std::sync::atomic::{AtomicU32, Ordering};

/// Latencies below 2^LOW µs (64 µs) and above 2^HIGH µs (two minutes) aren't told apart.
const LOW: u32 = 6;
const HIGH: u32 = 27;

/// How long requests took: a histogram of equal steps within each octave.
#[derive(Debug)]
pub struct History {
    bits: u32,
    counts: Box<[AtomicU32]>,
}

impl History {
    pub(super) fn new(bits: u32) -> History {
        let counts = (0..(HIGH - LOW) << bits).map(|_| AtomicU32::new(0)).collect();
        History { bits, counts }
    }

    pub(super) fn add(&self, latency_us: u64) {
        let latency_us = latency_us.clamp(1 << LOW, (1 << HIGH) - 1);
        let octave = latency_us.ilog2();
        let within = (latency_us >> (octave - self.bits.min(octave))) & ((1 << self.bits) - 1);
        let place = (((octave - LOW) << self.bits) + within as u32) as usize;
        // Four thousand millions are enough; beyond, the count begins again, which no rollout lives to see.
        self.counts[place].fetch_add(1, Ordering::Relaxed);
    }

    pub fn requests(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(count.load(Ordering::Relaxed))).sum()
    }

    /// The smallest latency that is told apart and that at least the share `quantile` (0 to 1) of the requests didn't
    /// exceed, microseconds; `None` without requests.
    pub fn quantile_us(&self, quantile: f64) -> Option<u64> {
        let counts: Vec<u64> =
            self.counts.iter().map(|count| u64::from(count.load(Ordering::Relaxed))).collect();
        let all: u64 = counts.iter().sum();
        let wanted = ((all as f64 * quantile).ceil() as u64).clamp(1, all.max(1));
        let mut below = 0;
        let place = counts.iter().position(|count| {
            below += count;
            below >= wanted
        })?;
        Some(self.upper_us(place as u32))
    }

    /// The largest latency of a step.
    fn upper_us(&self, place: u32) -> u64 {
        let (octave, within) = (LOW + (place >> self.bits), u64::from(place & ((1 << self.bits) - 1)));
        let step = 1_u64 << (octave - self.bits);
        (1 << octave) + (within + 1) * step - 1
    }
}

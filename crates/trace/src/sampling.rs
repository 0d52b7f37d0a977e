use std::sync::atomic::{AtomicU64, Ordering};

/// Which part of the traces that nobody has decided about is recorded: a number in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(f64);

impl Rate {
    pub const NONE: Rate = Rate(0.0);
    pub const ALL: Rate = Rate(1.0);

    /// `None` for what isn't in [0, 1].
    pub fn new(rate: f64) -> Option<Rate> {
        (0.0..=1.0).contains(&rate).then_some(Rate(rate))
    }

    /// With a draw in [0, 1).
    pub fn takes(self, draw: f64) -> bool {
        draw < self.0
    }
}

/// The rule of those who trace actively without having been told a rate: the first request of each second, and 5 % of the others.
/// Source: AWS X-Ray developer guide, "Configuring sampling rules".
#[derive(Debug, Default)]
pub struct Reservoir {
    /// The second in which the last one was taken for its second.
    taken_s: AtomicU64,
}

const FIXED_RATE: Rate = Rate(0.05);

impl Reservoir {
    /// `now_s` is seconds since 1970, the draw is in [0, 1).
    pub fn takes(&self, now_s: u64, draw: f64) -> bool {
        let before = self.taken_s.load(Ordering::Relaxed);
        let is_first = before < now_s
            && self.taken_s.compare_exchange(before, now_s, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        is_first || FIXED_RATE.takes(draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_takes_its_part() {
        for rate in [-0.1, 1.1, f64::NAN] {
            assert_eq!(Rate::new(rate), None);
        }
        assert!(!Rate::NONE.takes(0.0) && Rate::ALL.takes(0.999_999));
        let tenth = Rate::new(0.1).unwrap();
        assert!(tenth.takes(0.099) && !tenth.takes(0.1));
    }

    #[test]
    fn the_first_of_each_second_is_taken_and_a_twentieth_of_the_others() {
        let reservoir = Reservoir::default();
        let taken = |now_s, draw| reservoir.takes(now_s, draw);
        assert_eq!([taken(10, 0.9), taken(10, 0.9), taken(10, 0.04)], [true, false, true]);
        assert_eq!([taken(11, 0.9), taken(11, 0.05), taken(10, 0.9)], [true, false, false]);
    }
}

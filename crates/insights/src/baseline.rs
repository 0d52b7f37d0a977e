//! The time that `diff` compares with.

use crate::time;

/// Which time before. Source: AWS, diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Baseline {
    /// As long, and ending where the query's begins.
    Just,
    Day,
    Week,
    /// The same day of the month before; the last one where that month is shorter.
    Month,
}

impl Baseline {
    /// The start and the end of the time to compare with, which is always as long as that from `start_ms` to `end_ms`.
    pub fn of(self, start_ms: i64, end_ms: i64) -> (i64, i64) {
        let length_ms = end_ms.saturating_sub(start_ms);
        let start_ms = match self {
            Baseline::Just => start_ms.saturating_sub(length_ms),
            Baseline::Day => start_ms.saturating_sub(time::DAY_MS),
            Baseline::Week => start_ms.saturating_sub(7 * time::DAY_MS),
            Baseline::Month => time::month_before(start_ms),
        };
        (start_ms, start_ms.saturating_add(length_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_with_is_as_long() {
        let at = |text: &str| time::parse(text).expect("a time");
        let (start, end) = (at("2024-03-30 10:00:00"), at("2024-03-30 12:30:00"));
        for (baseline, from, to) in [
            (Baseline::Just, "2024-03-30 07:30:00", "2024-03-30 10:00:00"),
            (Baseline::Day, "2024-03-29 10:00:00", "2024-03-29 12:30:00"),
            (Baseline::Week, "2024-03-23 10:00:00", "2024-03-23 12:30:00"),
            (Baseline::Month, "2024-02-29 10:00:00", "2024-02-29 12:30:00"),
        ] {
            assert_eq!(baseline.of(start, end), (at(from), at(to)), "{baseline:?}");
        }
        assert_eq!(
            Baseline::Month.of(at("2025-01-15"), at("2025-01-16")),
            (at("2024-12-15"), at("2024-12-16"))
        );
    }
}

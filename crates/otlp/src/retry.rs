//! What an answer means, and when to ask again. Source: OTLP specification 1.7, "OTLP/HTTP Response" and "All Others".

use std::time::{Duration, SystemTime};

/// The first wait; each further one is twice as long, and all are cut by chance so that not all who wait come back at once.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A collector may ask for a longer wait than ours, up to this one.
const ASKED_WAIT_MAX: Duration = Duration::from_secs(300);
/// What could not be delivered in this time is given up.
pub const GIVEN_UP_AFTER: Duration = Duration::from_secs(300);

/// What a status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Taken,
    /// It may be taken later.
    Later,
    /// It won't ever be.
    Never,
}

impl Verdict {
    pub fn of(status: u16) -> Verdict {
        match status {
            200..=299 => Verdict::Taken,
            429 | 502 | 503 | 504 => Verdict::Later,
            _ => Verdict::Never,
        }
    }
}

/// How long to wait after so many failed attempts (from 1). `asked` is what the collector asks for, the draw is in [0, 1).
pub fn wait(attempts: u32, asked: Option<Duration>, draw: f64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    let own = doubled.mul_f64(0.5 + draw / 2.0);
    asked.map_or(own, |asked| asked.min(ASKED_WAIT_MAX).max(own))
}

/// Reads `Retry-After`: seconds, or a date.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_taken_later_is_sent_again() {
        for (status, verdict) in [
            (200, Verdict::Taken),
            (202, Verdict::Taken),
            (301, Verdict::Never),
            (400, Verdict::Never),
            (413, Verdict::Never),
            (429, Verdict::Later),
            (500, Verdict::Never),
            (502, Verdict::Later),
            (503, Verdict::Later),
            (504, Verdict::Later),
        ] {
            assert_eq!(Verdict::of(status), verdict, "{status}");
        }
    }

    #[test]
    fn waits_grow_to_a_bound_and_a_collector_may_ask_for_longer_ones() {
        let seconds = |attempts, asked| wait(attempts, asked, 0.999_999_9).as_secs_f64().round();
        assert_eq!([1, 2, 3, 6, 1000].map(|attempts| seconds(attempts, None)), [1.0, 2.0, 4.0, 30.0, 30.0]);
        assert_eq!(wait(1, None, 0.0), FIRST_WAIT / 2);
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(
            [seconds(1, asked(7)), seconds(6, asked(7)), seconds(1, asked(u64::MAX))],
            [7.0, 30.0, 300.0]
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}

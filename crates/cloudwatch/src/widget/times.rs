//! Times as widgets give them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::invalid;
use crate::Error;
use crate::shape::milliseconds;

/// A duration's number has at most as many digits.
const DIGITS_MAX: usize = 9;

/// An ISO 8601 time, or how far from now: `-PT3H`, `-P1DT12H`, `P0D`. Milliseconds since 1970, within the calendar.
pub fn parse(text: &str, name: &str, now_ms: i64) -> Result<i64, Error> {
    let ms = match text.strip_prefix('-') {
        Some(rest) => duration_s(rest).map(|seconds| now_ms as f64 - seconds * 1000.0),
        None => duration_s(text).map(|seconds| now_ms as f64 + seconds * 1000.0),
    };
    let stamp = || {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some((at.unix_timestamp_nanos() / 1_000_000) as f64)
    };
    ms.or_else(stamp).map(|ms| milliseconds(ms / 1000.0)).ok_or_else(|| invalid(name, text))
}

/// `P`, then weeks and days, then `T` and hours, minutes, seconds, each at most once; at least one of all.
fn duration_s(text: &str) -> Option<f64> {
    let (days, clock) = match text.strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((days, clock)) => (days, clock),
        None => (text.strip_prefix('P')?, ""),
    };
    if days.is_empty() && clock.is_empty() {
        return None;
    }
    let days = sum(days, &[('W', 604_800.0), ('D', 86_400.0)])?;
    Some(days + sum(clock, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])?)
}

fn sum(mut text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut sum = 0.0;
    for (unit, seconds) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            let fits = (1..=DIGITS_MAX).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
            sum += number.parse::<f64>().ok().filter(|_| fits)? * seconds;
            text = rest;
        }
    }
    text.is_empty().then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_relative_and_whole() {
        let now_ms = 1_763_900_000_000;
        for (text, ms) in [
            ("-PT3H", now_ms - 3 * 3_600_000),
            ("PT0H", now_ms),
            ("P0D", now_ms),
            ("-P1DT12H", now_ms - 36 * 3_600_000),
            ("-P1W", now_ms - 7 * 86_400_000),
            ("-PT1H30M5S", now_ms - 5_405_000),
            ("PT15M", now_ms + 900_000),
            ("2018-12-17T06:00:00.000Z", 1_545_026_400_000),
            ("2018-12-17T06:00:00+01:00", 1_545_022_800_000),
            ("-P999999999W", -62_135_596_800_000),
        ] {
            assert_eq!(parse(text, "start", now_ms).expect(text), ms, "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "-P",
            "P1",
            "P1H",
            "PT1D",
            "PT1M1H",
            "P1DT",
            "PT1.5H",
            "P-1D",
            "1",
            "2018",
            "P1234567890D",
            "PéD",
        ] {
            assert!(parse(text, "start", now_ms).is_err(), "{text}");
        }
    }
}

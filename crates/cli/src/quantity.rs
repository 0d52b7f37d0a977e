//! Durations and shares as people write them.

use std::time::Duration;

use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    #[error("{0:?} is no duration; write a number and a unit: 500ms, 60s, 5m, 2h or 1d")]
    Duration(String),
    #[error("{0:?} is no share; write 0.005, 0.5% or 0.5pp")]
    Share(String),
    #[error("{0:?} is no percentage; write 10 or 10%")]
    Percent(String),
    #[error("{0:?} is no quantile; write p99, p99.9 or 0.99")]
    Quantile(String),
    #[error("{0:?} is no rate; write requests a second, above 0 and at most a million")]
    Rate(String),
    #[error("{0:?} limits no latency; write p99=800ms")]
    Ceiling(String),
}

const UNITS_MS: [(&str, f64); 5] =
    [("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0), ("h", 3_600_000.0), ("d", 86_400_000.0)];
/// A hundred years; more is a slip.
const DURATION_MS_MAX: f64 = 3.2e12;

/// Reads `500ms`, `60s`, `5m`, `2h`, `1d`, and several of them in a row as in `1h30m`.
pub fn duration(text: &str) -> Result<Duration, Error> {
    let wrong = || Error::Duration(text.to_owned());
    let mut rest = text.trim();
    let mut total_ms = 0.0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let (_, unit_ms) = UNITS_MS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        total_ms += number * unit_ms;
        rest = after;
    }
    if total_ms <= DURATION_MS_MAX {
        Ok(Duration::from_millis(total_ms.round() as u64))
    } else {
        Err(wrong())
    }
}

/// Reads a share of one: `0.005`, `0.5%` or `0.5pp` (percentage points).
pub fn share(text: &str) -> Result<f64, Error> {
    let wrong = || Error::Share(text.to_owned());
    let trimmed = text.trim();
    let percent = trimmed.strip_suffix("pp").or_else(|| trimmed.strip_suffix('%'));
    let value: f64 = percent.unwrap_or(trimmed).trim().parse().map_err(|_| wrong())?;
    let share = if percent.is_some() { few_decimals(value / 100.0) } else { value };
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(wrong()) }
}

/// Reads a percentage: `10` or `10%`.
pub fn percent(text: &str) -> Result<f64, Error> {
    let wrong = || Error::Percent(text.to_owned());
    let trimmed = text.trim();
    let value: f64 = trimmed.strip_suffix('%').unwrap_or(trimmed).trim().parse().map_err(|_| wrong())?;
    if (0.0..=100.0).contains(&value) { Ok(value) } else { Err(wrong()) }
}

/// Requests a second at most that are asked about.
const RATE_MAX: f64 = 1.0e6;

/// Reads a number of requests a second: `50`, `0.5`, `50/s`.
pub fn rate(text: &str) -> Result<f64, Error> {
    let wrong = || Error::Rate(text.to_owned());
    let trimmed = text.trim();
    let value: f64 = trimmed.strip_suffix("/s").unwrap_or(trimmed).trim().parse().map_err(|_| wrong())?;
    if value > 0.0 && value <= RATE_MAX { Ok(value) } else { Err(wrong()) }
}

/// Reads a quantile: `p99`, `p99.9` or `0.99`.
pub fn quantile(text: &str) -> Result<f64, Error> {
    let wrong = || Error::Quantile(text.to_owned());
    let trimmed = text.trim();
    let percent = trimmed.strip_prefix('p');
    let value: f64 = percent.unwrap_or(trimmed).parse().map_err(|_| wrong())?;
    let quantile = if percent.is_some() { few_decimals(value / 100.0) } else { value };
    if (0.0..=1.0).contains(&quantile) { Ok(quantile) } else { Err(wrong()) }
}

/// Reads a limit on a quantile of the latency: `p99=800ms`.
pub fn ceiling(text: &str) -> Result<(f64, Duration), Error> {
    let (name, limit) = text.split_once('=').ok_or_else(|| Error::Ceiling(text.to_owned()))?;
    Ok((quantile(name)?, duration(limit)?))
}

/// Division by a hundred leaves digits that nobody wrote.
fn few_decimals(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// `1h 02m`, `3m 05s`, `12.3 s`, `450 ms`.
pub fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, ms) in [
            ("500ms", 500),
            ("60s", 60_000),
            ("0.5s", 500),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "s", "5 s", "-5s", "5y", "1..5s", "999999999999d", "5sé"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_and_percentages_are_read() {
        for (text, value) in
            [("0.005", 0.005), ("0.5%", 0.005), ("0.5pp", 0.005), ("0.3 pp", 0.003), ("1", 1.0)]
        {
            assert_eq!(share(text), Ok(value), "{text}");
        }
        for (text, value) in [("10", 10.0), ("0.5%", 0.5), ("100 %", 100.0)] {
            assert_eq!(percent(text), Ok(value), "{text}");
        }
        for text in ["", "%", "-1", "101%", "NaN", "inf", "half"] {
            assert!(share(text).is_err() && percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn limits_on_latency_are_read() {
        for (text, value) in [("p99", 0.99), ("p99.9", 0.999), ("0.5", 0.5), ("p50", 0.5)] {
            assert_eq!(quantile(text), Ok(value), "{text}");
        }
        assert_eq!(ceiling("p99=800ms"), Ok((0.99, Duration::from_millis(800))));
        for text in ["", "p", "p101", "99", "-1", "pNaN"] {
            assert!(quantile(text).is_err(), "{text}");
        }
        assert_eq!((rate("50"), rate("0.5/s")), (Ok(50.0), Ok(0.5)));
        for text in ["0", "-1", "1000001", "NaN", "inf", ""] {
            assert!(rate(text).is_err(), "{text}");
        }
        for text in ["p99", "p99=", "p99=800", "=800ms", "800ms=p99"] {
            assert!(ceiling(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_said() {
        for (ms, text) in [(450, "450 ms"), (12_340, "12.3 s"), (185_000, "3m 05s"), (3_720_000, "1h 02m")] {
            assert_eq!(words(Duration::from_millis(ms)), text);
        }
    }
}

use std::fmt;

use thiserror::Error;

/// A statistic of the samples in one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stat {
    SampleCount,
    Sum,
    Average,
    Minimum,
    Maximum,
    /// `pNN.NN`, above 0 and at most 100.
    Percentile(f64),
}

/// Why a text is no statistic that is computed here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatError {
    #[error("{0} is not a statistic")]
    Malformed(String),
    #[error("statistic {0} is not supported")]
    Unsupported(String),
}

/// The names of trimmed and ranked statistics that CloudWatch has and that aren't computed here.
const UNSUPPORTED: [&str; 11] = ["tm", "tc", "ts", "wm", "TM(", "TC(", "TS(", "WM(", "PR(", "IQM", "iqm"];

impl Stat {
    /// Reads `SampleCount`, `Sum`, `Average`, `Minimum`, `Maximum` or `p0.1` to `p100` with up to ten decimals.
    /// Trimmed means, winsorized means, counts and ranks are refused by name.
    pub fn parse(text: &str) -> Result<Stat, StatError> {
        Ok(match text {
            "SampleCount" => Stat::SampleCount,
            "Sum" => Stat::Sum,
            "Average" => Stat::Average,
            "Minimum" => Stat::Minimum,
            "Maximum" => Stat::Maximum,
            _ if UNSUPPORTED.iter().any(|name| text.starts_with(name)) => {
                return Err(StatError::Unsupported(text.to_owned()));
            }
            _ => Stat::Percentile(percentile(text).ok_or_else(|| StatError::Malformed(text.to_owned()))?),
        })
    }
}

fn percentile(text: &str) -> Option<f64> {
    let number = text.strip_prefix('p')?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits =
        |part: &str, most| !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 3) || !digits(decimals, 10) {
        return None;
    }
    let rank: f64 = number.parse().ok()?;
    (rank > 0.0 && rank <= 100.0).then_some(rank)
}

impl fmt::Display for Stat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stat::SampleCount => f.write_str("SampleCount"),
            Stat::Sum => f.write_str("Sum"),
            Stat::Average => f.write_str("Average"),
            Stat::Minimum => f.write_str("Minimum"),
            Stat::Maximum => f.write_str("Maximum"),
            Stat::Percentile(rank) => write!(f, "p{rank}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_as_they_are_written() {
        for text in ["SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p99.9", "p0.1", "p100"] {
            assert_eq!(Stat::parse(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_statistic_is_refused_by_name() {
        for text in ["", "sum", "p", "p0", "p101", "p1e1", "p-1", "p5.", "p50.00000000001", "q50", "pinf"] {
            assert_eq!(Stat::parse(text), Err(StatError::Malformed(text.to_owned())));
        }
        for text in ["tm90", "IQM", "PR(:300)", "TM(10%:90%)", "wm98"] {
            assert_eq!(Stat::parse(text), Err(StatError::Unsupported(text.to_owned())));
        }
    }
}

use std::fmt;

use thiserror::Error;

mod parse;

/// A statistic of the samples in one period. Source: CloudWatch statistics definitions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stat {
    SampleCount,
    Sum,
    Average,
    Minimum,
    Maximum,
    /// `pNN.NN`, from 0 to 100.
    Percentile(f64),
    /// `tmNN`, `TM(a:b)`, `IQM`: the mean of the samples in the range.
    TrimmedMean(Range),
    /// `tcNN`, `TC(a:b)`: how many they are.
    TrimmedCount(Range),
    /// `tsNN`, `TS(a:b)`: their sum.
    TrimmedSum(Range),
    /// `wmNN`, `WM(a:b)`: the mean of all samples, where those outside count as the range's border.
    WinsorizedMean(Range),
    /// `PR(a:b)`: how many percent of the samples are in the range, which is of values.
    PercentileRank(Range),
}

/// Part of a period's samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// From and to these percentiles, 0 to 100.
    Percents { low: f64, high: f64 },
    /// Greater than the one, where there is one, and at most the other.
    Values { above: Option<f64>, up_to: Option<f64> },
}

/// Why a text is no statistic.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatError {
    #[error("{0} is not a statistic")]
    Malformed(String),
}

impl Stat {
    /// Reads a statistic as CloudWatch writes it, with numbers of up to ten decimals.
    pub fn parse(text: &str) -> Result<Stat, StatError> {
        parse::stat(text).ok_or_else(|| StatError::Malformed(text.to_owned()))
    }

    /// Whether it goes by the distribution of samples: CloudWatch's ExtendedStatistics.
    pub fn is_extended(self) -> bool {
        !matches!(self, Stat::SampleCount | Stat::Sum | Stat::Average | Stat::Minimum | Stat::Maximum)
    }
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
            Stat::TrimmedMean(range) => write!(f, "TM({range})"),
            Stat::TrimmedCount(range) => write!(f, "TC({range})"),
            Stat::TrimmedSum(range) => write!(f, "TS({range})"),
            Stat::WinsorizedMean(range) => write!(f, "WM({range})"),
            Stat::PercentileRank(range) => write!(f, "PR({range})"),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Range::Percents { low, high } => write!(f, "{low}%:{high}%"),
            Range::Values { above, up_to } => {
                let text = |bound: &Option<f64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
                write!(f, "{}:{}", text(above), text(up_to))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_as_they_are_written() {
        for text in
            ["SampleCount", "Sum", "Average", "Minimum", "Maximum", "p0", "p50", "p99.9", "p0.1", "p100"]
        {
            assert_eq!(Stat::parse(text).expect(text).to_string(), text);
        }
        for (text, whole) in [
            ("tm90", "TM(0%:90%)"),
            ("tc99.5", "TC(0%:99.5%)"),
            ("ts1", "TS(0%:1%)"),
            ("wm98", "WM(0%:98%)"),
            ("IQM", "TM(25%:75%)"),
            ("TM(10%:90%)", "TM(10%:90%)"),
            ("TM(:95%)", "TM(0%:95%)"),
            ("TM(5%:)", "TM(5%:100%)"),
            ("TC(0.005:0.030)", "TC(0.005:0.03)"),
            ("TS(80:)", "TS(80:)"),
            ("WM(:500)", "WM(:500)"),
            ("PR(:300)", "PR(:300)"),
            ("PR(100:2000)", "PR(100:2000)"),
        ] {
            let stat = Stat::parse(text).expect(text);
            assert_eq!(stat.to_string(), whole);
            assert_eq!(Stat::parse(whole), Ok(stat));
            assert!(stat.is_extended());
        }
        assert!(!Stat::Maximum.is_extended());
    }

    #[test]
    fn what_is_no_statistic_is_refused() {
        for text in [
            "",
            "sum",
            "p",
            "p101",
            "p1e1",
            "p-1",
            "p5.",
            "p50.00000000001",
            "q50",
            "pinf",
            "tm",
            "tm101",
            "TM90",
            "TM",
            "TM()",
            "TM(:)",
            "TM(90)",
            "TM(90%:10%)",
            "TM(50%:50%)",
            "TM(10%:90)",
            "TM(1:2:3)",
            "TM(:101%)",
            "TM(-1:2)",
            "TM(:1e3)",
            "PR(10%:90%)",
            "PR(:)",
            "PR90",
            "iqm",
            "TM(1:2",
            "TM (1:2)",
            "é",
            "PR(:é)",
        ] {
            assert_eq!(Stat::parse(text), Err(StatError::Malformed(text.to_owned())));
        }
    }
}

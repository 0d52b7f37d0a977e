//! What PutMetricData brings, made into samples.

use pitbird_telemetry::metrics::{Datum, Resolution, Samples, Unit};
use serde::Deserialize;

use crate::Error;
use crate::shape::{Dimension, dimensions, milliseconds};

/// Different values of one datum. Source: PutMetricData.
const VALUES_MAX: usize = 150;
/// A value's largest magnitude, 2^360. Source: MetricDatum.
const EXPONENT_MAX: f64 = 360.0;
/// How far a datum's time may lie back and ahead, milliseconds. Source: MetricDatum.
const OLD_MS: i64 = 14 * 86_400_000;
const NEW_MS: i64 = 2 * 3_600_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricDatum {
    metric_name: String,
    dimensions: Option<Vec<Dimension>>,
    timestamp: Option<f64>,
    value: Option<f64>,
    statistic_values: Option<StatisticSet>,
    values: Option<Vec<f64>>,
    counts: Option<Vec<f64>>,
    unit: Option<String>,
    storage_resolution: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatisticSet {
    sample_count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
}

impl MetricDatum {
    /// Checks and converts; `at` says where it stands in the input: `MetricData.member.1`.
    pub fn parse(self, at: &str, now_ms: i64) -> Result<Datum, Error> {
        let at_ms = self.timestamp.map_or(now_ms, milliseconds);
        if at_ms < now_ms - OLD_MS {
            return Err(Error::TooOld(at.to_owned()));
        }
        if at_ms > now_ms + NEW_MS {
            return Err(Error::TooNew(at.to_owned()));
        }
        let resolution = match self.storage_resolution {
            None | Some(60) => Resolution::Minute,
            Some(1) => Resolution::Second,
            Some(other) => return Err(Error::value(format!("{at}.StorageResolution"), other)),
        };
        let unit = match self.unit {
            None => Unit::None,
            Some(text) => Unit::parse(&text).ok_or_else(|| Error::value(format!("{at}.Unit"), text))?,
        };
        check_text(&format!("{at}.MetricName"), &self.metric_name)?;
        for (place, Dimension { name, value }) in self.dimensions.iter().flatten().enumerate() {
            let at = format!("{at}.Dimensions.member.{}", place + 1);
            check_dimension(&format!("{at}.Name"), name)?;
            check_dimension(&format!("{at}.Value"), value)?;
            if name.starts_with(':') {
                return Err(Error::value(format!("{at}.Name"), name));
            }
        }
        Ok(Datum {
            dimensions: dimensions(self.dimensions, &format!("{at}.Dimensions"))?,
            unit,
            at_ms,
            resolution,
            samples: samples(at, self.value, self.statistic_values, self.values, self.counts)?,
            name: self.metric_name,
        })
    }
}

/// Checks a namespace that a customer puts into: letters, digits, `.-_/#:` and spaces; not AWS's own. Source: MetricDatum, PutMetricData.
pub fn check_namespace(namespace: &str) -> Result<(), Error> {
    if namespace.starts_with("AWS/") {
        return Err(Error::value("Namespace", "AWS/"));
    }
    let is_fit = |c: char| c.is_ascii_alphanumeric() || ".-_/#: ".contains(c);
    let fits = namespace.chars().all(is_fit) && !namespace.starts_with(':') && !namespace.trim().is_empty();
    if fits { Ok(()) } else { Err(Error::value("Namespace", namespace)) }
}

/// Something to be seen, and no control characters.
fn check_text(parameter: &str, text: &str) -> Result<(), Error> {
    let fits = !text.trim().is_empty() && !text.contains(char::is_control);
    if fits { Ok(()) } else { Err(Error::value(parameter, text)) }
}

/// ASCII only. Source: Dimension.
fn check_dimension(parameter: &str, text: &str) -> Result<(), Error> {
    if !text.is_ascii() {
        return Err(Error::NotAscii { parameter: parameter.to_owned(), value: text.to_owned() });
    }
    check_text(parameter, text)
}

fn samples(
    at: &str,
    value: Option<f64>,
    set: Option<StatisticSet>,
    values: Option<Vec<f64>>,
    counts: Option<Vec<f64>>,
) -> Result<Samples, Error> {
    let values = values.filter(|values| !values.is_empty());
    if values.is_none() && counts.as_ref().is_some_and(|counts| !counts.is_empty()) {
        return Err(Error::Counts(at.to_owned()));
    }
    let both = |one: &str, other: &str| {
        Err(Error::Exclusive { one: format!("{at}.{one}"), other: format!("{at}.{other}") })
    };
    match (value, values, set) {
        (Some(_), Some(_), _) => both("Value", "Values"),
        (Some(_), _, Some(_)) => both("Value", "StatisticValues"),
        (_, Some(_), Some(_)) => both("Values", "StatisticValues"),
        (None, None, None) => Err(Error::NoSamples),
        (Some(value), None, None) => Ok(Samples::Values(vec![(number(at, "Value", value)?, 1.0)])),
        (None, Some(values), None) => counted(at, values, counts),
        (None, None, Some(set)) => statistic_set(&format!("{at}.StatisticValues"), &set),
    }
}

fn counted(at: &str, values: Vec<f64>, counts: Option<Vec<f64>>) -> Result<Samples, Error> {
    if values.len() > VALUES_MAX {
        return Err(Error::TooMany { parameter: format!("{at}.Values"), limit: VALUES_MAX });
    }
    let counts = counts.filter(|counts| !counts.is_empty()).unwrap_or_else(|| vec![1.0; values.len()]);
    if counts.len() != values.len() {
        return Err(Error::Counts(at.to_owned()));
    }
    let pair = |(value, count)| Ok((number(at, "Values", value)?, amount(at, "Counts", count)?));
    Ok(Samples::Values(values.into_iter().zip(counts).map(pair).collect::<Result<_, Error>>()?))
}

fn statistic_set(at: &str, set: &StatisticSet) -> Result<Samples, Error> {
    let count = amount(at, "SampleCount", set.sample_count)?;
    let sum = number(at, "Sum", set.sum)?;
    let (min, max) = (number(at, "Minimum", set.minimum)?, number(at, "Maximum", set.maximum)?);
    if min > max {
        return Err(Error::Extremes(at.to_owned()));
    }
    Ok(Samples::Set { count, sum, min, max })
}

fn number(at: &str, member: &str, value: f64) -> Result<f64, Error> {
    // A comparison that NaN fails.
    let fits = value.abs() <= EXPONENT_MAX.exp2();
    if fits { Ok(value) } else { Err(Error::value(format!("{at}.{member}"), format!("{value:?}"))) }
}

fn amount(at: &str, member: &str, count: f64) -> Result<f64, Error> {
    let count = number(at, member, count)?;
    if count > 0.0 { Ok(count) } else { Err(Error::value(format!("{at}.{member}"), format!("{count:?}"))) }
}

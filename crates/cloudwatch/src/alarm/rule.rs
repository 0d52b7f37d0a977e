//! What may be set on an alarm.

use pitbird_names::Scope;
use pitbird_records::alarm::AlarmRule;
use pitbird_telemetry::alarm::{Comparison, LowSamples, MissingData, Rule};
use pitbird_telemetry::metrics::{Metric, Stat, Unit};
use serde_json::{Value as Json, json};

use crate::Error;
use crate::shape::{self, Dimension, dimensions};

/// How far back an evaluation may look, seconds; a week where a period is an hour or longer. Source: PutMetricAlarm.
const DAY_S: u64 = 86_400;
const WEEK_S: u64 = 7 * DAY_S;
const HOUR_S: u32 = 3600;

/// A rule as a caller gives it.
#[derive(Debug, Default)]
pub struct Given {
    pub namespace: Option<String>,
    pub metric: Option<String>,
    pub dimensions: Option<Vec<Dimension>>,
    pub statistic: Option<String>,
    pub extended_statistic: Option<String>,
    pub unit: Option<String>,
    pub period_s: Option<u32>,
    pub evaluation_periods: Option<u32>,
    pub datapoints_to_alarm: Option<u32>,
    pub threshold: Option<f64>,
    pub comparison: Option<String>,
    pub treat_missing_data: Option<String>,
    pub low_samples: Option<String>,
}

/// Checks a rule: afterwards it is [`evaluable`].
pub fn parse(given: Given) -> Result<AlarmRule, Error> {
    let invalid = |words: &str| Error::Invalid(words.to_owned());
    let missing = |name: &str| Error::Invalid(format!("{name} must be specified."));
    dimensions(given.dimensions.clone(), "Dimensions")?;
    let pairs = given.dimensions.unwrap_or_default().into_iter().map(|one| (one.name, one.value));
    let rule = AlarmRule {
        namespace: given.namespace.ok_or_else(|| missing("Namespace"))?,
        metric: given.metric.ok_or_else(|| missing("MetricName"))?,
        dimensions: pairs.collect(),
        statistic: statistic(given.statistic, given.extended_statistic)?,
        unit: given.unit,
        period_s: given.period_s.ok_or_else(|| missing("Period"))?,
        evaluation_periods: given.evaluation_periods.ok_or_else(|| missing("EvaluationPeriods"))?,
        datapoints_to_alarm: given.datapoints_to_alarm,
        threshold: given.threshold.ok_or_else(|| missing("Threshold"))?,
        comparison: given.comparison.ok_or_else(|| missing("ComparisonOperator"))?,
        treat_missing_data: given.treat_missing_data,
        low_samples: given.low_samples,
    };
    check_words(&rule)?;
    check_times(&rule)?;
    if !rule.threshold.is_finite() {
        return Err(invalid("Threshold must be a finite number."));
    }
    Ok(rule)
}

fn statistic(statistic: Option<String>, extended: Option<String>) -> Result<String, Error> {
    match (statistic, extended) {
        (Some(_), Some(_)) => {
            Err(Error::Invalid("Statistic and ExtendedStatistic are mutually exclusive.".to_owned()))
        }
        (None, None) => {
            Err(Error::Invalid("Either Statistic or ExtendedStatistic must be specified.".to_owned()))
        }
        (Some(statistic), None) => Ok(statistic),
        (None, Some(extended)) => match Stat::parse(&extended) {
            Ok(Stat::Percentile(_)) => Ok(extended),
            Ok(stat) if stat.is_extended() => {
                Err(Error::unsupported(format!("ExtendedStatistic {extended}")))
            }
            Ok(_) => Err(Error::value("ExtendedStatistic", extended).into_invalid()),
            Err(error) => Err(Error::statistic("ExtendedStatistic", error).into_invalid()),
        },
    }
}

fn check_words(rule: &AlarmRule) -> Result<(), Error> {
    if Comparison::parse(&rule.comparison).is_none() {
        return Err(Error::unsupported(format!("ComparisonOperator {}", rule.comparison)));
    }
    let missing_data = rule.treat_missing_data.as_deref();
    if let Some(other) = missing_data.filter(|text| MissingData::parse(text).is_none()) {
        return Err(Error::Invalid(format!(
            "The value {other} is not supported for TreatMissingData parameter. Supported values are [breaching, \
             notBreaching, ignore, missing]."
        )));
    }
    if let Some(other) = rule.low_samples.as_deref().filter(|text| LowSamples::parse(text).is_none()) {
        return Err(Error::Invalid(format!(
            "Option {other} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are \
             evaluate and ignore."
        )));
    }
    match &rule.unit {
        Some(unit) if Unit::parse(unit).is_none() => Err(Error::value("Unit", unit).into_invalid()),
        _ => Ok(()),
    }
}

fn check_times(rule: &AlarmRule) -> Result<(), Error> {
    let period_s = rule.period_s;
    let is_whole = period_s > 0 && period_s.is_multiple_of(60) && u64::from(period_s) <= DAY_S;
    if !matches!(period_s, 10 | 20 | 30) && !is_whole {
        return Err(Error::Invalid(
            "Period must be 10, 20, 30 or a multiple of 60, and at most 86400.".to_owned(),
        ));
    }
    let (what, limit_s) = if period_s >= HOUR_S { ("a week", WEEK_S) } else { ("a day", DAY_S) };
    if u64::from(rule.evaluation_periods) * u64::from(period_s) > limit_s {
        return Err(Error::Invalid(format!(
            "Metrics cannot be checked across more than {what} (EvaluationPeriods * Period must be <= {limit_s})."
        )));
    }
    if rule.evaluation_periods == 0 {
        return Err(Error::Invalid("EvaluationPeriods must be at least 1.".to_owned()));
    }
    if rule.datapoints_to_alarm.is_some_and(|needed| needed == 0 || needed > rule.evaluation_periods) {
        return Err(Error::Invalid(
            "DatapointsToAlarm must be at least 1 and not greater than EvaluationPeriods.".to_owned(),
        ));
    }
    Ok(())
}

/// The rule as telemetry evaluates it; `None` only where a record was damaged.
pub fn evaluable(rule: &AlarmRule) -> Option<Rule> {
    Some(Rule {
        stat: Stat::parse(&rule.statistic).ok()?,
        unit: match &rule.unit {
            Some(text) => Some(Unit::parse(text)?),
            None => None,
        },
        period_s: rule.period_s,
        evaluation_periods: rule.evaluation_periods,
        datapoints_to_alarm: rule.datapoints_to_alarm,
        threshold: rule.threshold,
        comparison: Comparison::parse(&rule.comparison)?,
        missing_data: match &rule.treat_missing_data {
            Some(text) => MissingData::parse(text)?,
            None => MissingData::Missing,
        },
        low_samples: match &rule.low_samples {
            Some(text) => LowSamples::parse(text)?,
            None => LowSamples::Evaluate,
        },
    })
}

/// What the history tells of a rule.
pub fn configuration(rule: &AlarmRule) -> Json {
    let dimensions = rule.dimensions.iter().map(|(name, value)| json!({"name": name, "value": value}));
    let (statistic, extended) = shape::statistics(rule);
    json!({
        "namespace": rule.namespace,
        "metricName": rule.metric,
        "dimensions": dimensions.collect::<Vec<_>>(),
        "statistic": statistic,
        "extendedStatistic": extended,
        "period": rule.period_s,
        "unit": rule.unit,
        "evaluationPeriods": rule.evaluation_periods,
        "datapointsToAlarm": rule.datapoints_to_alarm,
        "threshold": rule.threshold,
        "comparisonOperator": rule.comparison,
        "treatMissingData": rule.treat_missing_data,
        "evaluateLowSampleCountPercentile": rule.low_samples,
    })
}

/// The metric that a rule watches.
pub fn metric(rule: &AlarmRule, scope: &Scope) -> Metric {
    Metric {
        scope: scope.clone(),
        namespace: rule.namespace.clone(),
        name: rule.metric.clone(),
        dimensions: rule.dimensions.iter().cloned().collect(),
    }
}

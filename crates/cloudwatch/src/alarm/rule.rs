//! What may be set on an alarm.

use pitbird_names::Scope;
use pitbird_records::alarm::{AlarmQuery, AlarmRule, MetricStatistic, Watched};
use pitbird_telemetry::alarm::{LowSamples, MissingData, Rule};
use pitbird_telemetry::metrics::{Metric, Stat, Unit};
use serde_json::{Value as Json, json};

use super::{band, event};
use crate::Error;
use crate::query::{Identity, MetricDataQuery, MetricStat, Plan};
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
    pub queries: Option<Vec<MetricDataQuery>>,
    pub evaluation_periods: Option<u32>,
    pub datapoints_to_alarm: Option<u32>,
    pub threshold: Option<f64>,
    pub threshold_metric: Option<String>,
    pub comparison: Option<String>,
    pub treat_missing_data: Option<String>,
    pub low_samples: Option<String>,
}

/// Checks a rule: afterwards it is [`evaluable`].
pub fn parse(mut given: Given, scope: &Scope) -> Result<AlarmRule, Error> {
    let missing = |name: &str| Error::Invalid(format!("{name} must be specified."));
    band::check(&given, scope)?;
    let watched = match given.queries.take() {
        Some(queries) => queries_of(&given, queries, scope)?,
        None => Watched::Metric(metric_of(&mut given)?),
    };
    let rule = AlarmRule {
        watched,
        evaluation_periods: given.evaluation_periods.ok_or_else(|| missing("EvaluationPeriods"))?,
        datapoints_to_alarm: given.datapoints_to_alarm,
        threshold: given.threshold,
        threshold_metric: given.threshold_metric,
        comparison: given.comparison.ok_or_else(|| missing("ComparisonOperator"))?,
        treat_missing_data: given.treat_missing_data,
        low_samples: given.low_samples,
    };
    check_words(&rule)?;
    check_times(&rule, scope)?;
    if rule.threshold.is_some_and(|threshold| !threshold.is_finite()) {
        return Err(Error::Invalid("Threshold must be a finite number.".to_owned()));
    }
    Ok(rule)
}

fn metric_of(given: &mut Given) -> Result<MetricStatistic, Error> {
    let missing = |name: &str| Error::Invalid(format!("{name} must be specified."));
    dimensions(given.dimensions.clone(), "Dimensions")?;
    let pairs = given.dimensions.take().unwrap_or_default().into_iter().map(|one| (one.name, one.value));
    Ok(MetricStatistic {
        namespace: given.namespace.take().ok_or_else(|| missing("Namespace"))?,
        metric: given.metric.take().ok_or_else(|| missing("MetricName"))?,
        dimensions: pairs.collect(),
        statistic: statistic(given.statistic.take(), given.extended_statistic.take())?,
        unit: given.unit.take(),
        period_s: given.period_s.ok_or_else(|| missing("Period"))?,
    })
}

/// Metric math: exactly one of the queries returns data, and nothing else says what is watched.
fn queries_of(given: &Given, queries: Vec<MetricDataQuery>, scope: &Scope) -> Result<Watched, Error> {
    let others = [
        ("MetricName", given.metric.is_some()),
        ("Namespace", given.namespace.is_some()),
        ("Dimensions", given.dimensions.as_ref().is_some_and(|given| !given.is_empty())),
        ("Period", given.period_s.is_some()),
        ("Unit", given.unit.is_some()),
        ("Statistic", given.statistic.is_some()),
        ("ExtendedStatistic", given.extended_statistic.is_some()),
        ("EvaluateLowSampleCountPercentile", given.low_samples.is_some()),
    ];
    if let Some((name, _)) = others.iter().find(|(_, is_given)| *is_given) {
        return Err(Error::Invalid(format!("Metrics and {name} are mutually exclusive.")));
    }
    band::check_series(&Plan::parse(&queries, scope).map_err(Error::into_invalid)?, given)?;
    let is_returned = |query: &&MetricDataQuery| query.return_data.unwrap_or(true);
    // A band's queries have been looked at already.
    if given.threshold_metric.is_none() && queries.iter().filter(is_returned).count() != 1 {
        let words = "Exactly one element of the metrics list should return data.";
        return Err(Error::Invalid(words.to_owned()));
    }
    Ok(Watched::Queries { queries: queries.into_iter().map(AlarmQuery::from).collect() })
}

impl From<MetricDataQuery> for AlarmQuery {
    fn from(query: MetricDataQuery) -> AlarmQuery {
        let statistic = query.metric_stat.map(|stat| MetricStatistic {
            namespace: stat.metric.namespace.unwrap_or_default(),
            metric: stat.metric.metric_name.unwrap_or_default(),
            dimensions: stat
                .metric
                .dimensions
                .unwrap_or_default()
                .into_iter()
                .map(|one| (one.name, one.value))
                .collect(),
            statistic: stat.stat,
            unit: stat.unit,
            period_s: stat.period,
        });
        AlarmQuery {
            id: query.id,
            statistic,
            expression: query.expression,
            label: query.label,
            return_data: query.return_data,
            period_s: query.period,
            account: query.account_id,
        }
    }
}

impl From<&AlarmQuery> for MetricDataQuery {
    fn from(query: &AlarmQuery) -> MetricDataQuery {
        let metric_stat = query.statistic.as_ref().map(|stat| MetricStat {
            metric: Identity {
                namespace: Some(stat.namespace.clone()),
                metric_name: Some(stat.metric.clone()),
                dimensions: Some(shape::pairs(&stat.dimensions)),
            },
            period: stat.period_s,
            stat: stat.statistic.clone(),
            unit: stat.unit.clone(),
        });
        MetricDataQuery {
            id: query.id.clone(),
            metric_stat,
            expression: query.expression.clone(),
            label: query.label.clone(),
            return_data: query.return_data,
            period: query.period_s,
            account_id: query.account.clone(),
        }
    }
}

/// The queries of an alarm of metric math, ready to be evaluated.
pub fn plan(queries: &[AlarmQuery], scope: &Scope) -> Result<Plan, Error> {
    let queries: Vec<MetricDataQuery> = queries.iter().map(MetricDataQuery::from).collect();
    Plan::parse(&queries, scope)
}

/// The period of the datapoints that a rule judges, seconds.
fn period_of(watched: &Watched, scope: &Scope) -> Option<u32> {
    match watched {
        Watched::Metric(metric) => Some(metric.period_s),
        Watched::Queries { queries } => plan(queries, scope).ok()?.returned_period(),
    }
}

/// Is a rule to be judged more often than each minute?
pub fn is_high_resolution(rule: &AlarmRule) -> bool {
    match &rule.watched {
        Watched::Metric(metric) => metric.period_s < 60,
        Watched::Queries { queries } => {
            let periods =
                queries.iter().filter_map(|query| query.statistic.as_ref().map(|stat| stat.period_s));
            periods.chain(queries.iter().filter_map(|query| query.period_s)).any(|period_s| period_s < 60)
        }
    }
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
            Ok(stat) if stat.is_extended() => Ok(extended),
            Ok(_) => Err(Error::value("ExtendedStatistic", extended).into_invalid()),
            Err(error) => Err(Error::statistic("ExtendedStatistic", error).into_invalid()),
        },
    }
}

fn check_words(rule: &AlarmRule) -> Result<(), Error> {
    if band::threshold(rule).is_none() {
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
    match &rule.watched {
        Watched::Metric(MetricStatistic { unit: Some(unit), .. }) if Unit::parse(unit).is_none() => {
            Err(Error::value("Unit", unit).into_invalid())
        }
        _ => Ok(()),
    }
}

fn check_times(rule: &AlarmRule, scope: &Scope) -> Result<(), Error> {
    let period_s = period_of(&rule.watched, scope).unwrap_or_default();
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
pub fn evaluable(rule: &AlarmRule, scope: &Scope) -> Option<Rule> {
    let (stat, stat_text, unit) = match &rule.watched {
        Watched::Metric(metric) => {
            let unit = metric.unit.as_deref().map(|text| Unit::parse(text).ok_or(()));
            let stat = Stat::parse(&metric.statistic).ok()?;
            (Some(stat), Some(metric.statistic.clone()), unit.transpose().ok()?)
        }
        Watched::Queries { .. } => (None, None, None),
    };
    Some(Rule {
        stat,
        stat_text,
        unit,
        period_s: period_of(&rule.watched, scope)?,
        evaluation_periods: rule.evaluation_periods,
        datapoints_to_alarm: rule.datapoints_to_alarm,
        threshold: band::threshold(rule)?,
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
    let mut json = json!({
        "evaluationPeriods": rule.evaluation_periods,
        "datapointsToAlarm": rule.datapoints_to_alarm,
        "threshold": rule.threshold,
        "thresholdMetricId": rule.threshold_metric,
        "comparisonOperator": rule.comparison,
        "treatMissingData": rule.treat_missing_data,
        "evaluateLowSampleCountPercentile": rule.low_samples,
    });
    let watched = match &rule.watched {
        Watched::Metric(metric) => {
            let (statistic, extended) = shape::statistics(&metric.statistic);
            let dimensions =
                metric.dimensions.iter().map(|(name, value)| json!({"name": name, "value": value}));
            json!({
                "namespace": metric.namespace,
                "metricName": metric.metric,
                "dimensions": dimensions.collect::<Vec<_>>(),
                "statistic": statistic,
                "extendedStatistic": extended,
                "period": metric.period_s,
                "unit": metric.unit,
            })
        }
        Watched::Queries { queries } => json!({"metrics": event::metrics(queries)}),
    };
    if let (Json::Object(members), Json::Object(more)) = (&mut json, watched) {
        members.extend(more);
    }
    json
}

/// The metric of a statistic.
pub fn metric(stat: &MetricStatistic, scope: &Scope) -> Metric {
    Metric {
        scope: scope.clone(),
        namespace: stat.namespace.clone(),
        name: stat.metric.clone(),
        dimensions: stat.dimensions.iter().cloned().collect(),
    }
}

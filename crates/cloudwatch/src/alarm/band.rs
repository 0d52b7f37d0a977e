//! Thresholds: a number, or a band of what is expected, which one of the alarm's queries gives.
//!
//! Source: PutMetricAlarm (`ThresholdMetricId`).

use pitbird_names::Scope;
use pitbird_records::AnomalyDetector;
use pitbird_records::alarm::{AlarmRule, Watched};
use pitbird_telemetry::alarm::{Comparison, Outside, Threshold};

use super::Given;
use super::rule::plan;
use crate::query::{Banded, MetricDataQuery, Plan};
use crate::{Error, anomaly};

/// The threshold of a rule; `None` where comparison and threshold aren't of a kind.
pub fn threshold(rule: &AlarmRule) -> Option<Threshold> {
    match (&rule.threshold_metric, rule.threshold) {
        (Some(_), None) => Some(Threshold::Band(Outside::parse(&rule.comparison)?)),
        (None, Some(threshold)) => Some(Threshold::Static(Comparison::parse(&rule.comparison)?, threshold)),
        _ => None,
    }
}

/// A threshold must be one or the other, with a comparison of its kind; a band must be that of the other query that returns data.
pub fn check(given: &Given, scope: &Scope) -> Result<(), Error> {
    let invalid = |words: String| Err(Error::Invalid(words));
    let comparison = given.comparison.as_deref().unwrap_or_default();
    let is_band = Outside::parse(comparison).is_some();
    let Some(id) = &given.threshold_metric else {
        return match given.threshold {
            _ if is_band => invalid(format!("ThresholdMetricId must be specified with {comparison}.")),
            None => invalid("Threshold must be specified.".to_owned()),
            Some(_) => Ok(()),
        };
    };
    if given.threshold.is_some() {
        return invalid("Threshold and ThresholdMetricId are mutually exclusive.".to_owned());
    }
    if !is_band && given.comparison.is_some() {
        return invalid(format!("ComparisonOperator {comparison} can't be used with ThresholdMetricId."));
    }
    let Some(queries) = &given.queries else {
        return invalid("Metrics must be specified with ThresholdMetricId.".to_owned());
    };
    check_queries(queries, id, scope)
}

fn check_queries(queries: &[MetricDataQuery], id: &str, scope: &Scope) -> Result<(), Error> {
    let plan = Plan::parse(queries, scope).map_err(Error::into_invalid)?;
    let Some(Banded { of, by }) = plan.banded(id) else {
        let words = format!("ThresholdMetricId {id} must be the id of an ANOMALY_DETECTION_BAND expression.");
        return Err(Error::Invalid(words));
    };
    let mut expected = [of, by];
    expected.sort_unstable();
    if plan.returned() != expected {
        let words = "Exactly two elements of the metrics list should return data: the ANOMALY_DETECTION_BAND expression \
                     and the metric that it is of.";
        return Err(Error::Invalid(words.to_owned()));
    }
    Ok(())
}

/// What is judged is one series: the query that returns data, but for the band.
pub fn check_series(plan: &Plan, given: &Given) -> Result<(), Error> {
    let band = given.threshold_metric.as_deref().and_then(|id| plan.banded(id));
    let judged = plan.returned().into_iter().filter(|place| band.is_none_or(|band| band.by != *place));
    match judged.into_iter().any(|place| plan.gives_several(place)) {
        true => Err(Error::unsupported("An alarm on more than one time series")),
        false => Ok(()),
    }
}

/// The models that a rule's bands need.
pub fn detectors(rule: &AlarmRule, scope: &Scope, now_ms: i64) -> Result<Vec<AnomalyDetector>, Error> {
    match &rule.watched {
        Watched::Metric(_) => Ok(Vec::new()),
        Watched::Queries { queries } => anomaly::of_plan(&plan(queries, scope)?, queries, scope, now_ms),
    }
}

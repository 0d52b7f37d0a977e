//! Sums by minutes, and the states of alarms.

use std::collections::BTreeMap;
use std::ops::Range;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, Metric, MetricDataQuery, MetricStat, StateValue};
use pitbird_rollout::{Alarm, AlarmState};

use super::{Cloud, Fault};
use crate::minutes::{Minute, Sums};
use crate::target::{AliasTarget, Target};

/// Pages of an answer at most.
const PAGES_MAX: usize = 20;

/// What is asked for, in the order of the queries' ids: requests and failures of all, then of the canary.
struct Series {
    namespace: &'static str,
    requests: &'static str,
    failures: &'static str,
    all: Vec<(&'static str, String)>,
    canary: Vec<(&'static str, String)>,
}

impl Series {
    /// Of a stage or an alias, or of each alias of several.
    fn of(target: &Target) -> Vec<Series> {
        match target {
            // The series of the stage has the canary's requests as well.
            Target::Stage(target) => {
                let of = |stage: String| vec![("ApiName", target.api_name.clone()), ("Stage", stage)];
                vec![Series {
                    namespace: "AWS/ApiGateway",
                    requests: "Count",
                    failures: "5XXError",
                    all: of(target.stage.clone()),
                    canary: of(format!("{}/Canary", target.stage)),
                }]
            }
            Target::Alias(target) => vec![Series::of_alias(target)],
            Target::Aliases(targets) => targets.iter().map(Series::of_alias).collect(),
        }
    }

    fn of_alias(target: &AliasTarget) -> Series {
        let resource = format!("{}:{}", target.function_name, target.alias);
        let all = vec![("FunctionName", target.function_name.clone()), ("Resource", resource)];
        let executed = [("ExecutedVersion", target.canary.clone())];
        let canary = all.iter().cloned().chain(executed).collect();
        Series { namespace: "AWS/Lambda", requests: "Invocations", failures: "Errors", all, canary }
    }

    /// `at` is its place among those that are asked for at once, and the end of its queries' ids.
    fn queries(&self, at: usize) -> Vec<MetricDataQuery> {
        let query = |id: &str, name: &str, dimensions: &[(&'static str, String)]| {
            let dimension =
                |(name, value): &(&str, String)| Dimension::builder().name(*name).value(value).build();
            let metric = Metric::builder()
                .namespace(self.namespace)
                .metric_name(name)
                .set_dimensions(Some(dimensions.iter().map(dimension).collect()))
                .build();
            let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
            MetricDataQuery::builder().id(format!("{id}_{at}")).metric_stat(stat).return_data(true).build()
        };
        vec![
            query("all_requests", self.requests, &self.all),
            query("all_failures", self.failures, &self.all),
            query("canary_requests", self.requests, &self.canary),
            query("canary_failures", self.failures, &self.canary),
        ]
    }
}

fn sums<'m>(minute: &'m mut Minute, id: &str) -> Option<&'m mut u64> {
    let Minute { all, canary } = minute;
    let of = |sums: &'m mut Sums, is_failures: bool| {
        if is_failures { &mut sums.failures } else { &mut sums.requests }
    };
    match id {
        "all_requests" | "all_failures" => Some(of(all, id == "all_failures")),
        "canary_requests" | "canary_failures" => Some(of(canary, id == "canary_failures")),
        _ => None,
    }
}

impl Cloud {
    /// The minutes of a stretch of time that anything was counted in: of a stage or an alias, or of each alias of several.
    pub async fn minutes(
        &self,
        target: &Target,
        wanted: Range<u64>,
    ) -> Result<Vec<BTreeMap<u64, Minute>>, Fault> {
        let series = Series::of(target);
        let mut minutes: Vec<BTreeMap<u64, Minute>> = vec![BTreeMap::new(); series.len()];
        if wanted.is_empty() {
            return Ok(minutes);
        }
        // Of fifty aliases they are 200; CloudWatch takes 500.
        let queries: Vec<_> = series.iter().enumerate().flat_map(|(at, series)| series.queries(at)).collect();
        let time = |ms: u64| DateTime::from_secs((ms / 1000) as i64);
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let call =
                self.metrics.get_metric_data().start_time(time(wanted.start)).end_time(time(wanted.end));
            let call = call.set_metric_data_queries(Some(queries.clone())).set_next_token(token);
            let page = call.send().await.map_err(|error| Fault::new("cloudwatch:GetMetricData", error))?;
            for result in page.metric_data_results() {
                let id = result.id().and_then(|id| id.rsplit_once('_'));
                let Some((id, minutes)) =
                    id.and_then(|(id, at)| Some((id, minutes.get_mut(at.parse::<usize>().ok()?)?)))
                else {
                    continue;
                };
                for (at, value) in result.timestamps().iter().zip(result.values()) {
                    let at_ms = at.secs().unsigned_abs() * 1000;
                    let minute = minutes.entry(at_ms).or_default();
                    if let Some(sum) = sums(minute, id) {
                        *sum += value.round().max(0.0) as u64;
                    }
                }
            }
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(minutes)
    }

    /// The alarms of these names that there are.
    pub async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, Fault> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let types = vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm];
        let call =
            self.metrics.describe_alarms().set_alarm_names(Some(names.to_vec())).set_alarm_types(Some(types));
        let found = call.send().await.map_err(|error| Fault::new("cloudwatch:DescribeAlarms", error))?;
        let alarm = |name: Option<&str>, value: Option<&StateValue>| {
            let state = match value {
                Some(StateValue::Ok) => AlarmState::Ok,
                Some(StateValue::Alarm) => AlarmState::Alarm,
                Some(StateValue::InsufficientData) => AlarmState::InsufficientData,
                // A state that isn't known is as good as none.
                _ => return None,
            };
            Some(Alarm { name: name?.to_owned(), state })
        };
        let metric = found.metric_alarms().iter().map(|found| alarm(found.alarm_name(), found.state_value()));
        let composite =
            found.composite_alarms().iter().map(|found| alarm(found.alarm_name(), found.state_value()));
        Ok(metric.chain(composite).flatten().collect())
    }
}

//! What metrics say of both arms: in which series they are, and what is told of them. Pure.
//!
//! An alias' versions have series of their own. A stage's series has both arms, as on AWS, and a second one the canary alone: the base is
//! what is left of the one without the other, bucket by bucket of the samples' distribution. Should the two not be of the same moment,
//! nothing becomes less than nothing. APIs of one name share their metrics, as on AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use pitbird_names::Scope;
use pitbird_records::rollout::{AliasTarget, PairMinute, StageTarget, Target};
use pitbird_telemetry::metrics::{Aggregate, Dimensions, Metric, MetricQuery, Stat};
use serde::Serialize;

use crate::Rollout;

const MINUTE_MS: i64 = 60_000;
/// How old what is told may be.
const AGE_MAX_MS: i64 = 10 * MINUTE_MS;
const STATS: [Stat; 3] = [Stat::Percentile(50.0), Stat::Percentile(95.0), Stat::Percentile(99.0)];

/// A series' samples by the minutes that they were taken in.
pub type Minutes = BTreeMap<i64, Aggregate>;
/// The samples of each query.
pub type Samples = Pin<Box<dyn Future<Output = Result<Vec<Minutes>, pitbird_telemetry::Error>> + Send>>;

/// Both arms of a stage or of one alias.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Measures {
    /// Of several aliases that are moved together, whose this is.
    function_name: Option<String>,
    base: ArmMeasures,
    canary: ArmMeasures,
}

/// One arm in the newest minute that has any samples; nothing where none has.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ArmMeasures {
    minute: Option<f64>,
    requests: Option<u64>,
    #[serde(rename = "LatencyP50")]
    latency_p50: Option<f64>,
    #[serde(rename = "LatencyP95")]
    latency_p95: Option<f64>,
    #[serde(rename = "LatencyP99")]
    latency_p99: Option<f64>,
    /// Calls that were refused; a stage's metrics don't have them.
    throttles: Option<u64>,
}

/// Requests that both arms answered in a minute, and those that one arm alone failed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PairMeasures {
    minute: f64,
    requests: u64,
    canary_alone: u64,
    base_alone: u64,
}

/// The minutes of the newest ten that had any pairs, oldest first; `None` where they aren't judged.
pub fn pairs(rollout: &Rollout, now_ms: u64) -> Option<Vec<PairMeasures>> {
    let start_ms = rollout.ended_ms.unwrap_or(now_ms).saturating_sub(AGE_MAX_MS as u64);
    let is_new = |told: &&PairMinute| told.minute_ms > start_ms;
    let measures = |PairMinute { minute_ms, pairs }: &PairMinute| PairMeasures {
        minute: *minute_ms as f64 / 1e3,
        requests: pairs.pairs,
        canary_alone: pairs.canary_alone,
        base_alone: pairs.base_alone,
    };
    let is_judged = rollout.plan.judged().pairs;
    is_judged.then(|| rollout.pair_minutes.iter().filter(is_new).map(measures).collect())
}

/// The series that are to be read.
pub struct Wanted {
    sets: Vec<Set>,
    start_ms: i64,
    end_ms: i64,
    /// The minute in which the rollout ended: what came after the end is in it.
    last_ms: Option<i64>,
    now_ms: i64,
}

enum Set {
    /// Latency of both arms and of the canary.
    Stage { both: Metric, canary: Metric },
    /// Durations and throttles of base and canary.
    Alias { function: Option<String>, arms: Box<[[Metric; 2]; 2]> },
}

/// What is to be read of a rollout at a time.
pub fn wanted(rollout: &Rollout, api_name: &str, now_ms: u64) -> Wanted {
    let minute = |at_ms: u64| (at_ms as i64).div_euclid(MINUTE_MS) * MINUTE_MS;
    let end_ms = minute(rollout.ended_ms.unwrap_or(now_ms)) + MINUTE_MS;
    // What was on trial before on the same stage isn't meant.
    let start_ms = minute(rollout.started_ms).max(end_ms - AGE_MAX_MS);
    let (scope, is_many) = (&rollout.scope, matches!(rollout.target, Target::LambdaAliases(_)));
    let sets = match &rollout.target {
        Target::RestStage(_) if api_name.is_empty() => Vec::new(),
        Target::RestStage(target) => vec![stage(scope, api_name, target)],
        Target::LambdaAlias(_) | Target::LambdaAliases(_) => {
            rollout.target.aliases().iter().map(|target| alias(scope, target, is_many)).collect()
        }
    };
    let last_ms = rollout.ended_ms.map(minute);
    Wanted { sets, start_ms, end_ms, last_ms, now_ms: now_ms as i64 }
}

fn stage(scope: &Scope, api_name: &str, target: &StageTarget) -> Set {
    let metric = |stage: String| Metric {
        scope: scope.clone(),
        namespace: "AWS/ApiGateway".to_owned(),
        name: "Latency".to_owned(),
        dimensions: Dimensions::from_iter([("ApiName", api_name.to_owned()), ("Stage", stage)]),
    };
    Set::Stage { both: metric(target.stage.clone()), canary: metric(format!("{}/Canary", target.stage)) }
}

fn alias(scope: &Scope, target: &AliasTarget, is_many: bool) -> Set {
    let arms = [target.base, target.canary].map(|version| {
        ["Duration", "Throttles"].map(|name| Metric {
            scope: scope.clone(),
            namespace: "AWS/Lambda".to_owned(),
            name: name.to_owned(),
            dimensions: Dimensions::from_iter([
                ("FunctionName", target.function.clone()),
                ("Resource", format!("{}:{}", target.function, target.alias)),
                ("ExecutedVersion", version.to_string()),
            ]),
        })
    });
    Set::Alias { function: is_many.then(|| target.function.clone()), arms: Box::new(arms) }
}

impl Wanted {
    pub fn queries(&self) -> Vec<MetricQuery> {
        let query = |metric: &Metric| MetricQuery {
            metric: metric.clone(),
            unit: None,
            period_s: 60,
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            stats: STATS.to_vec(),
            now_ms: self.now_ms,
        };
        let metrics = |set: &Set| match set {
            Set::Stage { both, canary } => vec![query(both), query(canary)],
            Set::Alias { arms, .. } => arms.iter().flatten().map(query).collect(),
        };
        self.sets.iter().flat_map(metrics).collect()
    }

    /// What the samples say, which are in the order of the queries.
    pub fn measures(&self, mut found: &[Minutes]) -> Vec<Measures> {
        let mut next = || {
            let first = found.split_first();
            found = first.map_or(found, |(_, rest)| rest);
            first.map_or_else(Minutes::new, |(minutes, _)| minutes.clone())
        };
        let measures = |set: &Set| match set {
            Set::Stage { .. } => {
                let (both, canary) = (next(), next());
                let none = Aggregate::default();
                let left = |(at_ms, all): (&i64, &Aggregate)| {
                    (*at_ms, all.without(canary.get(at_ms).unwrap_or(&none)))
                };
                let base = both.iter().map(left).collect();
                Measures { function_name: None, base: self.arm(&base, None), canary: self.arm(&canary, None) }
            }
            Set::Alias { function, .. } => {
                let mut arm = || {
                    let (durations, throttles) = (next(), next());
                    self.arm(&durations, Some(&throttles))
                };
                Measures { function_name: function.clone(), base: arm(), canary: arm() }
            }
        };
        self.sets.iter().map(measures).collect()
    }

    /// The newest minute of an arm; the one in which the rollout ended only where there is no other.
    fn arm(&self, latency: &Minutes, throttles: Option<&Minutes>) -> ArmMeasures {
        let counted = |(at_ms, samples): (&i64, &Aggregate)| (samples.sample_count() > 0.0).then_some(*at_ms);
        let all = latency.iter().chain(throttles.into_iter().flatten());
        let minutes: BTreeSet<i64> = all.filter_map(counted).collect();
        let whole = minutes.iter().rev().find(|at_ms| Some(**at_ms) != self.last_ms);
        let Some(at_ms) = whole.or(minutes.last()) else { return ArmMeasures::default() };
        let (samples, refused) = (latency.get(at_ms), throttles.map(|throttles| throttles.get(at_ms)));
        let number = |found: Option<f64>| found.map_or(0, |number| number as u64);
        let [p50, p95, p99] = STATS.map(|stat| samples.and_then(|samples| samples.stat(stat)));
        ArmMeasures {
            minute: Some(*at_ms as f64 / 1e3),
            requests: Some(number(samples.map(Aggregate::sample_count))),
            latency_p50: p50,
            latency_p95: p95,
            latency_p99: p99,
            throttles: refused.map(|refused| number(refused.and_then(|refused| refused.stat(Stat::Sum)))),
        }
    }
}

//! What may be set as a model: a metric's statistic or metric math, and how it is trained.

use pitbird_names::Scope;
use pitbird_records::AnomalyDetector;
use pitbird_records::alarm::AlarmQuery;
use pitbird_records::anomaly_detector::{Modelled, ModelledMetric};
use pitbird_store::Transaction;
use pitbird_telemetry::metrics::Stat;

use crate::query::{Dimension, Identity, MetricDataQuery, MetricStat, Plan};
use crate::shape::{dimensions, milliseconds, pairs};
use crate::{Error, State};

/// Models of an account in a region.
const DETECTORS_MAX: usize = 1000;
/// Queries that a model of metric math may rest on. Source: CloudWatch, alarms on metric math (ten metrics).
const QUERIES_MAX: usize = 20;
/// Times that a model isn't trained on.
const EXCLUDED_MAX: usize = 100;
/// The time zones that hours are counted in here.
const TIMEZONES: [&str; 2] = ["UTC", "Etc/UTC"];
/// The period that a metric's model is trained at before anybody needs it at another, seconds.
const PERIOD_S: u32 = 60;

/// What a model is of, as callers say it: by members of the call itself, or in one of two structures.
#[derive(Debug, Default)]
pub struct Target {
    pub flat: Option<Statistic>,
    pub single: Option<Statistic>,
    pub queries: Option<Vec<MetricDataQuery>>,
}

/// One statistic of a metric, as callers say it.
#[derive(Debug, Default)]
pub struct Statistic {
    pub account_id: Option<String>,
    pub namespace: Option<String>,
    pub metric: Option<String>,
    pub dimensions: Option<Vec<Dimension>>,
    pub statistic: Option<String>,
}

/// How a model is trained.
#[derive(Debug, Default)]
pub struct Settings {
    excluded: Vec<(i64, i64)>,
    timezone: Option<String>,
    has_periodic_spikes: Option<bool>,
}

/// Checks how a model is to be trained: times in seconds since 1970, a time zone, whether spikes are usual.
pub fn settings(
    excluded: Vec<(f64, f64)>,
    timezone: Option<String>,
    has_periodic_spikes: Option<bool>,
) -> Result<Settings, Error> {
    if excluded.len() > EXCLUDED_MAX {
        let parameter = "Configuration.ExcludedTimeRanges".to_owned();
        return Err(Error::TooMany { parameter, limit: EXCLUDED_MAX });
    }
    if let Some(other) = timezone.as_deref().filter(|zone| !TIMEZONES.contains(zone)) {
        return Err(Error::unsupported(format!("Configuration.MetricTimezone {other}")));
    }
    let range = |(start, end)| {
        let range = (milliseconds(start), milliseconds(end));
        if range.0 < range.1 { Ok(range) } else { Err(Error::StartTime) }
    };
    let excluded = excluded.into_iter().map(range).collect::<Result<_, _>>()?;
    Ok(Settings { excluded, timezone, has_periodic_spikes })
}

impl Target {
    /// What it is of, checked, and its identity.
    fn parse(self, scope: &Scope) -> Result<(Modelled, String), Error> {
        let (flat, single, math) = ("MetricName", "SingleMetricAnomalyDetector", "MetricMathAnomalyDetector");
        let exclusive =
            |one: &str, other: &str| Err(Error::Exclusive { one: one.to_owned(), other: other.to_owned() });
        match (self.flat, self.single, self.queries) {
            (Some(_), Some(_), _) => exclusive(single, flat),
            (Some(_), _, Some(_)) => exclusive(math, flat),
            (_, Some(_), Some(_)) => exclusive(math, single),
            (Some(statistic), None, None) => of_metric(statistic, "", scope),
            (None, Some(statistic), None) => of_metric(statistic, "SingleMetricAnomalyDetector.", scope),
            (None, None, Some(queries)) => of_queries(queries, scope),
            (None, None, None) => Err(Error::Missing(single.to_owned())),
        }
    }
}

fn of_metric(given: Statistic, at: &str, scope: &Scope) -> Result<(Modelled, String), Error> {
    if given.account_id.is_some_and(|account| account != scope.account.as_str()) {
        return Err(Error::unsupported(format!("{at}AccountId of another account")));
    }
    let missing = |name: &str| Error::Missing(format!("{at}{name}"));
    let checked = dimensions(given.dimensions, &format!("{at}Dimensions"))?;
    let of = ModelledMetric {
        namespace: given.namespace.ok_or_else(|| missing("Namespace"))?,
        metric: given.metric.ok_or_else(|| missing("MetricName"))?,
        dimensions: checked.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        statistic: given.statistic.ok_or_else(|| missing("Stat"))?,
    };
    Stat::parse(&of.statistic).map_err(|error| Error::statistic(&format!("{at}Stat"), error))?;
    let identity = Plan::parse(&[query_of(&of)], scope)?.identity(0);
    Ok((Modelled::Metric(of), identity))
}

/// Metric math: exactly one of the queries returns data, by metrics that are named, without bands of its own.
fn of_queries(queries: Vec<MetricDataQuery>, scope: &Scope) -> Result<(Modelled, String), Error> {
    let plan = Plan::parse(&queries, scope)?;
    let returned = plan.returned();
    let [place] = returned[..] else {
        let words = "Exactly one element of the metrics list should return data.";
        return Err(Error::Invalid(words.to_owned()));
    };
    check(&plan, place)?;
    if !plan.all_bands().is_empty() {
        return Err(Error::unsupported("Anomaly detection on ANOMALY_DETECTION_BAND"));
    }
    let identity = plan.identity(place);
    Ok((Modelled::Queries(queries.into_iter().map(AlarmQuery::from).collect()), identity))
}

fn check(plan: &Plan, place: usize) -> Result<(), Error> {
    if plan.ids_needed(place).1.len() > QUERIES_MAX {
        let words = format!("Anomaly detection is on at most {QUERIES_MAX} elements of the metrics list.");
        return Err(Error::Invalid(words));
    }
    if plan.is_open(place) {
        return Err(Error::unsupported("Anomaly detection on SEARCH or Metrics Insights"));
    }
    Ok(())
}

/// The query of a metric's model, at the period that it is trained at by itself.
fn query_of(of: &ModelledMetric) -> MetricDataQuery {
    let metric_stat = MetricStat {
        metric: Identity {
            namespace: Some(of.namespace.clone()),
            metric_name: Some(of.metric.clone()),
            dimensions: Some(pairs(&of.dimensions)),
        },
        period: PERIOD_S,
        stat: of.statistic.clone(),
        unit: None,
    };
    MetricDataQuery {
        id: "m1".to_owned(),
        metric_stat: Some(metric_stat),
        expression: None,
        label: None,
        return_data: None,
        period: None,
        account_id: None,
    }
}

/// The queries of a model and the place of the one that it is of; `None` only where a record was damaged.
pub fn plan(detector: &AnomalyDetector) -> Option<(Plan, usize)> {
    let queries: Vec<MetricDataQuery> = match &detector.of {
        Modelled::Metric(of) => vec![query_of(of)],
        Modelled::Queries(queries) => queries.iter().map(MetricDataQuery::from).collect(),
    };
    let plan = Plan::parse(&queries, &detector.scope).ok()?;
    let place = *plan.returned().first()?;
    Some((plan, place))
}

/// The models that the bands of some queries need, without settings.
pub fn of_plan(
    plan: &Plan,
    queries: &[AlarmQuery],
    scope: &Scope,
    now_ms: i64,
) -> Result<Vec<AnomalyDetector>, Error> {
    let mut detectors = Vec::new();
    for place in plan.all_bands() {
        check(plan, place)?;
        let needed = plan.ids_needed(place);
        let asked = queries.iter().find(|query| query.id == needed.0);
        let of = match asked.and_then(|query| query.statistic.as_ref()) {
            Some(stat) => Modelled::Metric(ModelledMetric {
                namespace: stat.namespace.clone(),
                metric: stat.metric.clone(),
                dimensions: stat.dimensions.clone(),
                statistic: stat.statistic.clone(),
            }),
            None => {
                let own = queries.iter().filter(|query| needed.1.contains(&query.id.as_str()));
                let returned = |query: &AlarmQuery| Some(query.id == needed.0);
                let query = |query: &AlarmQuery| AlarmQuery { return_data: returned(query), ..query.clone() };
                Modelled::Queries(own.map(query).collect())
            }
        };
        detectors.push(detector(of, plan.identity(place), Settings::default(), scope, now_ms));
    }
    Ok(detectors)
}

fn detector(
    of: Modelled,
    identity: String,
    settings: Settings,
    scope: &Scope,
    now_ms: i64,
) -> AnomalyDetector {
    let Settings { excluded, timezone, has_periodic_spikes } = settings;
    let (scope, configured_ms) = (scope.clone(), now_ms);
    AnomalyDetector { scope, identity, of, excluded, timezone, has_periodic_spikes, configured_ms }
}

/// Makes a model, or sets anew how it is trained.
pub async fn put(
    state: &State,
    target: Target,
    settings: Settings,
    scope: &Scope,
    now_ms: i64,
) -> Result<(), Error> {
    let (of, identity) = target.parse(scope)?;
    let detector = detector(of, identity, settings, scope, now_ms);
    state.store.write(move |tx: &mut Transaction<'_>| write(tx, &detector)).await
}

/// Makes those of the models that there aren't.
pub fn put_missing(tx: &mut Transaction<'_>, detectors: &[AnomalyDetector]) -> Result<(), Error> {
    for detector in detectors {
        if !tx.exists::<AnomalyDetector>(&AnomalyDetector::key_of(&detector.scope, &detector.identity))? {
            write(tx, detector)?;
        }
    }
    Ok(())
}

fn write(tx: &mut Transaction<'_>, detector: &AnomalyDetector) -> Result<(), Error> {
    let is_new =
        !tx.exists::<AnomalyDetector>(&AnomalyDetector::key_of(&detector.scope, &detector.identity))?;
    let prefix = AnomalyDetector::prefix_of(&detector.scope);
    if is_new && tx.count::<AnomalyDetector>(&prefix)? >= DETECTORS_MAX {
        return Err(Error::TooManyDetectors { limit: DETECTORS_MAX });
    }
    tx.put(detector)?;
    Ok(())
}

/// Removes a model, which there must be.
pub async fn delete(state: &State, target: Target, scope: &Scope) -> Result<(), Error> {
    let (_, identity) = target.parse(scope)?;
    let key = AnomalyDetector::key_of(scope, &identity);
    let delete = move |tx: &mut Transaction<'_>| match tx.delete::<AnomalyDetector>(&key)? {
        true => Ok(()),
        false => Err(Error::NoDetector),
    };
    state.store.write(delete).await
}

//! Which metrics the searches and the Metrics Insights queries of a request mean.

use std::collections::{BTreeMap, BTreeSet};

use pitbird_metricmath::{Identity, Insights, Search, Series};
use pitbird_telemetry::metrics::{ListQuery, Metric, SeriesQuery, Stat};

use super::clamped;
use super::evaluate::{Message, Span};
use super::plan::{Plan, Source};
use crate::{Error, State};

/// Series that one search gives. Source: SEARCH.
const FOUND_MAX: usize = 500;
/// Metrics that one Metrics Insights query goes over. Source: Metrics Insights quotas.
const MATCHED_MAX: usize = 10_000;

/// The metrics beyond those that queries name.
#[derive(Default)]
pub(super) struct Gathered {
    pub searched: Vec<Searched>,
    pub grouped: Vec<Grouped>,
}

/// A search, what it has found and what was read of that.
pub(super) struct Searched {
    pub search: Search,
    pub period_s: u32,
    pub stat: Stat,
    pub metrics: Vec<Metric>,
    pub series: Vec<Series>,
}

/// A Metrics Insights query, and its groups by their names.
pub(super) struct Grouped {
    pub place: usize,
    pub period_s: u32,
    pub stat: Stat,
    pub groups: Vec<(Vec<String>, Vec<Metric>)>,
}

pub(super) async fn gather(
    state: &State,
    plan: &Plan,
    needed: &BTreeSet<usize>,
    span: Span,
) -> Result<(Gathered, Vec<Message>), Error> {
    let (mut gathered, mut messages) = (Gathered::default(), Vec::new());
    for place in needed {
        match &plan.asked[*place].source {
            Source::Metric(_) => {}
            Source::Expression(expression) => {
                for search in expression.searches() {
                    let found = searched(state, plan, *place, search, span, &mut messages).await?;
                    gathered.searched.push(found);
                }
            }
            Source::Insights(insights) => {
                let found = grouped(state, plan, *place, insights, span, &mut messages).await?;
                gathered.grouped.push(found);
            }
        }
    }
    Ok((gathered, messages))
}

impl Gathered {
    /// What is to be read: of the metrics that queries name, of those that searches found, of groups, in this order.
    pub fn queries(&self, plan: &Plan, needed: &BTreeSet<usize>, span: Span) -> Vec<SeriesQuery> {
        let now_ms = span.now_ms;
        let query = |metrics: Vec<Metric>, period_s: u32, stat: Stat, unit| {
            let (start_ms, end_ms) = clamped(span.start_ms, span.end_ms, period_s, now_ms);
            SeriesQuery { metrics, unit, period_s, start_ms, end_ms, now_ms, stat }
        };
        let mut queries = Vec::new();
        for place in needed {
            if let Source::Metric(asked) = &plan.asked[*place].source {
                queries.push(query(vec![asked.metric.clone()], asked.period_s, asked.stat, asked.unit));
            }
        }
        for Searched { metrics, period_s, stat, .. } in &self.searched {
            queries.extend(metrics.iter().map(|metric| query(vec![metric.clone()], *period_s, *stat, None)));
        }
        for Grouped { groups, period_s, stat, .. } in &self.grouped {
            queries.extend(groups.iter().map(|(_, metrics)| query(metrics.clone(), *period_s, *stat, None)));
        }
        queries
    }
}

async fn searched(
    state: &State,
    plan: &Plan,
    place: usize,
    search: &Search,
    span: Span,
    messages: &mut Vec<Message>,
) -> Result<Searched, Error> {
    let namespace = search.schema.as_ref().map(|schema| schema.namespace.clone());
    let wanted = search.clone();
    let fits = move |metric: &Metric| identified(metric, |identity| wanted.matches(identity));
    let list = list(plan, namespace, None, span);
    let mut metrics = state.telemetry.find_metrics(list, FOUND_MAX + 1, fits).await?;
    if metrics.len() > FOUND_MAX {
        metrics.truncate(FOUND_MAX);
        let value = format!("The maximum number of allowed metrics, {FOUND_MAX}, has been exceeded");
        messages.push(Message { code: "MaxMetricsExceeded", value });
    }
    let stat = Stat::parse(&search.stat).map_err(|error| Error::statistic("Expression", error))?;
    let period_s = search.period_s.unwrap_or_else(|| plan.period_of(place));
    Ok(Searched { search: search.clone(), period_s, stat, metrics, series: Vec::new() })
}

async fn grouped(
    state: &State,
    plan: &Plan,
    place: usize,
    insights: &Insights,
    span: Span,
    messages: &mut Vec<Message>,
) -> Result<Grouped, Error> {
    let wanted = insights.clone();
    let fits = move |metric: &Metric| identified(metric, |identity| wanted.matches(identity));
    let list = list(plan, Some(insights.namespace.clone()), Some(insights.metric.clone()), span);
    let mut metrics = state.telemetry.find_metrics(list, MATCHED_MAX + 1, fits).await?;
    if metrics.len() > MATCHED_MAX {
        metrics.truncate(MATCHED_MAX);
        let value = format!("The maximum number of matching metrics, {MATCHED_MAX}, has been exceeded");
        messages.push(Message { code: "MaxMatchingResultsExceeded", value });
    }
    let mut groups: BTreeMap<Vec<String>, Vec<Metric>> = BTreeMap::new();
    for metric in metrics {
        let group = identified(&metric, |identity| insights.group(identity));
        groups.entry(group).or_default().push(metric);
    }
    let stat =
        Stat::parse(insights.function.stat()).map_err(|error| Error::statistic("Expression", error))?;
    Ok(Grouped { place, period_s: plan.period_of(place), stat, groups: groups.into_iter().collect() })
}

fn list(plan: &Plan, namespace: Option<String>, name: Option<String>, span: Span) -> ListQuery {
    ListQuery {
        scope: plan.scope.clone(),
        namespace,
        name,
        dimensions: Vec::new(),
        recently_active: false,
        token: None,
        limit: 0,
        now_ms: span.now_ms,
    }
}

fn identified<T>(metric: &Metric, of: impl FnOnce(Identity<'_>) -> T) -> T {
    let dimensions: Vec<(&str, &str)> = metric.dimensions.iter().collect();
    of(Identity { namespace: &metric.namespace, name: &metric.name, dimensions: &dimensions })
}

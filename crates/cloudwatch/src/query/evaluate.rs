//! Queries evaluated: everything read at once, then expression after expression.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use pitbird_metricmath::{Series, Value};
use pitbird_telemetry::metrics::{ListQuery, Metric, SeriesQuery, Stat};

use super::plan::{Asked, Plan, Source};
use super::world::{Searched, World};
use super::{clamped, world};
use crate::{Error, State};

/// Series that one search gives. Source: SEARCH.
const FOUND_MAX: usize = 500;

/// One series of the answer to a query; a search or another array gives several with the same id.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesResult {
    /// The query's place among the queries.
    pub query: usize,
    pub id: String,
    pub label: String,
    pub period_s: u32,
    /// Starts of periods in milliseconds since 1970, and finite values, by ascending time.
    pub points: Vec<(i64, f64)>,
}

/// What GetMetricData says beside the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub code: &'static str,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluated {
    /// By the queries' order; only of those that are to be returned.
    pub results: Vec<SeriesResult>,
    pub messages: Vec<Message>,
}

/// The span of time that is evaluated, milliseconds since 1970: from `start_ms`, before `end_ms`, as of `now_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start_ms: i64,
    pub end_ms: i64,
    pub now_ms: i64,
}

/// Evaluates all queries. All metrics are read in one go, as of one moment.
pub async fn evaluate(state: &State, plan: &Arc<Plan>, span: Span) -> Result<Evaluated, Error> {
    evaluate_some(state, plan, 0..plan.len(), span).await
}

/// Evaluates the queries at these places, and what they need.
pub async fn evaluate_some(
    state: &State,
    plan: &Arc<Plan>,
    wanted: Range<usize>,
    span: Span,
) -> Result<Evaluated, Error> {
    let needed = plan.needed(wanted.clone().filter(|place| plan.asked[*place].is_returned));
    let mut evaluated = Evaluated::default();
    let searched = search(state, plan, &needed, span, &mut evaluated.messages).await?;
    let mut reading = Reading { queries: Vec::new(), span };
    for place in &needed {
        if let Source::Metric(asked) = &plan.asked[*place].source {
            reading.add(vec![asked.metric.clone()], asked.period_s, asked.stat, asked.unit);
        }
    }
    for one in &searched {
        for metric in &one.metrics {
            reading.add(vec![metric.clone()], one.period_s, one.stat, None);
        }
    }
    let read = state.telemetry.series(reading.queries).await?;
    let plan = plan.clone();
    let work = move || results(&plan, &needed, wanted, searched, read, span);
    // Millions of points may take a while. Cancelled only when the runtime ends.
    let done = tokio::task::spawn_blocking(work).await;
    evaluated.results = done.map_err(|_| Error::from(pitbird_telemetry::Error::Closed))??;
    Ok(evaluated)
}

struct Reading {
    queries: Vec<SeriesQuery>,
    span: Span,
}

impl Reading {
    fn add(
        &mut self,
        metrics: Vec<Metric>,
        period_s: u32,
        stat: Stat,
        unit: Option<pitbird_telemetry::metrics::Unit>,
    ) {
        let now_ms = self.span.now_ms;
        let (start_ms, end_ms) = clamped(self.span.start_ms, self.span.end_ms, period_s, now_ms);
        self.queries.push(SeriesQuery { metrics, unit, period_s, start_ms, end_ms, now_ms, stat });
    }
}

/// Finds the metrics of all searches.
async fn search(
    state: &State,
    plan: &Plan,
    needed: &BTreeSet<usize>,
    span: Span,
    messages: &mut Vec<Message>,
) -> Result<Vec<Searched>, Error> {
    let mut searched = Vec::new();
    for place in needed {
        let asked = &plan.asked[*place];
        let Source::Expression(expression) = &asked.source else { continue };
        for search in expression.searches() {
            let list = ListQuery {
                scope: plan.scope.clone(),
                namespace: search.schema.as_ref().map(|schema| schema.namespace.clone()),
                name: None,
                dimensions: Vec::new(),
                recently_active: false,
                token: None,
                limit: 0,
                now_ms: span.now_ms,
            };
            let wanted = search.clone();
            let fits = move |metric: &Metric| world::is_found(&wanted, metric);
            let mut metrics = state.telemetry.find_metrics(list, FOUND_MAX + 1, fits).await?;
            if metrics.len() > FOUND_MAX {
                metrics.truncate(FOUND_MAX);
                let value = format!("The maximum number of allowed metrics, {FOUND_MAX}, has been exceeded");
                messages.push(Message { code: "MaxMetricsExceeded", value });
            }
            let stat = Stat::parse(&search.stat).map_err(|error| Error::statistic("Expression", error))?;
            let period_s = search.period_s.unwrap_or_else(|| plan.period_of(*place));
            searched.push(Searched { search: search.clone(), period_s, stat, metrics, series: Vec::new() });
        }
    }
    Ok(searched)
}

fn results(
    plan: &Plan,
    needed: &BTreeSet<usize>,
    wanted: Range<usize>,
    searched: Vec<Searched>,
    read: Vec<Vec<(i64, f64)>>,
    span: Span,
) -> Result<Vec<SeriesResult>, Error> {
    let mut world = World::new(plan, searched, span);
    let mut read = read.into_iter();
    for place in needed {
        if let Source::Metric(asked) = &plan.asked[*place].source {
            let label = label(&plan.asked[*place], &plan.asked[*place].default_label);
            let metric = Some(world.number(&asked.metric));
            let points = read.next().unwrap_or_default();
            let series = Series { label, metric, period_s: asked.period_s, points };
            world.values[*place] = Some(Value::Series(series));
        }
    }
    world.fill_searches(read);
    for place in plan.order.iter().filter(|place| needed.contains(place)) {
        if let Source::Expression(expression) = &plan.asked[*place].source {
            world.current = *place;
            let value = expression.evaluate(&world);
            let value = value.map_err(|error| Error::expression(&plan.asked[*place].id, error))?;
            world.values[*place] = Some(value);
        }
    }
    let mut results = Vec::new();
    for place in wanted.filter(|place| plan.asked[*place].is_returned) {
        if let Some(value) = world.values[place].take() {
            answer(plan, place, value, &mut results)?;
        }
    }
    Ok(results)
}

fn answer(plan: &Plan, place: usize, value: Value, results: &mut Vec<SeriesResult>) -> Result<(), Error> {
    let asked = &plan.asked[place];
    let mut add = |label: String, series: Series| {
        let Series { period_s, points, .. } = series;
        results.push(SeriesResult { query: place, id: asked.id.clone(), label, period_s, points });
    };
    match value {
        Value::Scalar(_) => return Err(Error::Scalar { id: asked.id.clone() }),
        Value::Series(series) => add(label(asked, &asked.default_label), series),
        Value::Array(array) => {
            for series in array {
                let own = match asked.label.as_deref() {
                    None | Some("") => series.label.clone(),
                    Some(label) => format!("{label} {}", series.label),
                };
                add(own, series);
            }
        }
    }
    Ok(())
}

fn label(asked: &Asked, default: &str) -> String {
    asked.label.clone().unwrap_or_else(|| default.to_owned())
}

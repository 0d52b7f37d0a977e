//! Queries evaluated: everything read at once, then expression after expression.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use pitbird_metricmath::{Series, Value};
use pitbird_telemetry::metrics::SeriesQuery;

use super::gather::{Gathered, gather};
use super::label::Labelled;
use super::plan::{Plan, Source};
use super::world::{Bands, World};
use crate::{Error, State, anomaly};

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
    let bands = anomaly::models(state, plan, &plan.bands_of(&needed), span.now_ms).await?;
    let prepared = Prepared { bands, ..prepare(state, plan, needed, wanted, span).await? };
    let read = state.telemetry.series(prepared.queries.clone()).await?;
    // Millions of points may take a while. Cancelled only when the runtime ends.
    let done = tokio::task::spawn_blocking(move || prepared.evaluate(read)).await;
    done.map_err(|_| Error::from(pitbird_telemetry::Error::Closed))?
}

/// Evaluates several plans, each over its own span, in order, with one read for all.
pub(crate) async fn evaluate_together(
    state: &State,
    asked: Vec<(Arc<Plan>, Span)>,
) -> Vec<Result<Evaluated, Error>> {
    let (mut prepared, mut queries) = (Vec::with_capacity(asked.len()), Vec::new());
    for (plan, span) in &asked {
        let one = prepare_all(state, plan, *span).await;
        queries.extend(one.iter().flat_map(|one| one.queries.iter().cloned()));
        prepared.push(one);
    }
    let read = match state.telemetry.series(queries).await {
        Ok(read) => read,
        // Something is wrong with one of them.
        Err(_) if asked.len() > 1 => {
            let mut each = Vec::with_capacity(asked.len());
            for (plan, span) in &asked {
                each.push(evaluate(state, plan, *span).await);
            }
            return each;
        }
        Err(error) => return vec![Err(error.into())],
    };
    let count = asked.len();
    let work = move || {
        let mut read = read.into_iter();
        let evaluate = |one: Result<Prepared, Error>| {
            let one = one?;
            let read = read.by_ref().take(one.queries.len()).collect();
            one.evaluate(read)
        };
        prepared.into_iter().map(evaluate).collect()
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| (0..count).map(|_| Err(pitbird_telemetry::Error::Closed.into())).collect())
}

/// Queries of a plan with what has to be read for them.
struct Prepared {
    plan: Arc<Plan>,
    /// What is expected of queries, by their places.
    bands: Bands,
    needed: BTreeSet<usize>,
    wanted: Range<usize>,
    gathered: Gathered,
    messages: Vec<Message>,
    span: Span,
    queries: Vec<SeriesQuery>,
}

async fn prepare_all(state: &State, plan: &Arc<Plan>, span: Span) -> Result<Prepared, Error> {
    let needed = plan.needed(plan.returned().into_iter());
    let bands = anomaly::models(state, plan, &plan.bands_of(&needed), span.now_ms).await?;
    Ok(Prepared { bands, ..prepare(state, plan, needed, 0..plan.len(), span).await? })
}

/// The values of a query that has no bands within it, whether it is returned or not; none where it gives several series.
pub(crate) async fn history(
    state: &State,
    plan: &Arc<Plan>,
    place: usize,
    span: Span,
) -> Result<Vec<(i64, f64)>, Error> {
    let prepared = prepare(state, plan, plan.needed([place].into_iter()), place..place, span).await?;
    let read = state.telemetry.series(prepared.queries.clone()).await?;
    let work = move || prepared.value(read, place);
    let done = tokio::task::spawn_blocking(work).await;
    match done.map_err(|_| Error::from(pitbird_telemetry::Error::Closed))?? {
        Some(Value::Series(series)) => Ok(series.points),
        _ => Ok(Vec::new()),
    }
}

async fn prepare(
    state: &State,
    plan: &Arc<Plan>,
    needed: BTreeSet<usize>,
    wanted: Range<usize>,
    span: Span,
) -> Result<Prepared, Error> {
    let (gathered, messages) = gather(state, plan, &needed, span).await?;
    let queries = gathered.queries(plan, &needed, span);
    let (plan, bands) = (plan.clone(), Bands::new());
    Ok(Prepared { plan, bands, needed, wanted, gathered, messages, span, queries })
}

impl Prepared {
    fn evaluate(self, read: Vec<Vec<(i64, f64)>>) -> Result<Evaluated, Error> {
        let Prepared { plan, bands, needed, wanted, gathered, messages, span, .. } = self;
        let mut world = world(&plan, &needed, World::new(&plan, gathered, bands, span), read)?;
        let mut results = Vec::new();
        for place in wanted.filter(|place| plan.asked[*place].is_returned) {
            if let Some(value) = world.values[place].take() {
                answer(&world, place, value, &mut results)?;
            }
        }
        Ok(Evaluated { results, messages })
    }

    /// What one query gives.
    fn value(self, read: Vec<Vec<(i64, f64)>>, place: usize) -> Result<Option<Value>, Error> {
        let Prepared { plan, bands, needed, gathered, span, .. } = self;
        let mut world = world(&plan, &needed, World::new(&plan, gathered, bands, span), read)?;
        Ok(world.values[place].take())
    }
}

/// A world with all values in it.
fn world<'p>(
    plan: &'p Plan,
    needed: &BTreeSet<usize>,
    mut world: World<'p>,
    read: Vec<Vec<(i64, f64)>>,
) -> Result<World<'p>, Error> {
    world.fill(needed, read.into_iter());
    for place in plan.order.iter().filter(|place| needed.contains(place)) {
        if let Source::Expression(expression) = &plan.asked[*place].source {
            world.current = *place;
            let value = expression.evaluate(&world);
            let value = value.map_err(|error| Error::expression(&plan.asked[*place].id, error))?;
            world.values[*place] = Some(value);
        }
    }
    Ok(world)
}

fn answer(
    world: &World<'_>,
    place: usize,
    value: Value,
    results: &mut Vec<SeriesResult>,
) -> Result<(), Error> {
    let asked = &world.plan.asked[place];
    let mut add = |label: String, series: Series| {
        let Series { period_s, points, .. } = series;
        results.push(SeriesResult { query: place, id: asked.id.clone(), label, period_s, points });
    };
    match value {
        Value::Scalar(_) => return Err(Error::Scalar { id: asked.id.clone() }),
        // A metric's series has its label already.
        Value::Series(series) if matches!(asked.source, Source::Metric(_)) => {
            add(series.label.clone(), series);
        }
        Value::Series(series) => add(label(world, place, &series, &asked.default_label), series),
        Value::Array(array) => {
            let is_band = matches!(&asked.source, Source::Expression(expression) if expression.is_band());
            for series in array {
                let own = match &asked.label {
                    // What has no values of its own stands before each series' label.
                    Some(label) if !label.is_live() && !label.is_empty() => {
                        format!("{} {}", self::label(world, place, &series, ""), series.label)
                    }
                    None if is_band => format!("{} {}", asked.id, series.label),
                    Some(label) if label.is_live() => self::label(world, place, &series, &series.label),
                    _ => series.label.clone(),
                };
                add(own, series);
            }
        }
    }
    Ok(())
}

/// The label that is given, with the series' values in it, or the default one.
pub(super) fn label(world: &World<'_>, place: usize, series: &Series, default: &str) -> String {
    let Some(label) = &world.plan.asked[place].label else { return default.to_owned() };
    let source = series.metric.and_then(|number| world.metrics.get(number));
    let (now_ms, offset) = (world.span.now_ms, world.plan.offset);
    label.text(&Labelled { series, default, source, now_ms, offset })
}

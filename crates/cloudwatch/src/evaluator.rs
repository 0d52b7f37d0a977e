//! The evaluator: judges every alarm on the clock and writes down which have changed their state.
//!
//! A step goes over the alarms whose data have moved on: those of a minute or more when a minute is over, those below each ten
//! seconds. It reads for many alarms at once, what several watch only once, and writes nothing but changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pitbird_names::Scope;
use pitbird_records::Alarm;
use pitbird_store::Transaction;
use pitbird_telemetry::alarm::{self as arithmetic, Band, Outcome, Point, Window};
use pitbird_telemetry::metrics::{Metric, MetricQuery, Unit};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::alarm::{Cause, Occasion};
use crate::query::{self, Banded, Evaluated, Span};
use crate::watchlist::{Moved, Read, Watch};
use crate::{Error, State, alarm, anomaly};

/// Alarms with periods of a minute or more are evaluated each minute. Source: CloudWatch, alarm evaluation.
const MINUTE_MS: i64 = 60_000;
/// Those with shorter periods each ten seconds.
const STEP_MS: i64 = 10_000;
/// After a period's end, so that what happened in it has become data, milliseconds: what is measured or put is seen at once, lines of
/// logs that metrics are made from are filed after 400 ms.
const SETTLE_MS: i64 = 600;
/// Between two prunes of the history, milliseconds.
const PRUNE_MS: i64 = 3_600_000;
/// Alarms on metrics whose data are read together, and whose changes share a commit.
const METRICS_BATCH: usize = 500;
/// The same of alarms on queries, each of which may read much.
const QUERIES_BATCH: usize = 100;

/// Which alarms a step evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    All,
    /// Those with periods below a minute.
    HighResolution,
}

/// The task that evaluates, until it is stopped or dropped.
pub struct Evaluator {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Starts evaluating: all alarms at once, then on the clock. Needs a tokio runtime.
pub fn start_evaluator(state: Arc<State>) -> Evaluator {
    let (stop, stopped) = oneshot::channel();
    Evaluator { stop, task: tokio::spawn(run(state, stopped)) }
}

impl Evaluator {
    /// Ends the task, after the step that is on.
    pub async fn stop(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::error!("the alarm evaluator has panicked");
        }
    }
}

async fn run(state: Arc<State>, mut stopped: oneshot::Receiver<()>) {
    let (mut minute, mut prune_at_ms) = (None, now_ms() + PRUNE_MS);
    loop {
        let now = now_ms();
        let this_minute = Some(now.div_euclid(MINUTE_MS));
        let due = if minute == this_minute { Due::HighResolution } else { Due::All };
        minute = this_minute;
        if let Err(error) = step(&state, due, now).await {
            tracing::error!(%error, "alarms can't be evaluated");
        }
        if now >= prune_at_ms {
            prune_at_ms = now + PRUNE_MS;
            if let Err(error) = alarm::prune(&state, now).await {
                tracing::error!(%error, "the history of alarms can't be pruned");
            }
        }
        let wait_ms = STEP_MS - (now_ms() - SETTLE_MS).rem_euclid(STEP_MS);
        tokio::select! {
            // Comes, with an error, also when the evaluator is dropped.
            _ = &mut stopped => return,
            () = tokio::time::sleep(Duration::from_millis(wait_ms.unsigned_abs())) => {}
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as i64
}

/// Evaluates alarms as of `now_ms` (milliseconds since 1970) and answers how many have changed their state. What one
/// alarm's data have wrong keeps no other from being evaluated.
pub async fn step(state: &State, due: Due, now_ms: i64) -> Result<usize, Error> {
    let mut watchlist = state.watchlist.lock().await;
    watchlist.refresh(state).await?;
    let is_due = |watch: &&Watch| due == Due::All || watch.is_high_resolution;
    let (metrics, queries): (Vec<&Watch>, Vec<&Watch>) =
        watchlist.watches().filter(is_due).partition(|watch| matches!(watch.read, Read::Metric(_)));
    // One batch is written down while the next is judged.
    let mut writes = JoinSet::new();
    for batch in metrics.chunks(METRICS_BATCH) {
        let points = measured(state, batch, now_ms).await;
        begin_write(state, &mut writes, judge(batch, points, now_ms), now_ms);
    }
    for batch in queries.chunks(QUERIES_BATCH) {
        let points = reckoned(state, batch, now_ms).await;
        begin_write(state, &mut writes, judge(batch, points, now_ms), now_ms);
    }
    let (mut changed, mut failure) = (0, None);
    while let Some(written) = writes.join_next().await {
        match written.unwrap_or(Err(pitbird_store::Error::Closed.into())) {
            Ok(Written { count, moved }) => {
                changed += count;
                watchlist.note(moved);
            }
            Err(error) => failure = Some(error),
        }
    }
    release(state, watchlist.due(now_ms), now_ms).await?;
    anomaly::train_missing(state, &watchlist.detectors(), now_ms).await;
    failure.map_or(Ok(changed), Err)
}

/// What a batch has changed.
#[derive(Debug)]
struct Written {
    /// Alarms that have changed their state, composite ones among them.
    count: usize,
    moved: Vec<Moved>,
}

fn begin_write(
    state: &State,
    writes: &mut JoinSet<Result<Written, Error>>,
    changes: Vec<Change>,
    now_ms: i64,
) {
    if !changes.is_empty() {
        let store = state.store.clone();
        writes.spawn(
            async move { store.write(move |tx: &mut Transaction<'_>| write(tx, changes, now_ms)).await },
        );
    }
}

/// An alarm that isn't in the state that it should be in.
struct Change {
    scope: Scope,
    name: String,
    /// The alarm's revision when it was judged.
    rev: u64,
    outcome: Outcome,
}

/// Judges alarms by their points.
fn judge(batch: &[&Watch], points: Vec<Result<Vec<Point>, Error>>, now_ms: i64) -> Vec<Change> {
    let mut changes = Vec::new();
    for (watch, points) in batch.iter().zip(points) {
        match points {
            Ok(points) => {
                let outcome = arithmetic::evaluate_from(&watch.rule, watch.state, &points, now_ms);
                let (scope, name) = (&watch.scope, &watch.name);
                changes.extend(outcome.map(|outcome| Change {
                    scope: scope.clone(),
                    name: name.clone(),
                    rev: watch.rev,
                    outcome,
                }));
            }
            Err(error) => tracing::error!(alarm = watch.name, %error, "an alarm's metrics can't be read"),
        }
    }
    changes
}

/// Reads that alarms share: one for each metric, unit and time, whatever the statistics.
#[derive(Default)]
struct Reads<'w> {
    queries: Vec<MetricQuery>,
    places: HashMap<(&'w Metric, Option<Unit>, u32, i64), usize>,
}

impl<'w> Reads<'w> {
    /// The places of the read among the reads and of the alarm's statistic in it; `None` for an alarm on queries.
    fn add(&mut self, watch: &'w Watch, now_ms: i64) -> Option<(usize, usize)> {
        let Read::Metric(metric) = &watch.read else { return None };
        let (rule, window) = (&watch.rule, Window::at(&watch.rule, now_ms));
        let key = (&**metric, rule.unit, rule.period_s, window.start_ms);
        let place = *self.places.entry(key).or_insert(self.queries.len());
        if place == self.queries.len() {
            self.queries.push(rule.query((**metric).clone(), now_ms));
        }
        let stats = &mut self.queries[place].stats;
        let known = stats.iter().position(|stat| rule.stat == Some(*stat));
        let statistic = known.unwrap_or(stats.len());
        if known.is_none() {
            stats.extend(rule.stat);
        }
        Some((place, statistic))
    }
}

/// The points of alarms on metrics.
async fn measured(state: &State, batch: &[&Watch], now_ms: i64) -> Vec<Result<Vec<Point>, Error>> {
    let mut reads = Reads::default();
    let places: Vec<Option<(usize, usize)>> = batch.iter().map(|watch| reads.add(watch, now_ms)).collect();
    let found = match state.telemetry.statistics(reads.queries).await {
        Ok(found) => found,
        // Something is wrong with one of them.
        Err(_) if batch.len() > 1 => {
            let mut each = Vec::with_capacity(batch.len());
            for watch in batch {
                each.extend(Box::pin(measured(state, std::slice::from_ref(watch), now_ms)).await);
            }
            return each;
        }
        Err(error) => return vec![Err(error.into())],
    };
    let points = |(read, statistic): (usize, usize)| arithmetic::points(&found[read], statistic);
    places.into_iter().map(|place| Ok(place.map(points).unwrap_or_default())).collect()
}

/// The points of alarms on queries, which must give one series each.
async fn reckoned(state: &State, batch: &[&Watch], now_ms: i64) -> Vec<Result<Vec<Point>, Error>> {
    let asked = batch.iter().filter_map(|watch| {
        let (Read::Queries(plan) | Read::Band(plan, _)) = &watch.read else { return None };
        let window = Window::at(&watch.rule, now_ms);
        Some((plan.clone(), Span { start_ms: window.start_ms, end_ms: window.end_ms, now_ms }))
    });
    let evaluated = query::evaluate_together(state, asked.collect()).await;
    let points = |(watch, evaluated): (&&Watch, Result<Evaluated, Error>)| match &watch.read {
        Read::Band(_, banded) => evaluated.map(|evaluated| banded_points(evaluated, *banded)),
        Read::Metric(_) | Read::Queries(_) => evaluated.and_then(points),
    };
    batch.iter().zip(evaluated).map(points).collect()
}

fn points(evaluated: Evaluated) -> Result<Vec<Point>, Error> {
    let mut results = evaluated.results;
    if results.len() > 1 {
        return Err(Error::unsupported("An alarm on more than one time series"));
    }
    let point = |(at_ms, value)| Point { at_ms, value, sample_count: None, band: None };
    Ok(results.pop().map(|series| series.points.into_iter().map(point).collect()).unwrap_or_default())
}

/// The points that something is expected of, with what is: without a model nothing can be said.
fn banded_points(evaluated: Evaluated, banded: Banded) -> Vec<Point> {
    let of = |place: usize| evaluated.results.iter().filter(move |series| series.query == place);
    // Upper before lower.
    let mut bounds = of(banded.by);
    let (Some(upper), Some(lower)) = (bounds.next(), bounds.next()) else { return Vec::new() };
    let uppers: HashMap<i64, f64> = upper.points.iter().copied().collect();
    let bands: HashMap<i64, Band> = lower
        .points
        .iter()
        .filter_map(|(at_ms, lower)| Some((*at_ms, Band { lower: *lower, upper: *uppers.get(at_ms)? })))
        .collect();
    let values = of(banded.of).flat_map(|series| &series.points);
    values
        .filter_map(|(at_ms, value)| {
            let band = Some(*bands.get(at_ms)?);
            Some(Point { at_ms: *at_ms, value: *value, sample_count: None, band })
        })
        .collect()
}

/// Writes changes down, all in one commit with their places in the history, what they set going, and the composite alarms that
/// follow from them.
fn write(tx: &mut Transaction<'_>, changes: Vec<Change>, now_ms: i64) -> Result<Written, Error> {
    let mut moved = Vec::with_capacity(changes.len());
    let mut occasions: BTreeMap<Scope, Occasion> = BTreeMap::new();
    for Change { scope, name, rev, outcome } in changes {
        let key = Alarm::key_of(&scope, &name);
        let found = tx.get::<Alarm>(&key)?;
        // Whoever has changed the alarm meanwhile will see it judged by the next step.
        let Some(found) = found.filter(|present| present.rev == rev) else { continue };
        let (from_rev, mut alarm) = (found.rev, found.record);
        let Outcome { state, reason, reason_data } = outcome;
        let cause = Cause { reason, data: Some(reason_data) };
        let rev = alarm::transition(tx, &mut alarm, state, cause, now_ms)?;
        moved.push(Moved { key, from_rev, rev, state });
        occasions.entry(scope).or_default().changed.insert(name);
    }
    let mut count = moved.len();
    for (scope, occasion) in occasions {
        count += alarm::settle(tx, &scope, occasion, now_ms)?;
    }
    Ok(Written { count, moved })
}

/// Lets the actions of composite alarms go that have been held back long enough.
async fn release(state: &State, scopes: Vec<Scope>, now_ms: i64) -> Result<(), Error> {
    if scopes.is_empty() {
        return Ok(());
    }
    let settle = move |tx: &mut Transaction<'_>| {
        scopes.iter().try_for_each(|scope| alarm::settle(tx, scope, Occasion::default(), now_ms).map(drop))
    };
    state.store.write::<(), pitbird_store::Error>(settle).await.map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use pitbird_records::alarm::{AlarmRule, MetricStatistic, Watched};
    use pitbird_store::Store;
    use pitbird_telemetry::alarm::State as AlarmValue;

    use super::*;

    fn fresh() -> Alarm {
        let metric = MetricStatistic {
            namespace: "N".to_owned(),
            metric: "m".to_owned(),
            dimensions: Vec::new(),
            statistic: "Sum".to_owned(),
            unit: None,
            period_s: 60,
        };
        let rule = AlarmRule {
            watched: Watched::Metric(metric),
            evaluation_periods: 1,
            datapoints_to_alarm: None,
            threshold: Some(0.0),
            threshold_metric: None,
            comparison: "GreaterThanThreshold".to_owned(),
            treat_missing_data: None,
            low_samples: None,
        };
        let head = pitbird_records::AlarmHead {
            scope: Default::default(),
            name: "a".to_owned(),
            description: None,
            actions_enabled: true,
            actions: Default::default(),
            configured_ms: 0,
            state: alarm::unchecked(0),
            tags: Default::default(),
        };
        Alarm { head, rule }
    }

    #[tokio::test]
    async fn an_alarm_that_was_changed_meanwhile_keeps_its_state() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).expect("a fresh store");
        let write_with = async |stale: bool| {
            let alarm = fresh();
            let change = move |tx: &mut Transaction<'_>| {
                let rev = tx.put(&alarm)?;
                let rev = if stale { rev - 1 } else { rev };
                let outcome = Outcome {
                    state: AlarmValue::Alarm,
                    reason: "r".to_owned(),
                    reason_data: "{}".to_owned(),
                };
                write(tx, vec![Change { scope: alarm.head.scope, name: alarm.head.name, rev, outcome }], 1)
            };
            store.write::<Written, Error>(change).await.expect("written").count
        };
        assert_eq!(write_with(true).await, 0);
        assert_eq!(write_with(false).await, 1);
    }
}

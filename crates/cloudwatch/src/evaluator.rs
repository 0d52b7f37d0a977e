//! The evaluator: judges every alarm on the clock and writes down which have changed their state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pitbird_names::Scope;
use pitbird_records::alarm::Watched;
use pitbird_records::{Alarm, Record};
use pitbird_store::{Transaction, Versioned};
use pitbird_telemetry::alarm::{self as arithmetic, Outcome, Point, Rule, Window};
use pitbird_telemetry::metrics::MetricQuery;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::alarm::{Cause, Occasion};
use crate::query::{self, Plan, Span};
use crate::{Error, State, alarm};

/// Alarms with periods of a minute or more are evaluated each minute. Source: CloudWatch, alarm evaluation.
const MINUTE_MS: i64 = 60_000;
/// Those with shorter periods each ten seconds.
const STEP_MS: i64 = 10_000;
/// After a period's end, so that what ended with it has been measured, milliseconds.
const SETTLE_MS: i64 = 250;
/// Between two prunes of the history, milliseconds.
const PRUNE_MS: i64 = 3_600_000;
/// Alarms whose data are read together.
const BATCH: usize = 100;

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
    let mut alarms = state.read(|store| store.list::<Alarm>("")).await?;
    if due == Due::HighResolution {
        alarms.retain(|found| alarm::is_high_resolution(&found.record.rule));
    }
    let mut changed = 0;
    let mut failure = None;
    while !alarms.is_empty() {
        let rest = alarms.split_off(alarms.len().min(BATCH));
        match step_batch(state, std::mem::replace(&mut alarms, rest), now_ms).await {
            Ok(count) => changed += count,
            Err(error) => failure = Some(error),
        }
    }
    release(state, now_ms).await?;
    failure.map_or(Ok(changed), Err)
}

/// An alarm with its rule and what has to be read for it.
struct Judging {
    found: Versioned<Alarm>,
    rule: Rule,
    read: Read,
}

enum Read {
    Metric(Box<MetricQuery>),
    Queries(Arc<Plan>),
}

/// An alarm that isn't in the state that it should be in.
struct Change {
    found: Versioned<Alarm>,
    outcome: Outcome,
}

async fn step_batch(state: &State, alarms: Vec<Versioned<Alarm>>, now_ms: i64) -> Result<usize, Error> {
    let judging: Vec<Judging> = alarms.into_iter().filter_map(|found| judging(found, now_ms)).collect();
    let found = points(state, &judging, now_ms).await;
    let judged = judging.into_iter().zip(found);
    let changes: Vec<Change> = judged
        .filter_map(|(Judging { found, rule, .. }, points)| {
            let outcome = arithmetic::evaluate(&rule, &points?, now_ms)?;
            (outcome.state.as_str() != found.record.head.state.value).then_some(Change { found, outcome })
        })
        .collect();
    if changes.is_empty() {
        return Ok(0);
    }
    state.store.write(move |tx: &mut Transaction<'_>| write(tx, changes, now_ms)).await
}

fn judging(found: Versioned<Alarm>, now_ms: i64) -> Option<Judging> {
    let Alarm { head, rule } = &found.record;
    let read = |evaluable: &Rule| match &rule.watched {
        Watched::Metric(stat) => {
            Some(Read::Metric(Box::new(evaluable.query(alarm::metric(stat, &head.scope), now_ms))))
        }
        Watched::Queries { queries } => {
            Some(Read::Queries(Arc::new(alarm::plan(queries, &head.scope).ok()?)))
        }
    };
    let evaluable = alarm::evaluable(rule, &head.scope).and_then(|rule| Some((read(&rule)?, rule)));
    let Some((read, rule)) = evaluable else {
        tracing::error!(alarm = head.name, "an alarm's rule can't be read");
        return None;
    };
    Some(Judging { found, rule, read })
}

/// What each alarm judges; `None` where that can't be had.
async fn points(state: &State, judging: &[Judging], now_ms: i64) -> Vec<Option<Vec<Point>>> {
    let queries = judging.iter().filter_map(|judging| match &judging.read {
        Read::Metric(query) => Some((**query).clone()),
        Read::Queries(_) => None,
    });
    let mut together = state.telemetry.statistics(queries.collect()).await.ok().map(Vec::into_iter);
    let mut found = Vec::with_capacity(judging.len());
    for judging in judging {
        let read = match (&judging.read, &mut together) {
            (Read::Metric(_), Some(together)) => Ok(together.next().map(|read| arithmetic::points(&read))),
            (Read::Metric(query), None) => alone(state, query).await,
            (Read::Queries(plan), _) => reckoned(state, judging, plan, now_ms).await,
        };
        found.push(read.unwrap_or_else(|error| {
            tracing::error!(alarm = judging.found.record.head.name, %error, "an alarm's metrics can't be read");
            None
        }));
    }
    found
}

/// Reads for one alarm alone, because something is wrong with one of them.
async fn alone(state: &State, query: &MetricQuery) -> Result<Option<Vec<Point>>, Error> {
    let mut read = state.telemetry.statistics(vec![query.clone()]).await?;
    Ok(read.pop().map(|read| arithmetic::points(&read)))
}

/// The points of metric math, which must give one series.
async fn reckoned(
    state: &State,
    judging: &Judging,
    plan: &Arc<Plan>,
    now_ms: i64,
) -> Result<Option<Vec<Point>>, Error> {
    let window = Window::at(&judging.rule, now_ms);
    let span = Span { start_ms: window.start_ms, end_ms: window.end_ms, now_ms };
    let mut results = query::evaluate(state, plan, span).await?.results;
    if results.len() > 1 {
        return Err(Error::unsupported("An alarm on more than one time series"));
    }
    let point = |(at_ms, value)| Point { at_ms, value, sample_count: None };
    Ok(Some(results.pop().map(|series| series.points.into_iter().map(point).collect()).unwrap_or_default()))
}

fn write(tx: &mut Transaction<'_>, changes: Vec<Change>, now_ms: i64) -> Result<usize, Error> {
    let mut written = 0;
    let mut occasions: BTreeMap<Scope, Occasion> = BTreeMap::new();
    for Change { found, outcome } in changes {
        let mut alarm = found.record;
        // Whoever has changed the alarm meanwhile will see it judged by the next step.
        let is_same = tx.get::<Alarm>(&alarm.key())?.is_some_and(|present| present.rev == found.rev);
        if is_same {
            let Outcome { state, reason, reason_data } = outcome;
            let cause = Cause { reason, data: Some(reason_data) };
            alarm::transition(tx, &mut alarm, state, cause, now_ms)?;
            occasions.entry(alarm.head.scope).or_default().changed.insert(alarm.head.name);
            written += 1;
        }
    }
    for (scope, occasion) in occasions {
        written += alarm::settle(tx, &scope, occasion, now_ms)?;
    }
    Ok(written)
}

/// Lets the actions of composite alarms go that have been held back long enough.
async fn release(state: &State, now_ms: i64) -> Result<(), Error> {
    let scopes = state.read(move |store| alarm::with_due_actions(store, now_ms)).await?;
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
    use pitbird_records::alarm::{AlarmRule, MetricStatistic};
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
            threshold: 0.0,
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
                write(tx, vec![Change { found: Versioned { rev, record: alarm }, outcome }], 1)
            };
            store.write::<usize, Error>(change).await.expect("written")
        };
        assert_eq!(write_with(true).await, 0);
        assert_eq!(write_with(false).await, 1);
    }
}

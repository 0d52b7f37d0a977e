//! Runs one query.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pitbird_insights::{Answer, Event, Query, RunError, Worker};
use pitbird_telemetry::logs::{Flow, ScanProgress, ScanQuery, ScannedEvent, StreamChoice, Visit};

use super::{Entry, Start, Status};
use crate::{Error, State};

/// Longest run. Source: StartQuery.
const TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Starts a query on a task of its own, which ends by itself. [`Error::TooManyQueries`] when too many run.
pub fn start(state: &Arc<State>, start: Start) -> Result<(), Error> {
    let progress = Arc::new(ScanProgress::default());
    let entry = Entry {
        scope: start.scope.clone(),
        id: start.id,
        text: start.text,
        groups: start.groups.clone(),
        principal: start.principal,
        created_ms: start.now_ms,
        duration_ms: None,
        status: Status::Scheduled,
        progress: progress.clone(),
        answer: None,
        matched: 0,
        bytes: 0,
    };
    let number = state.queries.add(entry)?;
    let query = Arc::new(start.query);
    let scan = ScanQuery {
        scope: start.scope,
        groups: start.groups,
        streams: StreamChoice::All,
        start_ms: Some(start.start_ms),
        end_ms: Some(start.end_ms),
        needles: query.needles().iter().map(|needle| needle.clone().into_bytes()).collect(),
        latest_first: query.wants_latest_first(),
    };
    let state = state.clone();
    tokio::spawn(async move {
        let since = Instant::now();
        state.queries.change(number, |entry| {
            if entry.status == Status::Scheduled {
                entry.status = Status::Running;
            }
        });
        let ran = tokio::time::timeout(TIMEOUT, run(&state, query, scan, progress)).await;
        state.queries.change(number, |entry| end(entry, ran.ok(), since.elapsed()));
    });
    Ok(())
}

type Ran = Result<(Answer, u64), Failure>;

/// Why a query that was started answers nothing.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Query(#[from] RunError),
    #[error(transparent)]
    Telemetry(#[from] pitbird_telemetry::Error),
}

/// Writes down how a query ended; `None` for one that took too long.
fn end(entry: &mut Entry, ran: Option<Ran>, took: Duration) {
    entry.duration_ms = Some(took.as_millis() as i64);
    if entry.status == Status::Cancelled {
        return;
    }
    match ran {
        None => entry.status = Status::Timeout,
        Some(Err(error)) => {
            tracing::warn!(query = %entry.id, %error, "a query of logs failed");
            entry.status = Status::Failed;
        }
        Some(Ok((answer, matched))) => {
            let values = answer.rows.iter().flat_map(|row| row.values.iter().flatten().chain(&row.pointer));
            entry.bytes = entry.text.len() + values.map(|value| value.len() + 32).sum::<usize>();
            entry.matched = matched;
            entry.answer = Some(Arc::new(answer));
            entry.status = Status::Complete;
        }
    }
}

async fn run(state: &State, query: Arc<Query>, scan: ScanQuery, progress: Arc<ScanProgress>) -> Ran {
    let account = scan.scope.account.as_str().to_owned();
    let baseline = query.baseline(scan.start_ms.unwrap_or(0), scan.end_ms.unwrap_or(i64::MAX));
    let make = |worker: fn(Arc<Query>) -> Worker| {
        let (query, account) = (query.clone(), account.clone());
        move || Visitor {
            worker: worker(query.clone()),
            account: account.clone(),
            log: String::new(),
            group: String::new(),
            failed: None,
        }
    };
    let before = baseline.map(|(start_ms, end_ms)| ScanQuery {
        start_ms: Some(start_ms),
        end_ms: Some(end_ms),
        ..scan.clone()
    });
    let mut visitors = state.telemetry.scan(scan, progress.clone(), make(Worker::new)).await?;
    if let Some(scan) = before.filter(|_| visitors.iter().all(|visitor| visitor.failed.is_none())) {
        visitors.extend(state.telemetry.scan(scan, progress, make(Worker::of_baseline)).await?);
    }
    // Sorting and printing may take a while.
    let finished = tokio::task::spawn_blocking(move || finish(visitors)).await;
    finished.map_err(|_| pitbird_telemetry::Error::Closed)?.map_err(Failure::from)
}

fn finish(visitors: Vec<Visitor>) -> Result<(Answer, u64), RunError> {
    let mut whole: Option<Worker> = None;
    for visitor in visitors {
        if let Some(failed) = visitor.failed {
            return Err(failed);
        }
        match &mut whole {
            Some(whole) => whole.merge(visitor.worker)?,
            None => whole = Some(visitor.worker),
        }
    }
    match whole {
        Some(whole) => {
            let matched = whole.matched();
            Ok((whole.finish()?, matched))
        }
        None => Ok((Answer { names: Vec::new(), rows: Vec::new() }, 0)),
    }
}

/// One thread's part of a query.
struct Visitor {
    worker: Worker,
    account: String,
    /// `{account}:{group}` of the last event.
    log: String,
    group: String,
    failed: Option<RunError>,
}

impl Visit for Visitor {
    fn event(&mut self, event: &ScannedEvent<'_>) -> Flow {
        if self.group != event.group || self.log.is_empty() {
            event.group.clone_into(&mut self.group);
            self.log = format!("{}:{}", self.account, event.group);
        }
        let event = Event {
            log: &self.log,
            stream: event.stream,
            at_ms: event.at_ms,
            ingested_ms: event.ingested_ms,
            id: event.id.into(),
            pointer: &event.pointer,
            message: event.message,
        };
        match self.worker.push(&event) {
            Err(failed) => {
                self.failed = Some(failed);
                Flow::Stop
            }
            Ok(()) if self.worker.is_full() => Flow::Stop,
            Ok(()) => Flow::Next,
        }
    }
}

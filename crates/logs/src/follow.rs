//! The follower: looks at events as they are filed.
//!
//! One task takes from telemetry's tap and does all that is about events of a group as they come: metric filters, embedded
//! metrics, subscription filters, Live Tail. `look` is the arithmetic, done on a thread that may be busy; the rest puts
//! datapoints and hands events on. Each event is looked at once, a moment after it was filed. At an orderly end everything
//! filed is looked at before the task ends (what functions write while they are shut down no longer reaches a subscriber);
//! after a crash the last moments' events have been filed and not looked at.

mod defaults;
mod gathered;
mod look;
mod send;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pitbird_telemetry::logs::{Filed, Tap};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::live::Sessions;
use crate::{State, emf, export};
use defaults::{Defaults, Untaken};
use gathered::{Gathered, Series};
use look::{Seen, look};
use pitbird_telemetry::metrics::{Dimensions, Resolution};
use send::Sending;

/// Batches that are looked at together.
const TOGETHER: usize = 64;
/// The clock may be set while we wait; it is looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// The task that follows, until it is stopped or dropped.
pub struct Follower {
    sessions: Arc<Sessions>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Starts following what is filed from now on, and takes up export tasks that an earlier process has left. Needs a tokio runtime.
pub fn start_follower(state: Arc<State>) -> Follower {
    let (stop, stopped) = oneshot::channel();
    if let Err(error) = export::resume(&state) {
        tracing::error!(%error, "export tasks can't be taken up");
    }
    let sessions = state.sessions.clone();
    let following = Following::new(state);
    Follower { sessions, stop, task: tokio::spawn(following.run(stopped)) }
}

impl Follower {
    /// Has Live Tail's sessions end, each within a second, so that nobody who stops waits for them.
    pub fn end_sessions(&self) {
        self.sessions.end();
    }

    /// Ends the task, once all that was filed before has been looked at.
    pub async fn stop(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::error!("the task that looks at log events has panicked");
        }
    }
}

/// Following, step by step: tests take the steps themselves.
pub struct Following {
    state: Arc<State>,
    tap: Tap,
    defaults: Defaults,
    sending: Sending,
}

impl Following {
    pub fn new(state: Arc<State>) -> Following {
        let (filters, sessions) = (state.filters.clone(), state.sessions.clone());
        let tap = state.telemetry.tap(Arc::new(move |scope, group, text| {
            filters.has(scope, group) || sessions.are_about(scope, group) || emf::may_be_in(text)
        }));
        let sending = Sending::new(state.clone());
        Following { state, tap, defaults: Defaults::default(), sending }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            let wait = self.next_ms().map_or(LOOK_AGAIN, |next_ms| {
                Duration::from_millis(next_ms.saturating_sub(now_ms()).max(0) as u64).min(LOOK_AGAIN)
            });
            tokio::select! {
                // Comes, with an error, also when the follower is dropped.
                _ = &mut stopped => return self.finish().await,
                filed = self.tap.next() => match filed {
                    Some(filed) => self.take(filed, now_ms()).await,
                    None => return self.finish().await,
                },
                // A minute's default value is due, and no event says so.
                () = tokio::time::sleep(wait) => {}
            }
            self.step(now_ms()).await;
        }
    }

    /// Looks at everything that was filed, and decides what was still open.
    pub async fn finish(&mut self) {
        if let Err(error) = self.state.telemetry.flush().await {
            tracing::error!(%error, "the last log lines are not looked at");
        }
        self.catch_up(now_ms()).await;
        self.step(i64::MAX).await;
    }

    /// Looks at everything that has come out of the tap.
    pub async fn catch_up(&mut self, now_ms: i64) {
        while let Some(filed) = self.tap.try_next() {
            self.take(filed, now_ms).await;
        }
    }

    /// When something is due without any event, milliseconds since 1970.
    fn next_ms(&self) -> Option<i64> {
        self.defaults.next_ms().into_iter().chain(self.sending.next_ms()).min()
    }

    /// Does what is due.
    pub async fn step(&mut self, now_ms: i64) {
        let mut gathered = Gathered::default();
        self.defaults.due(now_ms).iter().for_each(|untaken| add_default(&mut gathered, untaken));
        self.put(gathered).await;
        self.sending.release(now_ms).await;
    }

    /// Looks at a batch and at those that wait behind it.
    pub async fn take(&mut self, filed: Filed, now_ms: i64) {
        let mut batches = vec![filed];
        batches.extend(std::iter::from_fn(|| self.tap.try_next()).take(TOGETHER - 1));
        let state = self.state.clone();
        let looking = tokio::task::spawn_blocking(move || look(&batches, &state, now_ms));
        let Seen { mut gathered, minutes, messages } = match looking.await {
            Ok(seen) => seen,
            Err(ended) => return tracing::error!(%ended, "log events couldn't be looked at"),
        };
        for (scope, filter, at_ms, is_taken) in minutes {
            if let Some(untaken) = self.defaults.note(&scope, &filter, at_ms, is_taken, now_ms) {
                add_default(&mut gathered, &untaken);
            }
        }
        self.put(gathered).await;
        self.sending.send(messages, now_ms).await;
    }

    async fn put(&self, gathered: Gathered) {
        if gathered.is_empty() {
            return;
        }
        for (scope, namespace, data) in gathered.into_puts() {
            if let Err(error) = self.state.telemetry.put(&scope, &namespace, data).await {
                tracing::error!(%error, %namespace, "datapoints of log events are lost");
            }
        }
    }
}

fn add_default(gathered: &mut Gathered, untaken: &Untaken) {
    let Untaken { scope, filter, at_ms } = untaken;
    let Some(default) = filter.default else { return };
    let series = Series {
        name: filter.name.clone(),
        dimensions: Dimensions::none(),
        unit: filter.unit,
        resolution: Resolution::Minute,
        at_ms: *at_ms,
    };
    gathered.add(scope, &filter.namespace, series, default);
}

pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as i64
}

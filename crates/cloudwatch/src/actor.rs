//! The actor: carries out what changes of state have set going, and writes down how that ended.
//!
//! A deed is written down together with the change of state and removed together with its place in the history: after a
//! crash it is carried out again rather than lost.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pitbird_names::{Scope, arn};
use pitbird_records::{AlarmDeed, Record};
use pitbird_store::Transaction;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::alarm::{self, Action};
use crate::{Error, State};

/// Deeds that are under way at the same time.
const RUNNING_MAX: usize = 32;
/// Deeds that are read together.
const READ_AHEAD: usize = 256;

/// What an alarm wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    pub scope: Scope,
    pub alarm_arn: String,
    pub action: Action,
    /// CloudWatch's event, JSON.
    pub event: String,
}

/// The end of a deed: nothing, or why it failed, for the alarm's history.
pub type Done<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Who carries deeds out. May be asked for the same deed twice.
pub trait Act: Send + Sync {
    fn act(&self, deed: Deed) -> Done<'_>;
}

/// The task that carries out, until it is stopped or dropped.
pub struct Actor {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Starts carrying out, first what an earlier run has left. Needs a tokio runtime.
pub fn start_actor(state: Arc<State>, act: Arc<dyn Act>) -> Actor {
    let (stop, stopped) = oneshot::channel();
    Actor { stop, task: tokio::spawn(run(state, act, stopped)) }
}

impl Actor {
    /// Ends the task. What is under way is broken off, and carried out anew by the next run.
    pub async fn stop(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::error!("the actor of alarms has panicked");
        }
    }
}

async fn run(state: Arc<State>, act: Arc<dyn Act>, mut stopped: oneshot::Receiver<()>) {
    let mut commits = state.store.watch_tables(&[AlarmDeed::TABLE]);
    let mut running = JoinSet::new();
    let mut line = Line::default();
    loop {
        commits.mark_unchanged();
        if let Err(error) = begin(&state, &act, &mut running, &mut line).await {
            tracing::error!(%error, "the actions of alarms can't be read");
        }
        tokio::select! {
            // Comes, with an error, also when the actor is dropped.
            _ = &mut stopped => return,
            Some(ended) = running.join_next() => match ended {
                Ok(Some(key)) => { line.under_way.remove(&key); }
                // It isn't written down, and waits for the next run rather than being done again and again.
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "an action of an alarm has panicked"),
            },
            changed = commits.changed() => if changed.is_err() { return },
        }
    }
}

/// Deeds that have been read.
#[derive(Default)]
struct Line {
    waiting: VecDeque<AlarmDeed>,
    /// The keys of those that have begun.
    under_way: HashSet<String>,
}

/// Begins as many of the deeds that wait as may run. Many are read at a time: thousands of alarms may change at once.
async fn begin(
    state: &Arc<State>,
    act: &Arc<dyn Act>,
    running: &mut JoinSet<Option<String>>,
    line: &mut Line,
) -> Result<(), pitbird_store::Error> {
    if running.len() == RUNNING_MAX {
        return Ok(());
    }
    if line.waiting.is_empty() {
        // Those that are under way are among the oldest.
        let wanted = READ_AHEAD + line.under_way.len();
        let deeds = state.read(move |store| alarm::pending(store, wanted)).await?;
        line.waiting.extend(deeds.into_iter().filter(|deed| !line.under_way.contains(&deed.key())));
    }
    while running.len() < RUNNING_MAX
        && let Some(deed) = line.waiting.pop_front()
    {
        let key = deed.key();
        line.under_way.insert(key.clone());
        let (state, act) = (state.clone(), act.clone());
        running.spawn(async move { carry_out(&state, &*act, deed).await.then_some(key) });
    }
    Ok(())
}

/// Is the end written down?
async fn carry_out(state: &State, act: &dyn Act, deed: AlarmDeed) -> bool {
    let ended = match Action::parse("Actions", &deed.action) {
        Ok(action) => {
            let (scope, alarm_arn) = (deed.scope.clone(), arn::alarm(&deed.scope, &deed.alarm));
            act.act(Deed { scope, alarm_arn, action, event: deed.event.clone() }).await
        }
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = &ended {
        tracing::warn!(alarm = deed.alarm, action = deed.action, error, "an action of an alarm has failed");
    }
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let write = move |tx: &mut Transaction<'_>| alarm::done(tx, &deed, &ended, now_ms);
    let written = state.store.write(write).await.map_err(Error::from);
    if let Err(error) = &written {
        tracing::error!(%error, "the end of an alarm's action can't be written down");
    }
    written.is_ok()
}

//! The sweeper: throws away what is kept no longer, once an hour.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pitbird_records::LogGroup;
use pitbird_telemetry::logs::GroupRetention;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{Error, State};

/// Time before the first sweep, so that a start isn't slowed down, and between two, seconds.
const FIRST_S: u64 = 60;
const BETWEEN_S: u64 = 3600;

/// The task that sweeps, until it is stopped or dropped.
pub struct Sweeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Starts sweeping, soon and then each hour. Needs a tokio runtime.
pub fn start_sweeper(state: Arc<State>) -> Sweeper {
    let (stop, mut stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let mut wait_s = FIRST_S;
        loop {
            tokio::select! {
                // Comes, with an error, also when the sweeper is dropped.
                _ = &mut stopped => return,
                () = tokio::time::sleep(Duration::from_secs(wait_s)) => {}
            }
            wait_s = BETWEEN_S;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            if let Err(error) = sweep(&state, since.as_millis() as i64).await {
                tracing::error!(%error, "expired logs and metrics can't be thrown away");
            }
        }
    });
    Sweeper { stop, task }
}

impl Sweeper {
    /// Ends the task, after the sweep that is on.
    pub async fn stop(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::error!("the sweeper has panicked");
        }
    }
}

/// Throws away the events that are older than their groups keep them, and metrics that CloudWatch keeps no longer. `now_ms`
/// in milliseconds since 1970.
pub async fn sweep(state: &State, now_ms: i64) -> Result<(), Error> {
    let groups = state.store.list::<LogGroup>("")?;
    let retention = groups.into_iter().filter_map(|found| {
        let LogGroup { scope, name, retention_days, .. } = found.record;
        Some(GroupRetention { scope, group: name, days: retention_days? })
    });
    state.telemetry.sweep(now_ms, retention.collect()).await?;
    Ok(())
}

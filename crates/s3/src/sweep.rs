//! The sweeper: frees what deleted and replaced contents take, once an hour.
//!
//! It doesn't ask whose a blob is: what no record of any service names goes.

use std::time::{Duration, SystemTime};

use pitbird_store::{Error, Removed, Store};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Time before the first sweep, so that a start isn't slowed down, and between two, seconds.
const FIRST_S: u64 = 120;
const BETWEEN_S: u64 = 3600;
/// A blob is left alone for so long after it was put, seconds: its record may still be to come.
const YOUNG_S: u64 = 3600;

/// The task that sweeps, until it is stopped or dropped.
pub struct Sweeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Starts sweeping, soon and then each hour. Needs a tokio runtime.
pub fn start_sweeper(store: Store) -> Sweeper {
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
            let store = store.clone();
            match tokio::task::spawn_blocking(move || sweep(&store)).await {
                Ok(Ok(removed)) if removed.blobs > 0 => {
                    tracing::info!(removed.blobs, removed.bytes, "blobs that nothing names were removed");
                }
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::error!(%error, "unused blobs can't be removed"),
                Err(error) => tracing::error!(%error, "the sweep has panicked"),
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

fn sweep(store: &Store) -> Result<Removed, Error> {
    let put_before = SystemTime::now() - Duration::from_secs(YOUNG_S);
    store.remove_unnamed_blobs(put_before)
}

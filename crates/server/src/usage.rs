//! Writes down how often API keys have called: behind the requests, many at once.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use pitbird_edge::Edge;
use pitbird_records::Usage;
use pitbird_store::Store;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How often it is written down. What was counted since is lost if the process is killed.
const PERIOD: Duration = Duration::from_secs(1);

/// The task that writes, until it is stopped.
pub struct UsageKeeper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl UsageKeeper {
    /// Hands the edge what earlier runs wrote, and starts writing.
    pub fn start(store: Store, edge: Arc<Edge>) -> Result<UsageKeeper> {
        let earlier = store.list::<Usage>("")?;
        edge.usage().restore(earlier.into_iter().map(|usage| usage.record));
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            loop {
                let is_over = tokio::time::timeout(PERIOD, &mut stopped).await.is_ok();
                write(&store, &edge).await;
                if is_over {
                    return;
                }
            }
        });
        Ok(UsageKeeper { stop, task })
    }

    /// Writes what is left. Nobody may call any more.
    pub async fn stop(self) {
        let _already_ended = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the usage of API keys wasn't written to the end");
        }
    }
}

async fn write(store: &Store, edge: &Edge) {
    let changed = edge.usage().changed(&store.snapshot());
    if changed.is_empty() {
        return;
    }
    let records = changed.clone();
    let written = store
        .write(move |transaction| records.iter().try_for_each(|usage| transaction.put(usage).map(|_| ())));
    if let Err(error) = written.await {
        tracing::error!(%error, "the usage of API keys can't be written");
        edge.usage().not_written(&changed);
    }
}

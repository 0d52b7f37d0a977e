//! Tells triggers what there is to tell: a notice is written down with the change that it tells of, and removed once it was
//! told, or could not be. After a crash it is told again rather than lost.

use std::collections::HashSet;
use std::sync::Arc;

use pitbird_records::{DeploymentNotice, Record};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Parts, Told};

/// Notices that are told at the same time.
const RUNNING_MAX: usize = 16;

pub async fn run(parts: Arc<Parts>, mut stopped: watch::Receiver<bool>) {
    let mut commits = parts.store.watch_tables(&[DeploymentNotice::TABLE]);
    let mut running = JoinSet::new();
    let mut under_way = HashSet::new();
    loop {
        commits.mark_unchanged();
        begin(&parts, &mut running, &mut under_way);
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            Some(ended) = running.join_next() => match ended {
                Ok(Some(key)) => { under_way.remove::<String>(&key); }
                // It couldn't be removed, and waits for the next run rather than being told again and again.
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "telling a trigger has panicked"),
            },
            changed = commits.changed() => if changed.is_err() { return },
        }
    }
}

fn begin(parts: &Arc<Parts>, running: &mut JoinSet<Option<String>>, under_way: &mut HashSet<String>) {
    let room = RUNNING_MAX - running.len();
    if room == 0 {
        return;
    }
    // Those that are under way are among the oldest.
    let pending = match parts.store.page::<DeploymentNotice>("", None, room + under_way.len()) {
        Ok(pending) => pending,
        Err(error) => {
            tracing::error!(%error, "what triggers are to be told can't be read");
            return;
        }
    };
    let fresh = pending.into_iter().map(|found| found.record);
    for notice in fresh.filter(|notice| !under_way.contains(&notice.key())).take(room).collect::<Vec<_>>() {
        under_way.insert(notice.key());
        running.spawn(tell(parts.clone(), notice));
    }
}

/// The notice's key, once it is removed.
async fn tell(parts: Arc<Parts>, notice: DeploymentNotice) -> Option<String> {
    let key = notice.key();
    let DeploymentNotice { scope, target, group_arn, event, deployment, .. } = notice;
    if let Err(error) = (parts.tell)(Told { scope, target: target.clone(), group_arn, event }).await {
        tracing::warn!(deployment, target, error, "a trigger could not be told");
    }
    let told = key.clone();
    let forget = parts.store.write(move |tx| tx.delete::<DeploymentNotice>(&told).map(drop));
    let forgotten: Result<(), pitbird_store::Error> = forget.await;
    if let Err(error) = &forgotten {
        tracing::error!(%error, "that a trigger was told can't be written down");
    }
    forgotten.is_ok().then_some(key)
}

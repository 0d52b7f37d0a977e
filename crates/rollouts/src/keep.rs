//! How many ended rollouts are kept.

use pitbird_names::Scope;
use pitbird_records::rollout::after_claim;
use pitbird_records::{Record, RolloutClaim, key, prefix};
use pitbird_store::{Error, Store, Transaction};

use crate::{Entry, Rollout};

/// Rollouts of one account and region, those that run included. The longest ended ones go first.
pub const ROLLOUTS_MAX: usize = 300;
/// Entries that one commit deletes, so that other writers needn't wait long.
const ENTRIES_AT_ONCE: usize = 500;

/// Makes room for one more among `rollouts_max`: deletes entries before their rollout, so that a crash in between leaves no orphans that a
/// rollout of the same name would find.
pub async fn make_room(store: &Store, scope: &Scope, rollouts_max: usize) -> Result<(), Error> {
    let mut all: Vec<Rollout> =
        store.list(&prefix(scope, &[]))?.into_iter().map(|found| found.record).collect();
    let over = (all.len() + 1).saturating_sub(rollouts_max);
    all.retain(|rollout| rollout.ended_ms.is_some());
    all.sort_by_key(|rollout| rollout.ended_ms);
    for rollout in all.into_iter().take(over) {
        forget(store, rollout).await?;
    }
    Ok(())
}

async fn forget(store: &Store, rollout: Rollout) -> Result<(), Error> {
    let entries = prefix(&rollout.scope, &[&rollout.name]);
    loop {
        let page = store.page::<Entry>(&entries, None, ENTRIES_AT_ONCE)?;
        if page.is_empty() {
            break;
        }
        let delete = move |tx: &mut Transaction<'_>| {
            page.iter().try_for_each(|entry| tx.delete::<Entry>(&entry.record.key()).map(|_| ()))
        };
        store.write::<(), Error>(delete).await?;
    }
    let delete = move |tx: &mut Transaction<'_>| {
        tx.delete::<RolloutClaim>(&key(&rollout.scope, &[&after_claim(&rollout.name)]))?;
        tx.delete::<Rollout>(&rollout.key())
    };
    store.write::<bool, Error>(delete).await.map(|_| ())
}

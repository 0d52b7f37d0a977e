//! Writing down what a look led to: rollout, entries and target in one commit, or nothing.

use pitbird_records::rollout::{after_claim, entry_part};
use pitbird_records::{Record, RolloutClaim, key};
use pitbird_rollout::Plan;
use pitbird_store::{Error, Store, Transaction};
use thiserror::Error;

use crate::target::{Written, extra, put};
use crate::turn::Turn;
use crate::{Entry, Rollout};

/// Entries of one rollout that are kept, about 20 MB; a look every second fills them in eleven hours. The oldest go first,
/// and a rollout that has lost some can't be replayed from its beginning.
pub const ENTRIES_MAX: u64 = 40_000;

/// The same for a rollout with this plan: an entry with many routes is longer by as much.
fn entries_max(plan: &Plan) -> u64 {
    ENTRIES_MAX / (1 + plan.judged().routes.len() as u64)
}

/// Why nothing was written.
#[derive(Debug, Error)]
pub enum Lost {
    /// Rollout or target were written by somebody else since they were read: read again.
    #[error("somebody else was faster")]
    Stale,
    #[error(transparent)]
    Store(#[from] Error),
}

/// Writes a turn that was taken from the rollout at revision `rev`.
pub async fn turn(store: &Store, turn: &Turn, rev: u64) -> Result<(), Lost> {
    let (rollout, records, target) = (turn.rollout.clone(), turn.records.clone(), turn.target.clone());
    let write = move |tx: &mut Transaction<'_>| {
        fresh(put(tx, &rollout, rev)?)?;
        let first = rollout.entries - records.len() as u64 + 1;
        for (number, record) in (first..).zip(records) {
            entry(tx, &rollout, number, record)?;
        }
        if let Some(target) = target {
            fresh(target.write(tx)?)?;
        }
        settle_claims(tx, &rollout)?;
        Ok(())
    };
    store.write(write).await
}

/// Writes when the newest change became live.
pub async fn live(store: &Store, rollout_key: String, generation: u64, live_ms: u64) -> Result<(), Error> {
    let write = move |tx: &mut Transaction<'_>| {
        let Some(found) = tx.get::<Rollout>(&rollout_key)? else { return Ok(()) };
        let mut rollout = found.record;
        let shifts = rollout.shifts.iter_mut().filter(|shift| shift.generation == generation);
        shifts.for_each(|shift| shift.live_ms = Some(live_ms));
        tx.put(&rollout).map(|_| ())
    };
    store.write(write).await
}

pub fn entry(
    tx: &mut Transaction<'_>,
    rollout: &Rollout,
    number: u64,
    record: pitbird_rollout::Record,
) -> Result<(), Error> {
    let (scope, name) = (rollout.scope.clone(), rollout.name.clone());
    if let Some(old) = number.checked_sub(entries_max(&rollout.plan)).filter(|old| *old > 0) {
        tx.delete::<Entry>(&key(&scope, &[&name, &entry_part(old)]))?;
    }
    tx.put(&Entry { scope, rollout: name, number, record }).map(|_| ())
}

/// The claims that a rollout has while it runs.
pub fn claims(rollout: &Rollout) -> Vec<RolloutClaim> {
    rollout.target.claims().into_iter().map(|target| claim(rollout, target)).collect()
}

fn claim(rollout: &Rollout, target: String) -> RolloutClaim {
    RolloutClaim { scope: rollout.scope.clone(), target, rollout: rollout.name.clone() }
}

/// Once it has ended the target is free; a rollout that somebody is still to be told of is found by another claim.
fn settle_claims(tx: &mut Transaction<'_>, rollout: &Rollout) -> Result<(), Error> {
    if rollout.state.outcome().is_none() {
        return Ok(());
    }
    let mut is_held = false;
    for own in claims(rollout) {
        // Somebody else may have claimed the target since.
        if tx.get::<RolloutClaim>(&own.key())?.is_some_and(|found| found.record == own) {
            tx.delete::<RolloutClaim>(&own.key())?;
            is_held = true;
        }
    }
    if is_held {
        extra::let_cool(tx, rollout)?;
    }
    let after = claim(rollout, after_claim(&rollout.name));
    if rollout.state.is_over(&rollout.plan) {
        tx.delete::<RolloutClaim>(&after.key()).map(|_| ())
    } else {
        tx.put(&after).map(|_| ())
    }
}

fn fresh(written: Written) -> Result<(), Lost> {
    match written {
        Written::Yes => Ok(()),
        Written::Stale => Err(Lost::Stale),
    }
}

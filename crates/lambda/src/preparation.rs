//! From `Pending` to `Active` and from `InProgress` to `Successful`: a function's code is unpacked in the background,
//! and only then is the new state served.
//!
//! What is to be done stands in the store, as a version that is pending or as an update, so a restart takes it up again
//! ([`Preparations::resume`]), and doing it twice does no harm.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use pitbird_names::{Qualifier, Scope, VersionId};
use pitbird_records::FunctionVersion;
use pitbird_records::function::{Code, LastUpdate, State};
use pitbird_store::{Store, Transaction};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::find::{self, Records};
use crate::run::Run;
use crate::update::Update;
use crate::{Entropy, Error, Target};

/// Functions whose code is prepared at the same time; the others wait their turn.
const PREPARED_MAX: usize = 2;

/// The tasks that prepare code. They end with this.
pub struct Preparations {
    work: Arc<Work>,
    tasks: Mutex<JoinSet<()>>,
}

struct Work {
    store: Store,
    run: Arc<dyn Run>,
    entropy: Entropy,
    turns: Semaphore,
}

impl Preparations {
    pub fn new(store: Store, run: Arc<dyn Run>, entropy: Entropy) -> Preparations {
        let turns = Semaphore::new(PREPARED_MAX);
        Preparations { work: Arc::new(Work { store, run, entropy, turns }), tasks: Mutex::default() }
    }

    /// Prepares what is pending of a function.
    pub fn start(&self, target: &Target) {
        let (work, target) = (self.work.clone(), Target { qualifier: None, ..target.clone() });
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let Ok(_turn) = work.turns.acquire().await else { return };
            if let Err(error) = work.prepare(&target).await {
                tracing::error!(function = %target.arn(), %error, "a function's state can't be stored");
            }
        });
    }

    /// Takes up what an earlier process left undone.
    pub fn resume(&self) -> Result<(), Error> {
        let pending = |version: &FunctionVersion| version.state == State::Pending;
        let versions: Vec<FunctionVersion> = Records::list(&self.work.store, "")?;
        let versions = versions.into_iter().filter(pending).map(|version| (version.scope, version.name));
        let updates: Vec<Update> = Records::list(&self.work.store, "")?;
        let updates = updates.into_iter().map(|update| (update.scope, update.name));
        let undone: BTreeSet<(Scope, String)> = versions.chain(updates).collect();
        for (scope, name) in undone {
            self.start(&Target { scope, name, qualifier: None });
        }
        Ok(())
    }

    /// Waits until everything that was started is done.
    pub async fn finish(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }
}

impl Work {
    async fn prepare(&self, target: &Target) -> Result<(), Error> {
        for code in self.codes(target)? {
            let prepared = self.run.prepare(&code).await;
            if let Err(error) = &prepared {
                tracing::error!(function = %target.arn(), %error, "a function's code can't be prepared");
            }
            let (target, entropy) = (target.clone(), self.entropy);
            self.store.write(move |tx| settle(tx, &target, &code, prepared.is_ok(), entropy)).await?;
        }
        Ok(())
    }

    /// The code of what is pending.
    fn codes(&self, target: &Target) -> Result<Vec<Code>, Error> {
        let versions: Vec<FunctionVersion> = Records::list(&self.store, &target.prefix())?;
        let pending = versions.into_iter().filter(|version| version.state == State::Pending);
        let update = find::update(&self.store, target)?.map(|update| update.code);
        let mut codes: Vec<Code> = pending.map(|version| version.code).chain(update).collect();
        codes.sort_by(|one, other| one.sha256_hex.cmp(&other.sha256_hex));
        codes.dedup();
        Ok(codes)
    }
}

/// Writes down what became of all that has this code.
fn settle(
    tx: &mut Transaction<'_>,
    target: &Target,
    code: &Code,
    is_prepared: bool,
    entropy: Entropy,
) -> Result<(), Error> {
    let revision = || pitbird_names::uuid(entropy());
    let versions: Vec<FunctionVersion> = Records::list(&*tx, &target.prefix())?;
    for version in versions {
        if version.state != State::Pending || version.code != *code {
            continue;
        }
        let (state, last_update) = match is_prepared {
            true => (State::Active, LastUpdate::Successful),
            false => (State::Failed { code: internal(), reason: reason() }, LastUpdate::None),
        };
        tx.put(&FunctionVersion { state, last_update, revision_id: revision(), ..version })?;
    }
    let Some(update) = find::update(tx, target)?.filter(|update| update.code == *code) else { return Ok(()) };
    tx.delete::<Update>(&pitbird_records::Record::key(&update))?;
    let head = find::head(tx, &target.with(Qualifier::Version(VersionId::Latest)))?;
    let (head, last_update) = match is_prepared {
        true => (FunctionVersion { state: State::Active, ..update.applied(head) }, LastUpdate::Successful),
        false => (head, LastUpdate::Failed { code: internal(), reason: reason() }),
    };
    tx.put(&FunctionVersion { last_update, revision_id: revision(), ..head })?;
    Ok(())
}

fn internal() -> String {
    "InternalError".to_owned()
}

fn reason() -> String {
    "The function's code could not be prepared because of an internal error.".to_owned()
}

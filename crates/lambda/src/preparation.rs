//! From `Pending` to `Active` and from `InProgress` to `Successful`: a function's code is unpacked in the background,
//! and only then is the new state served.
//!
//! What is to be done stands in the store, as a version that is pending or as an update, so a restart takes it up again
//! ([`Preparations::resume`]), and doing it twice does no harm.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use pitbird_invoke::{CodeError, Refused};
use pitbird_names::{Scope, VersionId};
use pitbird_records::function::{Code, LastUpdate, Settings, State};
use pitbird_records::{FunctionVersion, Record};
use pitbird_snapshot::Version;
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
        let snapshot = self.work.store.snapshot();
        let versions = snapshot.functions().flat_map(|function| function.versions.values());
        let pending = versions.map(|version| &version.record).filter(|record| record.state == State::Pending);
        let versions = pending.map(|record| (record.scope.clone(), record.name.clone()));
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
        let Some(pending) = self.pending(target)? else { return Ok(()) };
        let version = Version { rev: 0, record: pending, slot: Default::default() };
        let prepared = self.run.prepare(&version).await;
        if matches!(prepared, Err(Refused::ShuttingDown)) {
            // The next start takes it up.
            return Ok(());
        }
        let failure = prepared.err().map(|refused| {
            tracing::warn!(function = %target.arn(), %refused, "a function can't be made ready");
            Failure::of(&refused)
        });
        let settlement =
            Settlement { target: target.clone(), of: version.record, failure, entropy: self.entropy };
        self.store.write(move |tx| settlement.write(tx)).await
    }

    /// What is pending. Everything that is pending of a function at the same time has the same code and settings.
    fn pending(&self, target: &Target) -> Result<Option<FunctionVersion>, Error> {
        let mut versions: Vec<FunctionVersion> = Records::list(&self.store, &target.prefix())?;
        if let Some(pending) = versions.iter().position(|version| version.state == State::Pending) {
            return Ok(Some(versions.swap_remove(pending)));
        }
        let head = versions.into_iter().find(|version| version.version == VersionId::Latest);
        let update = find::update(&self.store, target)?;
        Ok(update.zip(head).map(|(update, head)| update.applied(head)))
    }
}

/// Why something can't be made ready: `StateReasonCode` and `StateReason`.
#[derive(Debug, Clone)]
struct Failure {
    code: String,
    reason: String,
}

impl Failure {
    fn of(refused: &Refused) -> Failure {
        match refused {
            Refused::Runtime(error) => {
                Failure { code: "InvalidRuntime".to_owned(), reason: error.to_string() }
            }
            Refused::Code(CodeError::Zip { source, .. }) if source.message().is_some() => {
                let reason = source.message().unwrap_or_default().to_owned();
                Failure { code: "InvalidZipFileException".to_owned(), reason }
            }
            _ => Failure {
                code: "InternalError".to_owned(),
                reason: "The function's code could not be prepared because of an internal error.".to_owned(),
            },
        }
    }
}

/// What became of everything that has the code, the layers and the runtime of `of`.
struct Settlement {
    target: Target,
    of: FunctionVersion,
    failure: Option<Failure>,
    entropy: Entropy,
}

impl Settlement {
    fn write(self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let versions: Vec<FunctionVersion> = Records::list(&*tx, &self.target.prefix())?;
        for version in versions {
            if version.state != State::Pending || !self.concerns(&version.settings, &version.code) {
                continue;
            }
            let (state, last_update) = match &self.failure {
                None => (State::Active, LastUpdate::Successful),
                Some(Failure { code, reason }) => {
                    let (code, reason) = (code.clone(), reason.clone());
                    (State::Failed { code, reason }, LastUpdate::None)
                }
            };
            tx.put(&FunctionVersion { state, last_update, revision_id: self.revision(), ..version })?;
        }
        self.settle_update(tx)
    }

    fn settle_update(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let Some(update) = find::update(tx, &self.target)? else { return Ok(()) };
        if !self.concerns(&update.settings, &update.code) {
            return Ok(());
        }
        tx.delete::<Update>(&update.key())?;
        let head = find::head(tx, &self.target)?;
        let head = match &self.failure {
            None => {
                let (state, last_update) = (State::Active, LastUpdate::Successful);
                FunctionVersion { state, last_update, ..update.applied(head) }
            }
            Some(Failure { code, reason }) => {
                let (code, reason) = (code.clone(), reason.clone());
                FunctionVersion { last_update: LastUpdate::Failed { code, reason }, ..head }
            }
        };
        tx.put(&FunctionVersion { revision_id: self.revision(), ..head })?;
        Ok(())
    }

    fn concerns(&self, settings: &Settings, code: &Code) -> bool {
        let of = &self.of;
        *code == of.code && settings.runtime == of.settings.runtime && settings.layers == of.settings.layers
    }

    fn revision(&self) -> String {
        pitbird_names::uuid((self.entropy)())
    }
}

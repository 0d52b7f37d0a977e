//! Drives every deployment that has not ended: one task each, owned by [`Executor::run`]; and one that tells triggers.

mod drive;
mod tell;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pitbird_records::{DeploymentClaim, FunctionDeployment, Record, key};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};

use crate::{Error, Parts};
use drive::Driver;

/// Deployments that may wait for the executor.
const WAITING_MAX: usize = 64;
/// After a driver broke down, so long until the next one takes its deployment over.
const TAKE_OVER_AFTER: Duration = Duration::from_secs(1);

/// Runs the deployments of a store; made by [`crate::new`].
pub struct Executor {
    parts: Arc<Parts>,
    drivers: Arc<Drivers>,
    assigned: mpsc::Receiver<Assignment>,
}

/// Those who drive deployments, by the deployments' keys.
pub struct Drivers {
    bells: Mutex<HashMap<String, Arc<Notify>>>,
    assign: mpsc::Sender<Assignment>,
}

/// A deployment to be driven.
struct Assignment {
    deployment: String,
    /// Rings when somebody else has written the deployment.
    bell: Arc<Notify>,
}

struct Tasks {
    set: JoinSet<()>,
    deployments: HashMap<Id, String>,
    stopped: watch::Receiver<bool>,
}

pub(crate) fn new(parts: Arc<Parts>) -> (Arc<Drivers>, Executor) {
    let (assign, assigned) = mpsc::channel(WAITING_MAX);
    let drivers = Arc::new(Drivers { bells: Mutex::default(), assign });
    (drivers.clone(), Executor { parts, drivers, assigned })
}

/// What a hook's function has to answer with: nobody can guess it.
pub(crate) fn execution_id(draw: u128) -> String {
    STANDARD.encode(pitbird_names::uuid(draw))
}

impl Executor {
    /// Takes up the deployments that a former run left, drives them and all that are made, until `stop`; then lets every
    /// commit under way finish. Fails only when the store can't be read at the beginning.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let (stopping, stopped) = watch::channel(false);
        let mut tasks = Tasks { set: JoinSet::new(), deployments: HashMap::new(), stopped: stopped.clone() };
        let teller = tokio::spawn(tell::run(self.parts.clone(), stopped));
        for claim in self.parts.store.list::<DeploymentClaim>("")? {
            let deployment = key(&claim.record.scope, &[&claim.record.deployment]);
            let assignment = self.drivers.assignment(deployment);
            assignment.into_iter().for_each(|assignment| self.start(&mut tasks, assignment, Duration::ZERO));
        }
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(assignment) = self.assigned.recv() => self.start(&mut tasks, assignment, Duration::ZERO),
                Some(ended) = tasks.set.join_next_with_id() => self.take_over(&mut tasks, ended),
            }
        }
        // Nobody listens any more when all have ended already.
        let _ = stopping.send(true);
        while tasks.set.join_next().await.is_some() {}
        if teller.await.is_err() {
            tracing::error!("the teller of triggers has panicked");
        }
        Ok(())
    }

    fn start(&self, tasks: &mut Tasks, assignment: Assignment, after: Duration) {
        let deployment = assignment.deployment.clone();
        let (parts, drivers) = (self.parts.clone(), self.drivers.clone());
        let stopped = tasks.stopped.clone();
        let task = tasks.set.spawn(async move {
            // After a driver broke down: what broke it may pass, and nothing would tell of that.
            tokio::time::sleep(after).await;
            let Assignment { deployment, bell } = assignment;
            let rollback = Driver::new(parts, deployment.clone(), bell).run(stopped).await;
            drivers.dismiss(&deployment);
            if let Some(rollback) = rollback {
                drivers.drive(rollback).await;
            }
        });
        tasks.deployments.insert(task.id(), deployment);
    }

    /// A driver that broke down is replaced.
    fn take_over(&self, tasks: &mut Tasks, ended: Result<(Id, ()), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        let (Some(deployment), Err(error)) = (tasks.deployments.remove(&id), ended) else { return };
        tracing::error!(deployment, %error, "a deployment's driver broke down; another takes over");
        self.drivers.dismiss(&deployment);
        let assignment = self.drivers.assignment(deployment);
        assignment.into_iter().for_each(|assignment| self.start(tasks, assignment, TAKE_OVER_AFTER));
    }
}

impl Drivers {
    /// Has a deployment driven that was just written down, by its key.
    pub async fn drive(&self, deployment: String) {
        let Some(assignment) = self.assignment(deployment) else { return };
        if let Err(lost) = self.assign.send(assignment).await {
            // The executor has stopped; the next one takes the deployment up from the store.
            self.dismiss(&lost.0.deployment);
        }
    }

    /// Lets a deployment's driver look at once.
    pub fn ring(&self, deployment: &FunctionDeployment) {
        if let Some(bell) = self.bells().get(&deployment.key()) {
            bell.notify_one();
        }
    }

    /// Lets every driver look at once: what several deployments may depend on has changed.
    pub fn ring_all(&self) {
        self.bells().values().for_each(|bell| bell.notify_one());
    }

    /// A new driver's assignment; none when the deployment has a driver.
    fn assignment(&self, deployment: String) -> Option<Assignment> {
        let mut bells = self.bells();
        if bells.contains_key(&deployment) {
            return None;
        }
        let bell = Arc::new(Notify::new());
        bells.insert(deployment.clone(), bell.clone());
        Some(Assignment { deployment, bell })
    }

    fn dismiss(&self, deployment: &str) {
        self.bells().remove(deployment);
    }

    fn bells(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        // Every holder leaves the map whole, so one that panicked did no harm.
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Drives every rollout that has not ended: one task each, owned by [`Executor::run`].

mod ask;
mod drive;
mod probe;
mod tell;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pitbird_records::{Record, RolloutClaim, key};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{Id, JoinError, JoinSet};

use crate::turn::Wish;
use crate::{Error, Parts, Rollout};
use drive::Driver;

/// Orders that may wait for one rollout, and rollouts that may wait for the executor.
const WAITING_MAX: usize = 64;
/// After a driver broke down, so long until the next one takes its rollout over.
const TAKE_OVER_AFTER: Duration = Duration::from_secs(1);

/// Runs the rollouts of a store; made by [`crate::new`].
pub struct Executor {
    parts: Arc<Parts>,
    drivers: Arc<Drivers>,
    assigned: mpsc::Receiver<Assignment>,
}

/// Where orders for running rollouts go.
pub struct Drivers {
    by_rollout: Mutex<HashMap<String, mpsc::Sender<Box<Order>>>>,
    assign: mpsc::Sender<Assignment>,
}

/// What a person wants of a rollout.
pub struct Order {
    pub wish: Wish,
    pub answer: oneshot::Sender<Result<Obeyed, Error>>,
}

/// What came of an order.
pub struct Obeyed {
    pub rollout: Rollout,
    /// It came too late or too early and had no effect.
    pub is_ignored: bool,
}

/// A rollout to be driven.
struct Assignment {
    /// The key of the rollout's record.
    rollout: String,
    /// Boxed, since a channel makes places for 32 at once.
    orders: mpsc::Receiver<Box<Order>>,
    since: Since,
}

/// From when on what is counted is a rollout's evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// The server's start: the weight that the store knows was there before the first request.
    ServerStart,
    /// The driver's start: what was counted before was told by another driver, or was before the rollout.
    Now,
}

/// The drivers at work.
struct Tasks {
    set: JoinSet<()>,
    rollouts: HashMap<Id, String>,
    stopped: watch::Receiver<bool>,
}

pub(crate) fn new(parts: Arc<Parts>) -> (Arc<Drivers>, Executor) {
    let (assign, assigned) = mpsc::channel(WAITING_MAX);
    let drivers = Arc::new(Drivers { by_rollout: Mutex::default(), assign });
    (drivers.clone(), Executor { parts, drivers, assigned })
}

impl Executor {
    /// Takes up the rollouts that a former run left, drives them and all that are started, until `stop`; then lets
    /// every commit under way finish. Fails only when the store can't be read at the beginning.
    ///
    /// It is to run before the data plane counts its first request: whatever was counted when it takes a rollout up is
    /// that rollout's evidence.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let (stopping, stopped) = watch::channel(false);
        let mut tasks = Tasks { set: JoinSet::new(), rollouts: HashMap::new(), stopped };
        for claim in self.parts.store.list::<RolloutClaim>("")? {
            let rollout = key(&claim.record.scope, &[&claim.record.rollout]);
            let assignment = self.drivers.assignment(rollout, Since::ServerStart);
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
        // Nobody listens any more when all drivers have ended already.
        let _ = stopping.send(true);
        while tasks.set.join_next().await.is_some() {}
        Ok(())
    }

    fn start(&self, tasks: &mut Tasks, assignment: Assignment, after: Duration) {
        let rollout = assignment.rollout.clone();
        let (parts, drivers) = (self.parts.clone(), self.drivers.clone());
        let stopped = tasks.stopped.clone();
        let task = tasks.set.spawn(async move {
            // After a driver broke down: what broke it may pass, and nothing would tell of that.
            tokio::time::sleep(after).await;
            let rollout = assignment.rollout.clone();
            let (tell, stopping) = (parts.tell.clone(), stopped.clone());
            let drive = |notices| async move {
                Driver::new(parts, assignment, notices).run(stopped, || drivers.dismiss(&rollout)).await;
            };
            tell::beside(tell, stopping, drive).await;
        });
        tasks.rollouts.insert(task.id(), rollout);
    }

    /// A driver that broke down is replaced.
    fn take_over(&self, tasks: &mut Tasks, ended: Result<(Id, ()), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        let (Some(rollout), Err(error)) = (tasks.rollouts.remove(&id), ended) else { return };
        tracing::error!(rollout, %error, "a rollout's driver broke down; another takes over");
        self.drivers.dismiss(&rollout);
        let assignment = self.drivers.assignment(rollout, Since::Now);
        assignment.into_iter().for_each(|assignment| self.start(tasks, assignment, TAKE_OVER_AFTER));
    }
}

impl Drivers {
    /// Has a rollout driven that was just written down.
    pub async fn drive(&self, rollout: &Rollout) {
        let Some(assignment) = self.assignment(rollout.key(), Since::Now) else { return };
        if let Err(lost) = self.assign.send(assignment).await {
            // The executor has stopped; the next one takes the rollout up from the store.
            self.dismiss(&lost.0.rollout);
        }
    }

    /// Hands an order to the rollout's driver and waits until it was obeyed.
    pub async fn order(&self, rollout: &Rollout, wish: Wish) -> Result<Obeyed, Error> {
        let gone = || Error::NotDriven(rollout.name.clone());
        let driver = self.by_rollout().get(&rollout.key()).cloned().ok_or_else(gone)?;
        let (answer, answered) = oneshot::channel();
        driver.send(Box::new(Order { wish, answer })).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// A new driver's assignment; none when the rollout has a driver.
    fn assignment(&self, rollout: String, since: Since) -> Option<Assignment> {
        let mut by_rollout = self.by_rollout();
        if by_rollout.contains_key(&rollout) {
            return None;
        }
        let (sender, orders) = mpsc::channel(WAITING_MAX);
        by_rollout.insert(rollout.clone(), sender);
        Some(Assignment { rollout, orders, since })
    }

    fn dismiss(&self, rollout: &str) {
        self.by_rollout().remove(rollout);
    }

    fn by_rollout(&self) -> std::sync::MutexGuard<'_, HashMap<String, mpsc::Sender<Box<Order>>>> {
        // Every holder leaves the map whole, so one that panicked did no harm.
        self.by_rollout.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

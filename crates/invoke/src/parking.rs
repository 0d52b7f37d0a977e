//! Interpreters that are started before anybody knows for which function.
//!
//! Starting an interpreter takes most of a cold start. So where functions of a managed runtime are in use, a few sandboxes stand
//! ready whose interpreter runs, with our half of the runtime loaded, and waits for its function. Each serves one environment of
//! one version, from its first instruction to its end. They are made one after the other while no environment starts, go
//! when nobody has wanted them for a while or the host lacks memory, and one that turns out to be of no use costs no more than
//! the fresh start that follows.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use pitbird_sandbox::{Error, Launcher, Parked, Sandbox, Spec, Tmp};
use tokio::sync::{Notify, Semaphore, watch};

use crate::config::{Limits, PARKED_MAX};
use crate::parts::{Tasks, has_memory};

/// Kinds of interpreters that are kept at the same time; of more, those wanted last stay.
const LOTS_MAX: usize = 4;
/// How long after the last start the next one is parked: not while functions are starting.
const QUIET: Duration = Duration::from_millis(20);
/// Deaths in a row after which no more are parked until a function starts again.
const FAILURES_MAX: u32 = 3;
/// Where memory was short, how long until it is looked at again.
const AGAIN: Duration = Duration::from_secs(5);

pub(crate) struct Parking {
    launcher: Launcher,
    /// Of each kind; 0 where nothing can be parked.
    size: usize,
    idle: Duration,
    memory_reserve_bytes: u64,
    /// Environments that are starting hold some of these.
    launches: Arc<Semaphore>,
    launches_max: usize,
    state: Mutex<State>,
    /// Asks the keeper to look at the state.
    bell: Notify,
    closed: watch::Sender<bool>,
    /// How many wait.
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    lots: Vec<Lot>,
    last_start: Option<Instant>,
    /// The keeper is at work.
    is_kept: bool,
}

/// Interpreters that are all alike.
struct Lot {
    template: Spec,
    ready: Vec<Parked>,
    wanted: Instant,
    failures: u32,
}

/// What the keeper does next.
enum Step {
    Park(Box<Spec>),
    /// Look again then, or when one of these ends.
    Look(Instant, Vec<Ended>),
    End,
}

type Ended = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Parking {
    pub fn new(launcher: &Launcher, limits: &Limits, launches: Arc<Semaphore>) -> Parking {
        let size = limits.parked.min(PARKED_MAX) as usize;
        Parking {
            launcher: launcher.clone(),
            size: if launcher.can_park() { size } else { 0 },
            idle: limits.idle,
            memory_reserve_bytes: limits.memory_reserve_bytes,
            launches_max: launches.available_permits(),
            launches,
            state: Mutex::default(),
            bell: Notify::new(),
            closed: watch::Sender::new(false),
            count: watch::Sender::new(0),
        }
    }

    /// Starts a program: in a sandbox where one like `template` waits, if there is one.
    pub async fn launch(
        self: &Arc<Self>,
        tasks: &Tasks,
        spec: Spec,
        template: Option<Spec>,
        tmp: Option<Tmp>,
    ) -> Result<Sandbox, Error> {
        // What is parked takes no `/tmp` of another's.
        let template = template.filter(|_| tmp.is_none());
        let arguments = template.as_ref().map(|template| template.args.clone());
        if let Some(parked) = template.and_then(|template| self.take(tasks, template)) {
            // One that waits may have been told otherwise what others are told by their arguments.
            let as_it_waits = Spec { args: arguments.unwrap_or_default(), ..spec.clone() };
            match parked.adopt(&as_it_waits).await {
                Ok(sandbox) => return Ok(sandbox),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "an interpreter that was started before is of no use");
                }
            }
        }
        self.launcher.launch_with(spec, tmp).await
    }

    /// Says that interpreters like this will be wanted.
    pub fn want(self: &Arc<Self>, tasks: &Tasks, template: Spec) {
        if self.size == 0 || *self.closed.borrow() {
            return;
        }
        let mut state = self.lock();
        state.lot(template);
        if !std::mem::replace(&mut state.is_kept, true) {
            tasks.spawn(keep(self.clone()));
        }
        drop(state);
        self.bell.notify_one();
    }

    /// One that waits; another will be parked in its place.
    fn take(self: &Arc<Self>, tasks: &Tasks, template: Spec) -> Option<Parked> {
        if self.size == 0 {
            return None;
        }
        let parked = {
            let mut state = self.lock();
            state.last_start = Some(Instant::now());
            let ready = &mut state.lot(template.clone()).ready;
            ready.retain(|parked| !parked.has_ended());
            let parked = ready.pop();
            self.tell(&state);
            parked
        };
        self.want(tasks, template);
        parked
    }

    /// Lets all go that wait.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.lots.clear();
        self.tell(&state);
        drop(state);
        self.bell.notify_one();
    }

    /// Lets all go, for good.
    pub fn close(&self) {
        self.closed.send_replace(true);
        self.clear();
    }

    fn next(&self, now: Instant) -> Step {
        let mut state = self.lock();
        state.lots.retain(|lot| now < lot.wanted + self.idle);
        state.lots.iter_mut().for_each(Lot::forget_the_dead);
        self.tell(&state);
        let due = state.lots.iter().map(|lot| lot.wanted + self.idle).min();
        let Some(due) = due.filter(|_| !*self.closed.borrow()) else {
            state.is_kept = false;
            return Step::End;
        };
        let short = |lot: &&Lot| lot.ready.len() < self.size && lot.failures < FAILURES_MAX;
        let Some(lot) = state.lots.iter().filter(short).max_by_key(|lot| lot.wanted) else {
            return Step::Look(due, state.ends());
        };
        let quiet = state.last_start.map_or(now, |start| start + QUIET);
        if now < quiet || self.launches.available_permits() < self.launches_max {
            Step::Look(quiet.max(now + QUIET), state.ends())
        } else if !has_memory(self.memory_reserve_bytes) {
            Step::Look(now + AGAIN, state.ends())
        } else {
            Step::Park(Box::new(lot.template.clone()))
        }
    }

    /// One has been parked, or couldn't be.
    fn put(&self, template: &Spec, parked: Result<Parked, Error>) {
        let mut state = self.lock();
        // Nobody may want it any more.
        let Some(lot) = state.lots.iter_mut().find(|lot| lot.template == *template) else { return };
        match parked {
            Ok(parked) => lot.ready.push(parked),
            Err(error) => {
                lot.failures += 1;
                let (program, error) = (&template.program, &error as &dyn std::error::Error);
                tracing::warn!(program, error, "no interpreter could be started ahead");
            }
        }
        self.tell(&state);
    }

    fn tell(&self, state: &State) {
        let count = state.lots.iter().map(|lot| lot.ready.len()).sum();
        self.count.send_if_modified(|told| std::mem::replace(told, count) != count);
    }

    /// How many wait, now and at every change.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Parking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parking").field("size", &self.size).finish_non_exhaustive()
    }
}

impl State {
    /// The lot of interpreters like this, which is wanted now.
    fn lot(&mut self, template: Spec) -> &mut Lot {
        let now = Instant::now();
        let at = self.lots.iter().position(|lot| lot.template == template);
        let mut lot = at.map_or_else(
            || Lot { template, ready: Vec::new(), wanted: now, failures: 0 },
            |at| self.lots.remove(at),
        );
        (lot.wanted, lot.failures) = (now, 0);
        if self.lots.len() >= LOTS_MAX {
            self.lots.remove(0);
        }
        self.lots.push(lot);
        self.lots.last_mut().expect("one was pushed")
    }

    fn ends(&self) -> Vec<Ended> {
        let ready = self.lots.iter().flat_map(|lot| &lot.ready);
        ready.map(|parked| Box::pin(parked.ended()) as Ended).collect()
    }
}

impl Lot {
    fn forget_the_dead(&mut self) {
        let before = self.ready.len();
        self.ready.retain(|parked| !parked.has_ended());
        self.failures += u32::try_from(before - self.ready.len()).unwrap_or(u32::MAX);
    }
}

/// Parks what is wanted and lets go what isn't, until nothing is.
async fn keep(parking: Arc<Parking>) {
    let mut closed = parking.closed.subscribe();
    let mut closed = pin!(async {
        // The sender lives in the parking.
        let _ = closed.wait_for(|is_closed| *is_closed).await;
    });
    loop {
        match parking.next(Instant::now()) {
            Step::End => return,
            Step::Park(template) => tokio::select! {
                parked = parking.launcher.park((*template).clone()) => parking.put(&template, parked),
                () = &mut closed => {}
            },
            Step::Look(at, ends) => tokio::select! {
                () = tokio::time::sleep_until(at.into()) => {}
                () = parking.bell.notified() => {}
                () = first_of(ends) => {}
            },
        }
    }
}

/// Waits for the first of these; for ever if there is none.
async fn first_of(mut all: Vec<Ended>) {
    std::future::poll_fn(|context| {
        let is_over = all.iter_mut().any(|one| one.as_mut().poll(context).is_ready());
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

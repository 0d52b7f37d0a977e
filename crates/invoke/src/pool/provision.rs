//! Provisioned concurrency: the environments of a version that are kept ready, whether there is something to do or not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use pitbird_names::Qualifier;
use pitbird_snapshot::FunctionKey;
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::metrics::Probe;

use super::Pool;
use crate::environment;
use crate::measure;

/// How long after a start that failed the next is tried: doubled with each failure in a row.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// How it stands with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Provisioned {
    /// Environments that have their place on the host: those that are being started, and the ready ones.
    pub allocated: u32,
    /// Environments that are ready or at work.
    pub ready: u32,
    /// The last start has failed; it is tried again.
    pub has_failed: bool,
}

/// A pool's count of them, under the pool's lock.
#[derive(Debug, Default)]
pub(super) struct Provision {
    pub wanted: u32,
    /// What they are counted under; there as soon as any are wanted.
    busy: Option<Arc<Busy>>,
    /// Those that have started, or are being started.
    alive: u32,
    /// Those of them that have a place.
    allocated: u32,
    ready: u32,
    /// Starts that failed since the last that didn't.
    failures: u32,
    /// Somebody will start more after a while.
    is_due: bool,
}

impl Provision {
    pub fn is_more_than_wanted(&self) -> bool {
        self.alive > self.wanted
    }
}

/// Of the environments that a version or an alias asks to be kept ready: how many are at work. Those of an alias may be of two
/// versions.
#[derive(Debug)]
pub(crate) struct Busy {
    probe: Arc<Probe>,
    requested: AtomicU32,
    count: AtomicU32,
}

impl Busy {
    pub fn new(telemetry: &Telemetry, function: &FunctionKey, qualifier: &Qualifier) -> Busy {
        let spec = measure::provisioned_concurrency(&function.scope, &function.name, qualifier);
        Busy { probe: telemetry.probe(spec), requested: AtomicU32::new(0), count: AtomicU32::new(0) }
    }

    pub fn request(&self, requested: u32) {
        self.requested.store(requested, Ordering::Relaxed);
    }
}

/// One that is at work; until it is dropped.
#[derive(Debug)]
pub(crate) struct AtWork(Arc<Busy>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The place of one that is kept ready, as long as it lives.
#[derive(Debug)]
pub(crate) struct Allocated(Arc<Pool>);

impl Drop for Allocated {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.provision.allocated = state.provision.allocated.saturating_sub(1);
    }
}

impl Pool {
    /// Keeps so many environments ready from now on, which are counted under `busy`; 0 is none.
    pub fn provision(self: &Arc<Self>, wanted: u32, busy: Option<Arc<Busy>>) {
        let mut state = self.lock();
        state.provision.busy = busy;
        if state.is_closed || (state.provision.wanted == wanted && wanted == 0) {
            return;
        }
        if state.provision.wanted != wanted {
            state.provision.failures = 0;
        }
        state.provision.wanted = wanted;
        self.provisioned.store(wanted, Ordering::Relaxed);
        let surplus = state.provision.alive.saturating_sub(wanted);
        let surplus = state.idle.take_provisioned(surplus as usize);
        drop(state);
        surplus.iter().for_each(|environment| environment.close());
        self.refill();
    }

    /// How many environments shall be kept ready.
    pub fn provisioned_wanted(&self) -> u32 {
        self.provisioned.load(Ordering::Relaxed)
    }

    pub fn provisioned(&self) -> Provisioned {
        let Provision { allocated, ready, failures, .. } = self.lock().provision;
        Provisioned { allocated, ready, has_failed: failures > 0 }
    }

    /// One has got its place.
    pub fn provisioned_allocated(self: &Arc<Self>) -> Allocated {
        self.lock().provision.allocated += 1;
        Allocated(self.clone())
    }

    /// Starts those that are missing.
    fn refill(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        let missing = state.provision.wanted.saturating_sub(state.provision.alive);
        state.provision.alive += missing;
        drop(state);
        for _ in 0..missing {
            self.parts.tasks.spawn(environment::supervise_provisioned(self.clone()));
        }
    }

    /// Is one that is kept ready, or is about to be started for it, still wanted?
    pub fn keeps_provisioned(&self) -> bool {
        let state = self.lock();
        !state.is_closed && !state.provision.is_more_than_wanted()
    }

    /// One has started.
    pub fn provisioned_started(&self) {
        let mut state = self.lock();
        state.provision.ready += 1;
        state.provision.failures = 0;
    }

    /// One is gone, and another is started in its place: at once if it had started, else after a while.
    pub fn provisioned_gone(self: &Arc<Self>, had_started: bool) {
        let mut state = self.lock();
        let provision = &mut state.provision;
        provision.alive = provision.alive.saturating_sub(1);
        if had_started {
            provision.ready = provision.ready.saturating_sub(1);
            drop(state);
            return self.refill();
        }
        provision.failures = provision.failures.saturating_add(1);
        let is_due = std::mem::replace(&mut provision.is_due, true);
        let after = AGAIN.saturating_mul(1 << provision.failures.min(8).saturating_sub(1)).min(AGAIN_MAX);
        drop(state);
        if !is_due {
            tokio::spawn(refill_after(Arc::downgrade(self), after));
        }
    }

    /// One is not wanted any more before it was started.
    pub fn provisioned_unwanted(&self) {
        let mut state = self.lock();
        state.provision.alive = state.provision.alive.saturating_sub(1);
    }

    /// One of them begins an invocation. `None` when none are wanted any more.
    pub fn at_work(&self, at_ms: i64) -> Option<AtWork> {
        let busy = self.lock().provision.busy.clone()?;
        let count = f64::from(busy.count.fetch_add(1, Ordering::Relaxed) + 1);
        let requested = f64::from(busy.requested.load(Ordering::Relaxed).max(1));
        busy.probe.record(at_ms, &[count, count / requested]);
        Some(AtWork(busy))
    }
}

async fn refill_after(pool: Weak<Pool>, after: Duration) {
    tokio::time::sleep(after).await;
    if let Some(pool) = pool.upgrade() {
        pool.lock().provision.is_due = false;
        pool.refill();
    }
}

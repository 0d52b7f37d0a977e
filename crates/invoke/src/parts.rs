//! What all versions share.

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use pitbird_egress::{Allowance, Reach};
use pitbird_names::Scope;
use pitbird_sandbox::{Level, RUNTIME_API_PORT};
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;
use pitbird_trace::Tracer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::aws::Aws;
use crate::code::CodeCache;
use crate::concurrency::Counters;
use crate::config::Limits;
use crate::parking::Parking;
use crate::pool::{Alive, Pool};
use crate::runtime::Runtimes;
use crate::timekeeper::Timekeeper;

pub(crate) struct Parts {
    pub telemetry: Arc<Telemetry>,
    pub tracer: Tracer,
    /// `None` after the end: snapshots in the store hold pools, and pools hold this.
    store: Mutex<Option<Store>>,
    pub reach: Option<Reach>,
    /// Sockets of the host's for what functions send.
    pub allowance: Arc<Allowance>,
    pub limits: Limits,
    /// Of the host, or as many as this server may use.
    pub cpus: usize,
    /// As the store: it has that in it.
    aws: Mutex<Option<Arc<dyn Aws>>>,
    /// Where functions reach AWS.
    pub endpoint_url: Option<String>,
    pub code: Arc<CodeCache>,
    pub runtimes: Runtimes,
    pub counters: Counters,
    pub tasks: Tasks,
    pub timekeeper: Timekeeper,
    /// Environments that start, within [`Limits::launches_max`].
    launches: Arc<Semaphore>,
    /// Interpreters that wait for their function.
    pub parking: Arc<Parking>,
    /// Environments there are, within [`Limits::environments_max`].
    environments: watch::Sender<u32>,
    pools: Mutex<Vec<Weak<Pool>>>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("environments", &self.environments).finish_non_exhaustive()
    }
}

/// One environment's place among all; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place(watch::Sender<u32>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Parts {
    pub fn new(
        config: &crate::Config,
        code: Arc<CodeCache>,
        runtimes: Runtimes,
        timekeeper: Timekeeper,
    ) -> Parts {
        let has_own_network = config.launcher.report().level >= Level::NamespacesUser;
        let endpoint_url = match (&config.aws, has_own_network) {
            (Some(_), true) => Some(format!("http://127.0.0.1:{RUNTIME_API_PORT}")),
            _ => config.endpoint_url.clone(),
        };
        let launches = Arc::new(Semaphore::new(config.limits.launches_max.max(1) as usize));
        Parts {
            parking: Arc::new(Parking::new(&config.launcher, &config.limits, launches.clone())),
            telemetry: config.telemetry.clone(),
            tracer: config.tracer.clone(),
            store: Mutex::new(Some(config.store.clone())),
            limits: config.limits.clone(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            reach: config.reach,
            allowance: Allowance::new(config.limits.egress_sockets_max as usize),
            aws: Mutex::new(config.aws.clone()),
            endpoint_url,
            code,
            runtimes,
            counters: Counters::default(),
            tasks: Tasks::new(),
            timekeeper,
            launches,
            environments: watch::Sender::new(0),
            pools: Mutex::default(),
        }
    }

    pub fn enlist(&self, pool: &Arc<Pool>) {
        let mut pools = self.pools();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(pool));
    }

    /// To how many CPUs' worth of time a function with so much memory is held, MiB; `None` is all there is.
    pub fn cpu_share(&self, memory_mib: u32) -> Option<f64> {
        self.limits.cpu_share.of(memory_mib, self.cpus)
    }

    /// Waits until it is this environment's turn to start.
    pub async fn launch_turn(&self) -> OwnedSemaphorePermit {
        self.launches.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// A place for one more environment, if the host can carry it. If not, the one that has been idle longest is ended,
    /// so that there will be a place soon.
    pub fn take_place(&self) -> Option<Place> {
        let limit = self.limits.environments_max;
        let more = |count: &mut u32| {
            let has_room = *count < limit;
            *count += u32::from(has_room);
            has_room
        };
        let has_memory = has_memory(self.limits.memory_reserve_bytes);
        if !has_memory {
            self.parking.clear();
        }
        if has_memory && self.environments.send_if_modified(more) {
            return Some(Place(self.environments.clone()));
        }
        tracing::debug!(limit, has_memory, "no place for another environment");
        let pools: Vec<_> = self.pools().iter().filter_map(Weak::upgrade).collect();
        let with_idle = pools.iter().filter_map(|pool| Some((pool.oldest_idle()?, pool)));
        if let Some((_, pool)) = with_idle.min_by_key(|(since, _)| *since) {
            pool.end_oldest_idle();
        }
        None
    }

    /// The store, until the end.
    pub fn store(&self) -> Option<Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// AWS for functions, until the end.
    pub fn aws(&self) -> Option<Arc<dyn Aws>> {
        self.aws.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets the store go.
    pub fn release_store(&self) {
        *self.aws.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub fn environments(&self) -> watch::Receiver<u32> {
        self.environments.subscribe()
    }

    /// The environments of an account and region, by function and version, those of former code among them until they end.
    pub fn alive(&self, scope: &Scope) -> Vec<Alive> {
        let pools: Vec<_> = self.pools().iter().filter_map(Weak::upgrade).collect();
        let mut found = BTreeMap::new();
        for pool in pools.iter().filter(|pool| pool.record.scope == *scope) {
            let alive = pool.alive();
            if alive.ready + alive.starting == 0 {
                continue;
            }
            let key = (alive.function.clone(), alive.version.to_string());
            let sum = found.entry(key).or_insert(Alive { ready: 0, idle: 0, starting: 0, ..alive.clone() });
            sum.ready += alive.ready;
            sum.idle += alive.idle;
            sum.starting += alive.starting;
        }
        found.into_values().collect()
    }

    /// Closes every pool.
    pub fn close(&self) {
        self.parking.close();
        let pools: Vec<_> = self.pools().iter().filter_map(Weak::upgrade).collect();
        pools.iter().for_each(|pool| pool.close());
    }

    fn pools(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does the host have so much memory left? Where the kernel doesn't say, it has.
pub fn has_memory(bytes: u64) -> bool {
    memory_available_bytes().is_none_or(|available| available >= bytes)
}

/// What the kernel thinks that programs could still get; `None` where it doesn't say.
fn memory_available_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Tasks that somebody waits for.
#[derive(Debug)]
pub(crate) struct Tasks {
    running: watch::Sender<usize>,
    /// Becomes true when they must end at once.
    end: watch::Sender<bool>,
}

impl Tasks {
    fn new() -> Tasks {
        Tasks { running: watch::Sender::new(0), end: watch::Sender::new(false) }
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        struct Counted(watch::Sender<usize>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.send_modify(|running| *running -= 1);
            }
        }
        self.running.send_modify(|running| *running += 1);
        let counted = Counted(self.running.clone());
        tokio::spawn(async move {
            task.await;
            drop(counted);
        });
    }

    /// For a task to see that it must end.
    pub fn end(&self) -> watch::Receiver<bool> {
        self.end.subscribe()
    }

    pub fn must_end(&self) {
        self.end.send_replace(true);
    }

    pub async fn all_ended(&self) {
        let mut running = self.running.subscribe();
        // The sender lives in `self`.
        let _ = running.wait_for(|running| *running == 0).await;
    }
}

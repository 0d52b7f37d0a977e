//! Measuring on the data plane.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pitbird_names::Scope;

use super::meter::Meter;
use super::{Dimensions, Resolution, Unit};
use crate::writer::Bell;

/// Periods that one shard keeps apart between two drains: more than Lambda's longest invocation has seconds. Beyond
/// it a record counts in the newest.
const OPEN_PERIODS: usize = 1024;
/// Probes at which unused ones are looked for; doubles as the used ones grow.
const PROBES_BEFORE_SWEEP: usize = 256;

/// Measurements that are taken together, and every dimension set that each of them counts in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProbeSpec {
    pub scope: Scope,
    pub namespace: String,
    /// Name and unit, in the order of the values given to [`Probe::record`].
    pub metrics: Vec<(String, Unit)>,
    pub dimension_sets: Vec<Dimensions>,
    pub resolution: Resolution,
}

/// Takes measurements on the data plane at the cost of one uncontended lock: each thread has a shard of its own, and
/// what was taken reaches the series of all dimension sets later, off the request's path. Made by
/// [`Telemetry::probe`](crate::Telemetry::probe).
#[derive(Debug)]
pub struct Probe {
    pub(crate) spec: ProbeSpec,
    shards: Box<[Padded<Mutex<Shard>>]>,
    /// On the list of those to drain? Set and read under a shard's lock.
    queued: AtomicBool,
    probes: Arc<Probes>,
    /// The catalogue's numbers of the series, dimension set by dimension set, as the writer looked them up.
    pub(crate) series: Mutex<Resolved>,
}

/// What one metric of a probe has counted since the probe was made. Never shrinks while the samples are not negative.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Total {
    pub count: u64,
    pub sum: f64,
}

/// Series looked up in the catalogue's generation `generation`; none yet in generation 0.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub generation: u64,
    pub ids: Arc<[i64]>,
}

/// Keeps neighbours in an array out of each other's cache lines (two of them: processors fetch pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Padded<T>(pub T);

#[derive(Debug, Default)]
struct Shard {
    open: Vec<Open>,
    /// Of what has been drained.
    drained: Box<[Total]>,
}

/// One period's meters.
#[derive(Debug)]
pub(crate) struct Open {
    pub start_ms: i64,
    pub meters: Box<[Meter]>,
}

impl Probe {
    /// Takes one sample of each metric, as of `at_ms` (milliseconds since 1970). `values` are in the order of
    /// [`ProbeSpec::metrics`]; one that isn't finite says that this metric wasn't measured this time.
    pub fn record(self: &Arc<Self>, at_ms: i64, values: &[f64]) {
        let mut shard = self.shard();
        let length = self.spec.resolution.ms();
        let meters = match shard.open.last_mut() {
            Some(open) if at_ms.wrapping_sub(open.start_ms) as u64 >= length as u64 => None,
            newest => newest,
        };
        let open = match meters {
            Some(open) => open,
            None => shard.period(at_ms.div_euclid(length) * length, self.spec.metrics.len()),
        };
        for (meter, &value) in open.meters.iter_mut().zip(values) {
            if value.is_finite() {
                meter.take(value);
            }
        }
        // Under the lock: a drain that comes later sees the samples, one that came before has cleared the mark.
        if !self.queued.load(Ordering::Relaxed) {
            self.queue();
        }
    }

    /// What each metric has counted so far, read at any instant. A record is in it entirely or not at all; writers
    /// are held up for no longer than the copying of their shard's few numbers takes.
    pub fn totals(&self) -> Vec<Total> {
        let mut totals = vec![Total::default(); self.spec.metrics.len()];
        for shard in &self.shards {
            let shard = shard.0.lock().unwrap_or_else(PoisonError::into_inner);
            add_totals(&mut totals, &shard.drained);
            for open in &shard.open {
                for (total, meter) in totals.iter_mut().zip(&open.meters) {
                    total.count += meter.count;
                    total.sum += meter.sum;
                }
            }
        }
        totals
    }

    /// What it measures.
    pub fn spec(&self) -> &ProbeSpec {
        &self.spec
    }

    #[cold]
    fn queue(self: &Arc<Self>) {
        self.queued.store(true, Ordering::Relaxed);
        let mut dirty = self.probes.dirty.lock().unwrap_or_else(PoisonError::into_inner);
        dirty.push(self.clone());
        self.probes.bell.metrics();
    }

    fn shard(&self) -> MutexGuard<'_, Shard> {
        let place = shard_of_thread() & (self.shards.len() - 1);
        self.shards[place].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over what was taken since the last drain.
    pub(crate) fn drain(&self) -> Vec<Open> {
        self.queued.store(false, Ordering::Relaxed);
        let mut all = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.0.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = std::mem::take(&mut shard.open);
            if shard.drained.is_empty() {
                shard.drained = vec![Total::default(); self.spec.metrics.len()].into();
            }
            for open in &taken {
                for (total, meter) in shard.drained.iter_mut().zip(&open.meters) {
                    total.count += meter.count;
                    total.sum += meter.sum;
                }
            }
            drop(shard);
            all.extend(taken);
        }
        all
    }
}

fn add_totals(totals: &mut [Total], more: &[Total]) {
    for (total, more) in totals.iter_mut().zip(more) {
        total.count += more.count;
        total.sum += more.sum;
    }
}

impl Shard {
    /// The period's meters, moved to the end where they are found at once.
    #[cold]
    fn period(&mut self, start_ms: i64, metrics: usize) -> &mut Open {
        let found = self.open.iter().position(|open| open.start_ms == start_ms);
        let last = self.open.len();
        match found {
            Some(place) => self.open.swap(place, last - 1),
            None if last >= OPEN_PERIODS => {}
            None => {
                let meters = (0..metrics).map(|_| Meter::default()).collect();
                self.open.push(Open { start_ms, meters });
            }
        }
        self.open.last_mut().expect("one was found, made, or there are many")
    }
}

/// Every thread's own number, from 0 upwards.
pub(crate) fn shard_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    OWN.with(|own| *own)
}

/// Shards that let every core write alone: a power of two, at most 64.
pub(crate) fn shards() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.next_power_of_two().min(64)
}

/// All probes there are, and those that have something to drain.
#[derive(Debug)]
pub(crate) struct Probes {
    all: Mutex<Registry>,
    dirty: Mutex<Vec<Arc<Probe>>>,
    bell: Bell,
}

#[derive(Debug)]
struct Registry {
    probes: HashMap<ProbeSpec, Arc<Probe>>,
    sweep_at: usize,
}

impl Probes {
    pub fn new(bell: Bell) -> Arc<Probes> {
        let all = Registry { probes: HashMap::new(), sweep_at: PROBES_BEFORE_SWEEP };
        Arc::new(Probes { all: Mutex::new(all), dirty: Mutex::default(), bell })
    }

    /// The probe of these measurements: the same one for the same spec while anybody holds it.
    pub fn get(self: &Arc<Self>, spec: ProbeSpec) -> Arc<Probe> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(probe) = all.probes.get(&spec) {
            return probe.clone();
        }
        if all.probes.len() >= all.sweep_at {
            all.probes.retain(|_, probe| Arc::strong_count(probe) > 1);
            all.sweep_at = (all.probes.len() * 2).max(PROBES_BEFORE_SWEEP);
        }
        let probe = Arc::new(Probe {
            spec: spec.clone(),
            shards: (0..shards()).map(|_| Padded::default()).collect(),
            queued: AtomicBool::new(false),
            probes: self.clone(),
            series: Mutex::default(),
        });
        all.probes.insert(spec, probe.clone());
        probe
    }

    /// Takes the list of probes that have something to drain.
    pub fn take_dirty(&self) -> Vec<Arc<Probe>> {
        std::mem::take(&mut self.dirty.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

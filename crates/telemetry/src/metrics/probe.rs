//! Measuring on the data plane.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pitbird_names::Scope;

use super::meter::Meter;
use super::{Dimensions, Resolution, Unit};
use crate::usage::UsageSpec;
use crate::writer::Bell;

/// Periods that one shard keeps apart between two drains: more than Lambda's longest invocation has seconds. Beyond
/// it a record counts in the newest.
const OPEN_PERIODS: usize = 1024;
/// Probes at which unused ones are looked for; doubles as the used ones grow.
const PROBES_BEFORE_SWEEP: usize = 256;
/// Probes whose totals are kept after nobody holds them any more; those of others of a kind are kept together.
const RETIRED_MAX: usize = 4096;

/// Measurements that are taken together, and every dimension set that each of them counts in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProbeSpec {
    pub scope: Scope,
    pub namespace: String,
    /// Name and unit, in the order of the values given to [`Probe::record`].
    pub metrics: Vec<(String, Unit)>,
    pub dimension_sets: Vec<Dimensions>,
    pub resolution: Resolution,
    /// What is counted beside, for the ledger of usage.
    pub usage: Option<UsageSpec>,
}

/// Takes measurements on the data plane at the cost of one uncontended lock: each thread has a shard of its own, and
/// what was taken reaches the series of all dimension sets later, off the request's path. Made by
/// [`Telemetry::probe`](crate::Telemetry::probe).
#[derive(Debug)]
pub struct Probe {
    pub(crate) spec: ProbeSpec,
    /// Does it take anything?
    is_on: bool,
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

/// What a probe has counted since the process began, also while it was held by nobody for a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// Its dimension sets are empty where it stands for many that are gone.
    pub spec: ProbeSpec,
    /// Of each metric, in the order of [`ProbeSpec::metrics`].
    pub totals: Vec<Total>,
    /// Probes that were made earlier have smaller ones; it stays.
    pub number: u64,
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
    drained_used: Box<[u64]>,
}

/// One period's meters.
#[derive(Debug)]
pub(crate) struct Open {
    pub start_ms: i64,
    pub meters: Box<[Meter]>,
    pub used: Box<[u64]>,
}

impl Probe {
    /// Takes one sample of each metric, as of `at_ms` (milliseconds since 1970). `values` are in the order of
    /// [`ProbeSpec::metrics`]; one that isn't finite says that this metric wasn't measured this time.
    pub fn record(self: &Arc<Self>, at_ms: i64, values: &[f64]) {
        self.record_used(at_ms, values, &[]);
    }

    /// The same, and adds to what is counted beside: `used` is in the order of the spec's [`UsageSpec`].
    pub fn record_used(self: &Arc<Self>, at_ms: i64, values: &[f64], used: &[u64]) {
        if !self.is_on {
            return;
        }
        let mut shard = self.shard();
        let length = self.spec.resolution.ms();
        let meters = match shard.open.last_mut() {
            Some(open) if at_ms.wrapping_sub(open.start_ms) as u64 >= length as u64 => None,
            newest => newest,
        };
        let open = match meters {
            Some(open) => open,
            None => shard.period(at_ms.div_euclid(length) * length, &self.spec),
        };
        for (meter, &value) in open.meters.iter_mut().zip(values) {
            if value.is_finite() {
                meter.take(value);
            }
        }
        for (sum, &amount) in open.used.iter_mut().zip(used) {
            *sum = sum.wrapping_add(amount);
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

    /// What has been counted beside so far, as [`Probe::totals`] has it for metrics.
    pub fn used(&self) -> Vec<u64> {
        let mut used = vec![0; self.spec.usage.as_ref().map_or(0, UsageSpec::len)];
        for shard in &self.shards {
            let shard = shard.0.lock().unwrap_or_else(PoisonError::into_inner);
            add_used(&mut used, &shard.drained_used);
            shard.open.iter().for_each(|open| add_used(&mut used, &open.used));
        }
        used
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
                shard.drained_used = vec![0; self.spec.usage.as_ref().map_or(0, UsageSpec::len)].into();
            }
            for open in &taken {
                add_used(&mut shard.drained_used, &open.used);
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

fn add_used(sums: &mut [u64], more: &[u64]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = sum.wrapping_add(*more);
    }
}

impl Shard {
    /// The period's meters, moved to the end where they are found at once.
    #[cold]
    fn period(&mut self, start_ms: i64, spec: &ProbeSpec) -> &mut Open {
        let found = self.open.iter().position(|open| open.start_ms == start_ms);
        let last = self.open.len();
        match found {
            Some(place) => self.open.swap(place, last - 1),
            None if last >= OPEN_PERIODS => {}
            None => {
                let meters = spec.metrics.iter().map(|_| Meter::default()).collect();
                let used = vec![0; spec.usage.as_ref().map_or(0, UsageSpec::len)].into();
                self.open.push(Open { start_ms, meters, used });
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

impl Registry {
    /// Lets go of probes that nobody holds, not of what they have counted.
    fn sweep(&mut self) {
        let unused: Vec<ProbeSpec> = self
            .probes
            .iter()
            .filter(|(_, numbered)| Arc::strong_count(&numbered.probe) == 1)
            .map(|(spec, _)| spec.clone())
            .collect();
        for mut spec in unused {
            let Some(Numbered { probe, mut number }) = self.probes.remove(&spec) else { continue };
            if self.retired.len() >= RETIRED_MAX && !self.retired.contains_key(&spec) {
                // Together with all others of its kind.
                spec.dimension_sets.clear();
                spec.scope = Scope::default();
                spec.usage = None;
                number = u64::MAX;
            }
            let metrics = spec.metrics.len();
            let retired = self
                .retired
                .entry(spec)
                .or_insert_with(|| Retired { totals: vec![Total::default(); metrics], number });
            add_totals(&mut retired.totals, &probe.totals());
        }
        self.sweep_at = (self.probes.len() * 2).max(PROBES_BEFORE_SWEEP);
    }
}

/// All probes there are, and those that have something to drain.
#[derive(Debug)]
pub(crate) struct Probes {
    all: Mutex<Registry>,
    dirty: Mutex<Vec<Arc<Probe>>>,
    bell: Bell,
    /// Do they take anything?
    is_on: bool,
}

#[derive(Debug)]
struct Registry {
    probes: HashMap<ProbeSpec, Numbered>,
    sweep_at: usize,
    /// The next probe's number.
    next: u64,
    /// Of specs whose probes are gone: what those have counted. A new probe of such a spec counts on from there.
    retired: HashMap<ProbeSpec, Retired>,
}

#[derive(Debug)]
struct Numbered {
    probe: Arc<Probe>,
    number: u64,
}

#[derive(Debug)]
struct Retired {
    totals: Vec<Total>,
    number: u64,
}

impl Probes {
    pub fn new(bell: Bell, is_on: bool) -> Arc<Probes> {
        let all = Registry {
            probes: HashMap::new(),
            sweep_at: PROBES_BEFORE_SWEEP,
            next: 0,
            retired: HashMap::new(),
        };
        Arc::new(Probes { all: Mutex::new(all), dirty: Mutex::default(), bell, is_on })
    }

    /// The probe of these measurements: the same one for the same spec while anybody holds it.
    pub fn get(self: &Arc<Self>, spec: ProbeSpec) -> Arc<Probe> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Numbered { probe, .. }) = all.probes.get(&spec) {
            return probe.clone();
        }
        if all.probes.len() >= all.sweep_at {
            all.sweep();
        }
        let probe = Arc::new(Probe {
            spec: spec.clone(),
            is_on: self.is_on,
            shards: (0..shards()).map(|_| Padded::default()).collect(),
            queued: AtomicBool::new(false),
            probes: self.clone(),
            series: Mutex::default(),
        });
        let number = match all.retired.get(&spec) {
            Some(retired) => retired.number,
            None => {
                all.next += 1;
                all.next
            }
        };
        all.probes.insert(spec, Numbered { probe: probe.clone(), number });
        probe
    }

    /// What all probes have counted, in the order in which they were made.
    pub fn counted(&self) -> Vec<Counted> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let live = all.probes.iter().map(|(spec, Numbered { probe, number })| {
            let mut totals = probe.totals();
            if let Some(retired) = all.retired.get(spec) {
                add_totals(&mut totals, &retired.totals);
            }
            Counted { spec: spec.clone(), totals, number: *number }
        });
        let gone = all.retired.iter().filter(|(spec, _)| !all.probes.contains_key(spec));
        let gone = gone.map(|(spec, Retired { totals, number })| Counted {
            spec: spec.clone(),
            totals: totals.clone(),
            number: *number,
        });
        let mut counted: Vec<Counted> = live.chain(gone).collect();
        counted.sort_unstable_by_key(|counted| counted.number);
        counted
    }

    /// Takes the list of probes that have something to drain.
    pub fn take_dirty(&self) -> Vec<Arc<Probe>> {
        std::mem::take(&mut self.dirty.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

//! How many invocations may run at once, and how many do: per account and region, and per function that has reserved
//! some for itself. And how often they may begin.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pitbird_names::Scope;
use pitbird_snapshot::{Function, FunctionKey, Snapshot};
use pitbird_telemetry::Telemetry;
use pitbird_telemetry::metrics::Probe;

use crate::config::Limits;
use crate::measure;
use crate::rate::{Bucket, Pace};

/// Why an invocation must wait for others to end, or for a moment. Named as in Lambda's `Reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// The function has reserved a number, and that many run.
    ReservedFunctionConcurrentInvocationLimitExceeded,
    /// What the account has left for functions without a reservation is in use, or the host can carry no more.
    ConcurrentInvocationLimitExceeded,
    /// The function has reserved a number, and begins ten times that a second.
    ReservedFunctionInvocationRateLimitExceeded,
    /// Functions without a reservation begin as many a second as their account may.
    FunctionInvocationRateLimitExceeded,
}

impl Throttle {
    pub fn as_str(self) -> &'static str {
        match self {
            Throttle::ReservedFunctionConcurrentInvocationLimitExceeded => {
                "ReservedFunctionConcurrentInvocationLimitExceeded"
            }
            Throttle::ConcurrentInvocationLimitExceeded => "ConcurrentInvocationLimitExceeded",
            Throttle::ReservedFunctionInvocationRateLimitExceeded => {
                "ReservedFunctionInvocationRateLimitExceeded"
            }
            Throttle::FunctionInvocationRateLimitExceeded => "FunctionInvocationRateLimitExceeded",
        }
    }
}

/// One account in one region.
#[derive(Debug)]
pub(crate) struct AccountCounter {
    scope: Scope,
    limit: u32,
    /// How often functions without a reservation may begin, together.
    pace: Option<Pace>,
    begun: Bucket,
    /// Invocations that run, of all functions.
    running: AtomicU32,
    /// Those of functions without a reservation.
    unreserved: AtomicU32,
    /// The snapshot's generation in the upper half, and what all functions together reserve in it.
    reserved: AtomicU64,
    gauge: Gauge,
}

/// One function with all its versions.
#[derive(Debug)]
pub(crate) struct FunctionCounter {
    account: Arc<AccountCounter>,
    running: AtomicU32,
    /// Those in places that are kept for what is kept ready.
    provisioned: AtomicU32,
    /// How often those of a reservation have begun.
    begun: Bucket,
    /// Environments that have been started on demand.
    pub scaled: Bucket,
    gauge: Gauge,
}

/// What a function has for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Own {
    /// All that it gets, and nobody else.
    pub reserved: Option<u32>,
    /// Environments that are kept ready, where those are asked for; places beside the shared ones unless it reserves some.
    pub provisioned: u32,
}

/// One invocation's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    function: Arc<FunctionCounter>,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Reserved,
    Provisioned,
    Shared,
}

impl FunctionCounter {
    /// Takes a place for one invocation. Whether it comes too soon after others isn't asked of what was queued, as on Lambda.
    /// `snapshot` is asked only when it gets tight, and when there are more than before.
    pub fn acquire(
        self: &Arc<Self>,
        own: Own,
        is_queued: bool,
        snapshot: impl Fn() -> Arc<Snapshot>,
        at_ms: i64,
    ) -> Result<Permit, Throttle> {
        let account = &self.account;
        let place = match own.reserved {
            Some(limit) => take(&self.running, limit)
                .then_some(Place::Reserved)
                .ok_or(Throttle::ReservedFunctionConcurrentInvocationLimitExceeded)?,
            None if own.provisioned > 0 && take(&self.provisioned, own.provisioned) => Place::Provisioned,
            None => {
                let limit = account.unreserved_limit(&snapshot);
                take(&account.unreserved, limit)
                    .then_some(Place::Shared)
                    .ok_or(Throttle::ConcurrentInvocationLimitExceeded)?
            }
        };
        if place != Place::Reserved {
            self.running.fetch_add(1, Ordering::Relaxed);
        }
        let running = account.running.fetch_add(1, Ordering::Relaxed) + 1;
        let permit = Permit { function: self.clone(), place };
        if !is_queued {
            // Asked last, so that who finds no place uses up nothing; who comes too soon gives the place back.
            self.begin(own.reserved, at_ms)?;
        }
        self.gauge.note(self.running.load(Ordering::Relaxed), at_ms, |running| [running]);
        account.gauge.note(running, at_ms, |running| {
            let unreserved = account.unreserved.load(Ordering::Relaxed);
            [running, unreserved, account.set_aside(&snapshot) + unreserved]
        });
        Ok(permit)
    }

    /// Source: Lambda's quotas, "Invocation requests per function per Region (synchronous)": ten times the concurrency limit.
    fn begin(&self, reserved: Option<u32>, at_ms: i64) -> Result<(), Throttle> {
        let (bucket, pace, throttle) = match (reserved, self.account.pace) {
            (Some(reserved), _) => {
                let pace = Pace::new(u64::from(reserved) * INVOCATIONS_PER_PLACE_AND_S, 1000);
                (&self.begun, pace, Throttle::ReservedFunctionInvocationRateLimitExceeded)
            }
            (None, Some(pace)) => (&self.account.begun, pace, Throttle::FunctionInvocationRateLimitExceeded),
            (None, None) => return Ok(()),
        };
        if bucket.take(pace, at_ms) { Ok(()) } else { Err(throttle) }
    }
}

impl AccountCounter {
    /// What is left for functions without a reservation, and for more than is kept ready.
    fn unreserved_limit(&self, snapshot: impl Fn() -> Arc<Snapshot>) -> u32 {
        // Reservations leave at least 100 to everybody else, so that below it there is nothing to look up.
        if self.unreserved.load(Ordering::Relaxed) < self.limit.min(UNRESERVED_MIN) {
            return self.limit;
        }
        self.limit.saturating_sub(self.set_aside(snapshot))
    }

    /// What functions have reserved for themselves, or keep ready.
    fn set_aside(&self, snapshot: impl Fn() -> Arc<Snapshot>) -> u32 {
        let snapshot = snapshot();
        let generation = snapshot.generation as u32;
        let known = self.reserved.load(Ordering::Relaxed);
        if (known >> 32) as u32 == generation {
            return known as u32;
        }
        let functions = snapshot.functions().filter(|function| function.scope == self.scope);
        let own = |function: &Arc<Function>| {
            function.reserved_concurrency.unwrap_or_else(|| function.provisioned.values().sum())
        };
        let reserved: u32 = functions.map(own).sum();
        self.reserved.store(u64::from(generation) << 32 | u64::from(reserved), Ordering::Relaxed);
        reserved
    }
}

/// How many may begin a second for each that may run at once. Source: Lambda developer guide, "Understanding concurrency and requests per
/// second".
const INVOCATIONS_PER_PLACE_AND_S: u64 = 10;

/// What reservations must leave to functions without one. Source: Lambda, `PutFunctionConcurrency`.
const UNRESERVED_MIN: u32 = 100;

fn take(counter: &AtomicU32, limit: u32) -> bool {
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| {
            (running < limit).then_some(running + 1)
        })
        .is_ok()
}

impl Drop for Permit {
    fn drop(&mut self) {
        let account = &self.function.account;
        self.function.running.fetch_sub(1, Ordering::Relaxed);
        account.running.fetch_sub(1, Ordering::Relaxed);
        match self.place {
            Place::Reserved => {}
            Place::Provisioned => drop(self.function.provisioned.fetch_sub(1, Ordering::Relaxed)),
            Place::Shared => drop(account.unreserved.fetch_sub(1, Ordering::Relaxed)),
        }
    }
}

/// All counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    functions: Mutex<HashMap<FunctionKey, Arc<FunctionCounter>>>,
    accounts: Mutex<HashMap<Scope, Arc<AccountCounter>>>,
}

impl Counters {
    /// A function's counter: the same one for all its versions. Looked up once per version.
    pub fn of(&self, telemetry: &Telemetry, key: FunctionKey, limits: &Limits) -> Arc<FunctionCounter> {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if !functions.contains_key(&key) {
            // Of functions that are gone nobody but the map holds the counter.
            functions.retain(|_, counter| Arc::strong_count(counter) > 1);
        }
        functions
            .entry(key)
            .or_insert_with_key(|key| {
                let gauge = Gauge::new(telemetry.probe(measure::function_concurrency(&key.scope, &key.name)));
                let account = self.account(telemetry, &key.scope, limits);
                let (running, provisioned) = (AtomicU32::new(0), AtomicU32::new(0));
                let (begun, scaled) = (Bucket::default(), Bucket::default());
                Arc::new(FunctionCounter { account, running, provisioned, begun, scaled, gauge })
            })
            .clone()
    }

    fn account(&self, telemetry: &Telemetry, scope: &Scope, limits: &Limits) -> Arc<AccountCounter> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = || {
            Arc::new(AccountCounter {
                scope: scope.clone(),
                limit: limits.concurrent_executions,
                pace: limits.invocations_per_s.map(|count| Pace::new(count.into(), 1000)),
                begun: Bucket::default(),
                running: AtomicU32::new(0),
                unreserved: AtomicU32::new(0),
                reserved: AtomicU64::new(u64::MAX),
                gauge: Gauge::new(telemetry.probe(measure::account_concurrency(scope))),
            })
        };
        accounts.entry(scope.clone()).or_insert_with(counter).clone()
    }
}

/// Samples a number that only its maximum matters of: each second's first value and every one above it.
#[derive(Debug)]
struct Gauge {
    probe: Arc<Probe>,
    /// The second in the upper half, its highest value so far in the lower.
    highest: AtomicU64,
}

impl Gauge {
    fn new(probe: Arc<Probe>) -> Gauge {
        Gauge { probe, highest: AtomicU64::new(0) }
    }

    /// `values` makes all of the probe's from the one that counts.
    fn note<const N: usize>(&self, value: u32, at_ms: i64, values: impl FnOnce(u32) -> [u32; N]) {
        let noted = ((at_ms / 1000) as u64) << 32 | u64::from(value);
        if noted > self.highest.load(Ordering::Relaxed) {
            self.highest.store(noted, Ordering::Relaxed);
            self.probe.record(at_ms, &values(value).map(f64::from));
        }
    }
}

#[cfg(test)]
mod tests {
    use pitbird_telemetry::Config;

    use super::*;

    fn key(name: &str) -> FunctionKey {
        FunctionKey { scope: Scope::default(), name: name.to_owned() }
    }

    #[test]
    fn reserved_and_shared_places_are_counted_apart() {
        let data = tempfile::tempdir().unwrap();
        let telemetry = Telemetry::open(data.path(), &Config::default()).unwrap();
        let counters = Counters::default();
        let limits = Limits { concurrent_executions: 2, ..Limits::default() };
        let of = |name| counters.of(&telemetry, key(name), &limits);
        let acquire =
            |name, reserved| of(name).acquire(Own { reserved, provisioned: 0 }, false, Arc::default, 0);
        let held = acquire("own", Some(1)).unwrap();
        assert_eq!(
            acquire("own", Some(1)).unwrap_err(),
            Throttle::ReservedFunctionConcurrentInvocationLimitExceeded
        );
        assert!(acquire("own", Some(0)).is_err(), "none reserved, none runs");
        let _shared = (acquire("a", None).unwrap(), acquire("b", None).unwrap());
        assert_eq!(acquire("a", None).unwrap_err(), Throttle::ConcurrentInvocationLimitExceeded);
        drop(held);
        acquire("own", Some(1)).unwrap();
        assert!(acquire("a", None).is_err());
        let ready = Own { reserved: None, provisioned: 1 };
        let held = of("ready").acquire(ready, false, Arc::default, 0).unwrap();
        assert!(
            of("ready").acquire(ready, false, Arc::default, 0).is_err(),
            "one is kept ready, the rest is shared"
        );
        drop(held);
        of("ready").acquire(ready, false, Arc::default, 0).unwrap();
    }

    #[test]
    fn who_reserves_a_place_may_begin_ten_times_a_second() {
        let data = tempfile::tempdir().unwrap();
        let telemetry = Telemetry::open(data.path(), &Config::default()).unwrap();
        let counters = Counters::default();
        let limits = Limits { invocations_per_s: Some(3), ..Limits::default() };
        let counter = |name| counters.of(&telemetry, key(name), &limits);
        let begun = |name, reserved, is_queued, at_ms| {
            let own = Own { reserved, provisioned: 0 };
            let begin = |_: &usize| counter(name).acquire(own, is_queued, Arc::default, at_ms).is_ok();
            (0..100).filter(begin).count()
        };
        assert_eq!(begun("own", Some(2), false, 5000), 20);
        assert_eq!(begun("own", Some(2), false, 5100), 2);
        assert_eq!(begun("own", Some(2), true, 5100), 100, "what was queued has waited already");
        let own = Own { reserved: Some(2), provisioned: 0 };
        let throttle = counter("own").acquire(own, false, Arc::default, 5100).unwrap_err();
        assert_eq!(throttle, Throttle::ReservedFunctionInvocationRateLimitExceeded);
        assert_eq!(counter("own").running.load(Ordering::Relaxed), 0, "who comes too soon takes no place");
        // Without a reservation they share their account's.
        assert_eq!((begun("a", None, false, 5000), begun("b", None, false, 5000)), (3, 0));
        assert_eq!((begun("b", None, false, 5334), begun("a", None, true, 5334)), (1, 100));
        let throttle = counter("a").acquire(Own::default(), false, Arc::default, 5334).unwrap_err();
        assert_eq!(throttle, Throttle::FunctionInvocationRateLimitExceeded);
        let account = &counter("a").account;
        assert_eq!(account.unreserved.load(Ordering::Relaxed) + account.running.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_gauge_keeps_each_seconds_maximum() {
        let data = tempfile::tempdir().unwrap();
        let telemetry = Telemetry::open(data.path(), &Config::default()).unwrap();
        let gauge = Gauge::new(telemetry.probe(measure::account_concurrency(&Scope::default())));
        for (at_ms, value) in [(1000, 1), (1500, 5), (1600, 3), (2000, 2), (2001, 2)] {
            gauge.note(value, at_ms, |value| [value, 0, 0]);
        }
        let total = gauge.probe.totals()[0];
        assert_eq!((total.count, total.sum), (3, 8.0));
    }
}

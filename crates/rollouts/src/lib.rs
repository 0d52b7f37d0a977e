//! pitbird's own service: starts, shows and executes rollouts.
//!
//! A rollout is planned by `pitbird-rollout`, which decides and never acts. Here is what acts: the operations
//! ([`service`]) write a rollout down and hand orders over; the [`Executor`] drives each one, looking every interval at
//! what the data plane has counted ([`Counts`]) and at the alarms, and changing the target as the planner says.
//!
//! What a look decides, the change of the target and the records that explain it are one commit of the store: either all
//! of it is durable and live, or nothing happened. A rollout has one driver; should there ever be two, the revision of
//! the rollout's record tells them apart and the stale one loses. A target that somebody else changed meanwhile is left
//! alone: the rollout stops and says what it found.
//!
//! Latency, routes, and who is behind the canary's failures are counted by a tally that the driver hangs into the data
//! plane (`trial`): first how long the base takes, then both arms against thresholds frozen from that.
//!
//! Who asked to be told of a rollout's changes is told beside its loop (`executor/tell.rs`), so that nobody who is slow to
//! listen holds a rollback up.
//!
//! Hooks are asked beside the loop as well (`executor/ask.rs`): a question is written down before anybody is asked it, and asked
//! again after a crash, with the same id. A rollout that has ended is driven on until those who are asked afterwards were told; its
//! target is free by then.
//!
//! Probes (`executor/probe.rs`) are sent beside the loop, too, as long as the canary has a share; the driver's tally counts them.
//!
//! Evidence is counted per arm from the server's start. Each bucket ends before the weight changes and the next begins
//! when the change is live; what was counted in between belongs to the old weight. A restart of the server loses what
//! was counted since the last look, no more.
//!
//! Start at [`new`], then `turn` (what one look leads to, pure) and `executor/drive.rs` (the loop around it). Nothing
//! here speaks HTTP or knows another service; it changes their records, never calls them.

mod commit;
mod error;
mod executor;
mod find;
mod hook;
mod keep;
mod live;
mod measured;
mod meter;
mod notice;
mod operations;
mod page;
mod probe;
mod shape;
mod target;
mod trial;
mod turn;

use std::sync::Arc;

use pitbird_prices::PriceList;
use pitbird_rollout as planner;
use pitbird_service::{Builder, Service};
use pitbird_store::Store;
use pitbird_telemetry::metrics::MetricQuery;
use pitbird_telemetry::tally::{Slot, Subject};

pub use error::Error;
pub use executor::Executor;
pub use hook::{Asked, HookCall};
pub use live::{ArmCounts, Counts, LiveTarget};
pub use measured::{Minutes, Samples};
pub use notice::{Notice, Told};
pub use probe::{ProbeCall, Probed, StageProbe, VersionProbe};
pub use target::extra::Warmth;

pub use pitbird_rollout::{Alarm, AlarmState, Whom};

/// A rollout's record with the planner's own types.
pub(crate) type Rollout = pitbird_records::Rollout<planner::Plan, planner::State>;
/// One of its entries.
pub(crate) type Entry = pitbird_records::RolloutEntry<planner::Record>;

/// What a target has counted since the server started; `None` when nothing is known of it. An arm's numbers never
/// fall, unless its counter starts again from 0.
pub type CountsOf = Arc<dyn Fn(&LiveTarget) -> Option<Counts> + Send + Sync>;
/// Where the data plane finds the tally of a subject: always the same slot.
pub type SlotsOf = Arc<dyn Fn(Subject) -> Arc<Slot> + Send + Sync>;
/// The states of alarms by their names; one that isn't known is left out.
pub type AlarmsOf = Arc<dyn Fn(&pitbird_names::Scope, &[String]) -> Vec<Alarm> + Send + Sync>;
/// The samples of metrics minute by minute, in the order of the queries.
pub type SamplesOf = Arc<dyn Fn(Vec<MetricQuery>) -> Samples + Send + Sync>;
/// Tells a URL of a change; tries as often as is right, and is given up after 45 s.
pub type TellOf = Arc<dyn Fn(Notice) -> Told + Send + Sync>;
/// Asks a hook once; given up when its patience is over.
pub type AskOf = Arc<dyn Fn(HookCall) -> Asked + Send + Sync>;
/// Sends a request to one arm of a stage, or an event to a version.
pub type ProbeOf = Arc<dyn Fn(ProbeCall) -> Probed + Send + Sync>;
/// How environments of a version stand that are to be kept ready.
pub type WarmthOf =
    Arc<dyn Fn(&pitbird_names::Scope, &str, &pitbird_names::Qualifier) -> Warmth + Send + Sync>;
/// Now, epoch milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What operations and executor work with.
pub struct Parts {
    pub store: Store,
    pub counts: CountsOf,
    /// Where the data plane finds who counts on a subject.
    pub slots: SlotsOf,
    pub alarms: AlarmsOf,
    pub samples: SamplesOf,
    pub clock: Clock,
    /// A source of random bits, for identifiers.
    pub entropy: fn() -> u128,
    pub tell: TellOf,
    pub ask: AskOf,
    pub probe: ProbeOf,
    pub warmth: WarmthOf,
    /// What a canary's cost is reckoned with.
    pub prices: Arc<PriceList>,
}

/// The service's state; see [`new`].
pub struct State {
    pub(crate) parts: Arc<Parts>,
    pub(crate) drivers: Arc<executor::Drivers>,
}

/// The service's state and the executor that goes with it. The executor does nothing before [`Executor::run`].
pub fn new(parts: Parts) -> (Arc<State>, Executor) {
    let parts = Arc::new(parts);
    let (drivers, executor) = executor::new(parts.clone());
    (Arc::new(State { parts, drivers }), executor)
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("rollouts", state)).build()
}

#[cfg(test)]
mod tests;

//! A rollout: its plan, what has become of it, and the records that explain every decision.
//!
//! What plans, states and entries look like is the planner's business; whoever stores them brings the types.

use std::collections::BTreeMap;

use pitbird_names::{Percent, Scope, VersionId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::alias::Additional;
use crate::{Canary, Record, Texts};

/// One rollout, running or ended. `P` is its plan, `S` its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout<P, S> {
    pub scope: Scope,
    /// Unique within its scope, also among those that ended.
    pub name: String,
    pub target: Target,
    pub plan: P,
    pub state: S,
    /// Why the state is what it is, in words.
    pub reason: String,
    /// How many entries were written; they are numbered from 1.
    pub entries: u64,
    /// The number of the newest command.
    pub commands: u64,
    /// Every change of the target, oldest first.
    pub shifts: Vec<Shift>,
    /// Since when the phase lasts, epoch milliseconds.
    pub phase_began_ms: u64,
    pub started_ms: u64,
    pub ended_ms: Option<u64>,
    /// What the canary has used since its first share; nothing in records of rollouts that didn't know.
    #[serde(default)]
    pub canary_use: CanaryUse,
    /// Requests of each arm that began an environment, since the canary's first share.
    #[serde(default)]
    pub cold_starts: ColdStarts,
    /// Requests that both arms answered, since the canary's first share.
    #[serde(default)]
    pub pairs: PairCounts,
    /// Of these, what came in each of the newest minutes that had any, oldest first; [`PAIR_MINUTES_MAX`] at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pair_minutes: Vec<PairMinute>,
    /// Above which latencies requests of the base are slow; none before they were learnt, and where latency isn't judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// Who ordered what and why, oldest first; of more than [`ORDERS_MAX`] the newest and the first. None in records of
    /// rollouts that didn't know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<Order>,
    /// Who is told of its changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<Notification>,
    /// What calls of hooks are signed with, by the hooks' names: the plan has none of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hook_secrets: BTreeMap<String, String>,
    /// What both arms are asked besides traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Probes>,
}

/// What is sent to both arms, one of the list after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probes {
    pub per_second: f64,
    pub requests: Vec<Probe>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Probe {
    /// To a stage.
    Request(RequestProbe),
    /// To an alias' versions: JSON.
    Event { payload: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestProbe {
    pub method: String,
    /// Below the stage: begins with `/`, may have a query.
    pub path: String,
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub headers: Texts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A URL that is told of a rollout's changes, and what they are signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub url: String,
    pub secret: Option<String>,
}

/// Orders that a rollout remembers.
pub const ORDERS_MAX: usize = 100;

/// What somebody ordered, as it reached the rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Epoch milliseconds.
    pub at_ms: u64,
    pub kind: OrderKind,
    /// The ARN of the user or role session, or `pitbird`.
    pub by: String,
    pub access_key_id: Option<String>,
    /// Was the caller's signature verified? On loopback it needn't be.
    pub is_verified: bool,
    pub why: Option<String>,
    /// It came in time to have an effect.
    pub is_obeyed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderKind {
    Start,
    Pause,
    Resume,
    Abort,
    Promote,
}

impl<P, S> Rollout<P, S> {
    /// Remembers an order. The first, which started the rollout, stays.
    pub fn remember(&mut self, order: Order) {
        if self.orders.len() >= ORDERS_MAX {
            self.orders.remove(1);
        }
        self.orders.push(order);
    }

    /// Counts pairs, and remembers in which minute they came.
    pub fn count_pairs(&mut self, seen: PairCounts, at_ms: u64) {
        if seen == PairCounts::default() {
            return;
        }
        self.pairs = self.pairs.and(seen);
        let minute_ms = at_ms / 60_000 * 60_000;
        match self.pair_minutes.last_mut() {
            // A clock that was set back goes on with the newest minute.
            Some(newest) if newest.minute_ms >= minute_ms => newest.pairs = newest.pairs.and(seen),
            _ => self.pair_minutes.push(PairMinute { minute_ms, pairs: seen }),
        }
        let too_many = self.pair_minutes.len().saturating_sub(PAIR_MINUTES_MAX);
        self.pair_minutes.drain(..too_many);
    }
}

/// The base's p50, p90, p99 and p99.9 before the first shift, microseconds: of all requests, and of each of the plan's
/// routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    pub all_us: [u64; 4],
    pub routes_us: Vec<[u64; 4]>,
}

impl<P, S> Record for Rollout<P, S>
where
    P: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
    S: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    const TABLE: &'static str = "rollout";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.name])
    }
}

/// What is rolled out, and what the target was before, so that it can be that again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Target {
    RestStage(Box<StageTarget>),
    LambdaAlias(AliasTarget),
    /// Several functions of one API, moved together: every change is made of all of them at once. By the functions' names, each once.
    LambdaAliases(Vec<AliasTarget>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageTarget {
    pub api_id: String,
    pub stage: String,
    /// The deployment that the stage served.
    pub base: String,
    /// The canary that the stage already had, with the same deployment.
    pub found: Option<Canary>,
    /// The deployment on trial, and the variables that go with it.
    pub canary: String,
    pub overrides: Option<Texts>,
    /// Where requests choose their release, if the rollout has the stage ask: the value of a tag that it sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<String>,
    /// What keeps a client with its release, if the rollout has the stage do so: the value of a tag that it sets, and the one that it
    /// found there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky_before: Option<String>,
    /// The share of the base's requests that the canary gets as well, if the rollout has the stage do so: as for `sticky`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror_before: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AliasTarget {
    pub function: String,
    pub alias: String,
    /// The version that the alias named.
    pub base: VersionId,
    /// The weight that the version on trial already had.
    pub found: Option<Additional>,
    /// The version on trial.
    pub canary: VersionId,
    /// Environments of it that are to be ready before the first request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_warm: Option<u32>,
}

impl Target {
    /// What it has for itself while it runs: two rollouts that would get in each other's way have one of these in common.
    pub fn claims(&self) -> Vec<String> {
        match self {
            Target::RestStage(target) => vec![stage_claim(&target.api_id, &target.stage)],
            Target::LambdaAlias(_) | Target::LambdaAliases(_) => {
                self.aliases().iter().map(|target| alias_claim(&target.function, &target.alias)).collect()
            }
        }
    }

    /// The target as others are told of it.
    pub fn name(&self) -> String {
        self.claims().join(" ")
    }

    /// The aliases that are moved; none where it is a stage.
    pub fn aliases(&self) -> &[AliasTarget] {
        match self {
            Target::RestStage(_) => &[],
            Target::LambdaAlias(target) => std::slice::from_ref(target),
            Target::LambdaAliases(targets) => targets,
        }
    }
}

/// The claim on a stage.
pub fn stage_claim(api_id: &str, stage: &str) -> String {
    format!("rest_stage/{api_id}/{stage}")
}

/// What a rollout claims that has ended, as long as somebody is still to be told of it: nobody's target.
pub fn after_claim(name: &str) -> String {
    format!("after/{name}")
}

/// The claim on an alias.
pub fn alias_claim(function: &str, alias: &str) -> String {
    format!("lambda_alias/{function}/{alias}")
}

/// By arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ColdStarts {
    pub base: u64,
    pub canary: u64,
}

/// Requests that both arms answered, and those that one arm alone failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PairCounts {
    pub pairs: u64,
    pub canary_alone: u64,
    pub base_alone: u64,
}

impl PairCounts {
    #[must_use]
    fn and(self, more: PairCounts) -> PairCounts {
        PairCounts {
            pairs: self.pairs.saturating_add(more.pairs),
            canary_alone: self.canary_alone.saturating_add(more.canary_alone),
            base_alone: self.base_alone.saturating_add(more.base_alone),
        }
    }
}

/// Minutes of pairs that a rollout remembers.
pub const PAIR_MINUTES_MAX: usize = 10;

/// The pairs of one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairMinute {
    /// When it began, epoch milliseconds.
    pub minute_ms: u64,
    pub pairs: PairCounts,
}

/// What a canary has used: numbers that only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CanaryUse {
    /// API requests that are charged for, and those that aren't.
    pub requests: u64,
    pub requests_uncharged: u64,
    /// What the API has answered.
    pub bytes_out: u64,
    pub function_requests: u64,
    /// Billed milliseconds times MiB, on demand and where environments are kept ready.
    pub mib_ms: u64,
    pub provisioned_mib_ms: u64,
}

impl CanaryUse {
    /// Both together.
    #[must_use]
    pub fn and(self, more: CanaryUse) -> CanaryUse {
        self.zip(more, u64::saturating_add)
    }

    /// What has come since `told`. A number that fell belongs to a counter that began again from 0.
    #[must_use]
    pub fn since(self, told: CanaryUse) -> CanaryUse {
        self.zip(told, |now, told| if now < told { now } else { now - told })
    }

    fn zip(self, other: CanaryUse, of: impl Fn(u64, u64) -> u64) -> CanaryUse {
        CanaryUse {
            requests: of(self.requests, other.requests),
            requests_uncharged: of(self.requests_uncharged, other.requests_uncharged),
            bytes_out: of(self.bytes_out, other.bytes_out),
            function_requests: of(self.function_requests, other.function_requests),
            mib_ms: of(self.mib_ms, other.mib_ms),
            provisioned_mib_ms: of(self.provisioned_mib_ms, other.provisioned_mib_ms),
        }
    }
}

/// A change of the target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    pub generation: u64,
    pub change: Change,
    /// The canary's share afterwards.
    pub percent: Percent,
    /// When the decision was taken, and when every new request followed it, epoch milliseconds.
    pub decided_ms: u64,
    pub live_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    Shift,
    Promote,
    RollBack,
}

/// One input of a rollout and what came of it. `R` is the planner's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolloutEntry<R> {
    pub scope: Scope,
    pub rollout: String,
    /// From 1, without gaps.
    pub number: u64,
    pub record: R,
}

/// A number's part in an entry's key: as many digits as the largest has, so that keys are in the order of numbers.
pub fn entry_part(number: u64) -> String {
    format!("{number:020}")
}

impl<R> Record for RolloutEntry<R>
where
    R: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    const TABLE: &'static str = "rollout_entry";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.rollout, &entry_part(self.number)])
    }
}

/// Says which rollout has a target; there is one for each of [`Target::claims`] as long as it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutClaim {
    pub scope: Scope,
    /// One of [`Target::claims`].
    pub target: String,
    pub rollout: String,
}

impl Record for RolloutClaim {
    const TABLE: &'static str = "rollout_claim";
    fn key(&self) -> String {
        crate::key(&self.scope, &[&self.target])
    }
}

//! CodeDeploy for Lambda: applications, deployment groups, and deployments that move a function's alias to another
//! version: at once, by a canary, or in equal steps, with validating functions, alarms and automatic rollback.
//!
//! The operations ([`service`]) write down what is to be done; the [`Executor`] does it. What a deployment does next is
//! decided by `turn`, which is pure: deployment, alias, alarms, answers of hooks and the time go in, the deployment as it
//! then is and the alias's change come out. Both are one commit of the store, with the rollback that follows a failure: a
//! server that is killed at any moment goes on with what the record says. A hook is asked again then, with the same
//! execution id, so hooks may be asked more than once.
//!
//! While a deployment runs it holds its group and its alias: the latter by the same claim that pitbird's own rollouts make.
//! An alias that somebody else changes meanwhile is left alone, and the deployment fails saying what it found.
//!
//! Only the Lambda platform is here; Server and ECS are refused by name. Nothing here speaks HTTP or knows another
//! service: what it needs of others comes by [`Parts`].
//!
//! Start at [`new`], then `turn.rs`, and `executor/drive.rs`, the loop around it.

mod appspec;
mod commit;
mod config;
mod error;
mod executor;
mod find;
mod limits;
mod name;
mod notice;
mod operations;
mod page;
mod revisions;
mod role;
mod shape;
mod turn;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use pitbird_names::Scope;
use pitbird_service::{Builder, Service};
use pitbird_store::Store;

pub use error::Error;
pub use executor::Executor;

/// What comes of something that takes a while.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// The alarms of these names that there are.
pub type AlarmsOf = Arc<dyn Fn(&Scope, &[String]) -> Vec<AlarmStanding> + Send + Sync>;
/// May a role do this to that?
pub type MayOf = Arc<dyn Fn(&Ask<'_>) -> bool + Send + Sync>;
/// Runs a hook's function once; an error says in words why it could not be run, or that it failed.
pub type InvokeHook = Arc<dyn Fn(HookCall) -> Later<Result<(), String>> + Send + Sync>;
/// Reads an object of S3.
pub type FetchObject = Arc<dyn Fn(ObjectRef) -> Later<Result<Fetched, String>> + Send + Sync>;
/// Tells a trigger's target of an event. May be asked twice for the same.
pub type TellTrigger = Arc<dyn Fn(Told) -> Later<Result<(), String>> + Send + Sync>;
/// Now, epoch milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How an alarm stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmStanding {
    pub name: String,
    /// Is it in ALARM?
    pub is_active: bool,
}

/// What a deployment asks to do as its group's role.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub scope: &'a Scope,
    /// The role's ARN.
    pub role: &'a str,
    /// `lambda:UpdateAlias`.
    pub action: &'a str,
    /// The resource by every name that policies know it by; none where the action has no resource.
    pub resources: &'a [String],
}

/// An invocation of a validating function.
#[derive(Debug, Clone)]
pub struct HookCall {
    pub scope: Scope,
    /// Name or ARN, perhaps with a qualifier.
    pub function: String,
    /// AWS's event, JSON.
    pub event: String,
}

/// An object of S3, and the version of it that is wanted if it isn't the newest.
#[derive(Debug, Clone)]
pub struct ObjectRef {
    pub scope: Scope,
    pub bucket: String,
    pub key: String,
    pub version: Option<String>,
    /// More is an error.
    pub bytes_max: u64,
}

/// What an object was.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub content: Bytes,
    /// Without quotes.
    pub etag: String,
}

/// An event for a trigger's target.
#[derive(Debug, Clone)]
pub struct Told {
    pub scope: Scope,
    /// A function's ARN, or an `http` or `https` URL.
    pub target: String,
    /// The deployment group in whose name it is told.
    pub group_arn: String,
    /// EventBridge's shape, JSON.
    pub event: String,
}

/// What operations and executor work with.
pub struct Parts {
    pub store: Store,
    pub alarms: AlarmsOf,
    pub may: MayOf,
    pub invoke_hook: InvokeHook,
    pub fetch: FetchObject,
    pub tell: TellTrigger,
    pub clock: Clock,
    /// A source of random bits, for identifiers.
    pub entropy: fn() -> u128,
    /// What waits are divided by: 1 in real time; more for tests only.
    pub time_scale: f64,
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
    operations::hang(Builder::new("codedeploy", state)).build()
}

#[cfg(test)]
mod tests;

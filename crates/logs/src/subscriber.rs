//! Functions that subscribe to a log group: are they there, do they let CloudWatch Logs in, and the way to them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use pitbird_names::{FunctionName, Qualifier, Scope, arn};
use pitbird_snapshot::{FunctionKey, InvocationSource};

use crate::filters::Subscription;
use crate::{Error, State};

/// An event for a function, to be run later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub scope: Scope,
    pub function: FunctionName,
    pub qualifier: Option<Qualifier>,
    /// JSON.
    pub payload: String,
}

/// Puts an event into the function's queue: `Ok` when it is durable there, else why not. Running functions is not for this
/// crate, so whoever builds the service brings it.
pub type Deliver =
    Arc<dyn Fn(Delivery) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Is the function there, and does its policy let CloudWatch Logs run it for this group?
pub fn check(state: &State, scope: &Scope, subscription: &Subscription) -> Result<(), Error> {
    let snapshot = state.store.snapshot();
    let key = FunctionKey { scope: scope.clone(), name: subscription.function.clone() };
    let function = snapshot.function(&key).ok_or(Error::NoPermission)?;
    let qualifier = subscription.qualifier.as_ref();
    if function.resolve(qualifier, 0.0).is_err() {
        return Err(Error::NoPermission);
    }
    let group = format!("{}:*", arn::log_group(scope, &subscription.group));
    let account = scope.account.as_str();
    let regional = format!("logs.{}.amazonaws.com", scope.region.as_str());
    let allows = |service: &str| {
        let source = InvocationSource { service, arn: &group, account };
        function.policy(qualifier).is_some_and(|policy| policy.allows(&source))
    };
    if allows(&regional) || allows("logs.amazonaws.com") { Ok(()) } else { Err(Error::NoPermission) }
}

/// Does the function log into the group that it subscribes to? Then each delivery brings more to deliver.
pub fn is_loop(state: &State, scope: &Scope, subscription: &Subscription) -> bool {
    let snapshot = state.store.snapshot();
    let key = FunctionKey { scope: scope.clone(), name: subscription.function.clone() };
    let Some(function) = snapshot.function(&key) else { return false };
    let resolved = function.resolve(subscription.qualifier.as_ref(), 0.0).ok();
    resolved.is_some_and(|resolved| resolved.version.record.settings.logging.group == *subscription.group)
}

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use pitbird_names::Scope;

/// AWS services as integrations call them. Whoever hosts the edge has them.
pub trait Services: Send + Sync {
    /// Calls a service in a role's name, within `limit`.
    fn call(&self, call: ServiceCall, limit: Duration) -> Later<'_, Result<Response<Bytes>, Uncalled>>;

    /// Do a role's policies let API Gateway do this in its name? Asked for each request, so an answer should be at hand.
    fn may(&self, role: &str, action: &str, resource: &str) -> bool;
}

pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One call of a service.
#[derive(Debug)]
pub struct ServiceCall {
    /// The API's own; the call's region is its target's.
    pub scope: Scope,
    pub region: String,
    /// `s3`, `logs` …
    pub service: String,
    /// What stands before the service in its host: a bucket.
    pub subdomain: Option<String>,
    /// The operation, where the target names one; else `uri` says it.
    pub action: Option<String>,
    pub verb: Method,
    /// Path and query.
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The ARN of the role in whose name.
    pub role: String,
}

/// Why a service wasn't called.
#[derive(Debug, thiserror::Error)]
pub enum Uncalled {
    #[error("{0} is no service that is served here")]
    Unserved(String),
    #[error("API Gateway does not have permission to assume the provided role")]
    Role,
    #[error("Invalid endpoint address")]
    Address,
    #[error("Execution failed due to a timeout error")]
    Timeout,
    #[error("the service's answer broke off")]
    BrokenOff,
}

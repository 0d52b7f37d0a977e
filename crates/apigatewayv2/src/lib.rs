//! API Gateway HTTP APIs (its second API): their control-plane operations, no HTTP.
//!
//! [`service`] hangs the operations in, one file each under `operations`. An operation reads records, lets a pure module
//! decide and writes records back in one transaction: `api` is what holds for a whole API, `route`, `integration` and
//! `authorizer` what a deployment freezes, `deployment` the freezing and the deploying by itself after each change, `stage` the
//! names that deployments are reached under, `domain_name`, `api_mapping` and `routing_rule` the hosts and paths that stages of both
//! kinds of API are reached under, `import` the laying of OpenAPI documents over an API. `shape` is what callers get to see, `error` what they are told when something
//! fails, in API Gateway's words.
//!
//! What the data plane can't obey (WebSocket APIs with all that only they have, private integrations, first-class
//! integrations with AWS services, credentials of integrations and authorizers) is refused by name. Models, route and
//! integration responses belong to WebSocket APIs and aren't hung in. An issuer of tokens is first asked when a token comes, not
//! when an authorizer is made: this service reaches nobody. Nothing here speaks HTTP, runs a function or looks into another
//! service.

mod access_log;
mod api;
mod api_mapping;
mod authorizer;
mod deployment;
mod domain_name;
mod error;
mod find;
mod import;
mod integration;
mod operations;
mod page;
mod route;
mod routing_rule;
mod shape;
mod stage;
mod tags;

use std::sync::Arc;

use pitbird_service::{Builder, Service};
use pitbird_store::Store;

pub use error::Error;

/// What the operations work with.
pub struct State {
    pub store: Store,
    /// A source of random bits, for identifiers.
    pub entropy: fn() -> u128,
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("apigatewayv2", state)).build()
}

#[cfg(test)]
mod tests;

//! API Gateway REST: its control-plane operations, no HTTP.
//!
//! [`service`] hangs the operations in, one file each under `operations`. An operation reads records, lets a pure module
//! decide and writes records back in one transaction: [`canary`] is a stage's second release from start to promotion,
//! `stage` what patches may do to a stage, `resource` the tree of paths, `method` and `integration` what is behind them,
//! `model`, `request_validator` and `authorizer` what methods name, `gateway_response` what the gateway answers itself, and
//! `deployment` the freezing of all that. `api_key` and `usage_plan` are an account's customers, `domain_name` its own
//! hosts, `documentation` what is written about an API, `client_certificate` how the gateway shows itself to backends.
//! `shape` is what callers get to see, `error` what they are told when something fails, in API Gateway's words.
//!
//! `import` holds what an OpenAPI document makes (`pitbird-openapi` reads it) against the rules of single calls.
//!
//! What isn't deployed is tried out by `trial`, whose other side the data plane is.
//!
//! Private APIs and connections, mutual TLS, firewalls and SDKs are refused by name. Nothing here speaks HTTP, runs a function or looks into another service.

mod access_log;
mod account;
mod api_key;
mod authorizer;
pub mod canary;
mod client_certificate;
mod deployment;
mod documentation;
mod domain_name;
mod edit;
mod error;
mod find;
mod gateway_response;
mod import;
mod integration;
mod mapping;
mod method;
mod model;
mod operations;
mod page;
mod patch;
mod policy;
mod request_validator;
mod resource;
mod rest_api;
mod shape;
mod stage;
mod tags;
pub mod trial;
mod usage_plan;

use std::sync::Arc;

use pitbird_records::usage_plan::Throttle;
use pitbird_service::{Builder, Service};
use pitbird_store::Store;

pub use error::Error;

/// What the operations work with.
pub struct State {
    pub store: Store,
    /// A source of random bits, for identifiers.
    pub entropy: fn() -> u128,
    /// What tries out methods and authorizers.
    pub trials: Arc<dyn trial::Trials>,
    /// How fast the data plane lets an account be called in a region; `None` where it doesn't count.
    pub account_throttle: Option<Throttle>,
}

/// The service with all its operations.
pub fn service(state: Arc<State>) -> Service {
    operations::hang(Builder::new("apigateway", state)).build()
}

#[cfg(test)]
mod tests;

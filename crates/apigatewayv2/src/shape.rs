//! What callers get to see: API Gateway's output shapes, made from records. A member that was never set is left out, not
//! null and not empty, as tools that compare expect it.

mod api;
mod authorizer;
mod deployment;
mod domain_name;
mod integration;
mod route;
mod routing_rule;
mod stage;

use serde::Serialize;

pub use api::Api;
pub use authorizer::Authorizer;
pub use deployment::Deployment;
pub use domain_name::{ApiMapping, DomainName};
pub use integration::Integration;
pub use route::Route;
pub use routing_rule::RoutingRule;
pub use stage::Stage;

/// The answer of an operation that has nothing to say.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// A list's page.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Items<T> {
    pub items: Vec<T>,
    pub next_token: Option<String>,
}

/// Epoch seconds, whole ones as the service gives them.
fn seconds(epoch_ms: i64) -> f64 {
    epoch_ms.div_euclid(1000) as f64
}

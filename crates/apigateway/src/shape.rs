//! What callers get to see: API Gateway's output shapes, made from records. A member that was never set is left out,
//! not null and not empty, as tools that compare expect it.

mod api_key;
mod authorizer;
mod client_certificate;
mod deployment;
mod documentation;
mod domain_name;
mod gateway_response;
mod method;
mod model;
mod resource;
mod rest_api;
mod stage;
mod usage_plan;

use serde::Serialize;

pub use api_key::ApiKey;
pub use authorizer::Authorizer;
pub use client_certificate::ClientCertificate;
pub use deployment::Deployment;
pub use documentation::{DocumentationPart, DocumentationVersion};
pub use domain_name::{BasePathMapping, DomainName};
pub use gateway_response::GatewayResponse;
pub use method::{Integration, IntegrationResponse, Method, MethodResponse};
pub use model::{Model, RequestValidator};
pub use resource::Resource;
pub use rest_api::RestApi;
pub use stage::Stage;
pub use usage_plan::{Usage, UsagePlan, UsagePlanKey};

/// The answer of an operation that has nothing to say.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// A list's page.
#[derive(Debug, Serialize)]
pub struct Items<T> {
    pub position: Option<String>,
    pub items: Vec<T>,
}

/// Epoch seconds, whole ones as the service gives them.
fn seconds(epoch_ms: i64) -> f64 {
    epoch_ms.div_euclid(1000) as f64
}

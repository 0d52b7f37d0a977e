//! What we keep durably, as plain data: one file per resource, no behaviour beyond making keys.
//!
//! Every record belongs to a table and has a key of parts joined by `/`, the scope first
//! (`000000000000/us-east-1/...`). Only the last part may itself contain `/`, so that a prefix lists exactly the
//! children. Buckets and their objects have one world of names and no scope in their keys. Times are epoch milliseconds. A field added later carries `#[serde(default)]`: older data stays readable.
//!
//! Start at [`Record`], then [`rest_api`], [`http_api`], [`stage`] and [`function`].

pub mod alarm;
pub mod alias;
pub mod anomaly_detector;
pub mod api_key;
pub mod async_event;
pub mod authorizer;
pub mod bucket;
pub mod client_certificate;
pub mod dashboard;
pub mod deploy_application;
pub mod deploy_config;
pub mod deploy_group;
pub mod deploy_revision;
pub mod deployment;
pub mod deployment_notice;
pub mod documentation;
pub mod domain_name;
pub mod event_invoke_config;
pub mod export_task;
pub mod function;
pub mod function_deployment;
pub mod function_policy;
pub mod function_url;
pub mod gateway_account;
pub mod gateway_response;
pub mod http_api;
pub mod http_authorizer;
pub mod http_deployment;
pub mod http_integration;
pub mod http_route;
pub mod http_stage;
pub mod layer;
pub mod log_filter;
pub mod log_group;
pub mod log_policy;
pub mod managed_policy;
pub mod model;
pub mod object;
pub mod provisioned_concurrency;
pub mod query_definition;
pub mod request_validator;
pub mod resource;
pub mod rest_api;
pub mod role;
pub mod rollout;
pub mod session;
pub mod stage;
pub mod usage_plan;

use std::collections::BTreeMap;

use pitbird_names::Scope;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use alarm::{Alarm, AlarmDeed, AlarmEvent, AlarmHead, CompositeAlarm};
pub use alias::Alias;
pub use anomaly_detector::AnomalyDetector;
pub use api_key::ApiKey;
pub use async_event::AsyncEvent;
pub use authorizer::Authorizer;
pub use bucket::{Bucket, BucketSettings, PublicAccessBlock};
pub use client_certificate::ClientCertificate;
pub use dashboard::Dashboard;
pub use deploy_application::DeployApplication;
pub use deploy_config::{DeployConfig, TrafficRouting};
pub use deploy_group::{AlarmSettings, AutoRollback, DeployGroup, DeployTrigger};
pub use deploy_revision::{DeployRevision, Revision, S3Revision};
pub use deployment::Deployment;
pub use deployment_notice::DeploymentNotice;
pub use documentation::{DocumentationLocation, DocumentationPart, DocumentationVersion};
pub use domain_name::{DomainMapping, DomainName, RoutingCondition, RoutingRule};
pub use event_invoke_config::EventInvokeConfig;
pub use export_task::{ExportStatus, ExportTask};
pub use function::FunctionVersion;
pub use function_deployment::{DeploymentClaim, FunctionDeployment};
pub use function_policy::FunctionPolicy;
pub use function_url::FunctionUrl;
pub use gateway_account::GatewayAccount;
pub use gateway_response::GatewayResponse;
pub use http_api::{HttpApi, HttpCors};
pub use http_authorizer::{HttpAuthorizer, HttpAuthorizerKind};
pub use http_deployment::HttpDeployment;
pub use http_integration::HttpIntegration;
pub use http_route::HttpRoute;
pub use http_stage::{HttpRouteSettings, HttpStage};
pub use layer::{Layer, LayerVersion};
pub use log_filter::{MetricFilter, MetricTransformation, SubscriptionFilter};
pub use log_group::LogGroup;
pub use log_policy::LogPolicy;
pub use managed_policy::ManagedPolicy;
pub use model::Model;
pub use object::{MultipartUpload, Object, UploadedPart};
pub use provisioned_concurrency::ProvisionedConcurrency;
pub use query_definition::QueryDefinition;
pub use request_validator::RequestValidator;
pub use resource::{Integration, IntegrationResponse, Method, MethodResponse, Resource};
pub use rest_api::RestApi;
pub use role::Role;
pub use rollout::{Rollout, RolloutClaim, RolloutEntry};
pub use session::Session;
pub use stage::{Canary, Stage};
pub use usage_plan::{ApiStage, Quota, Throttle, Usage, UsageGrant, UsagePlan, UsagePlanKey};

/// One durable thing: plain data in a table under a key.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The table's name: lower case, letters and `_`.
    const TABLE: &'static str;

    /// Whether every value's text reads as a value again, so that it needn't be tried before it is stored: true only of types whose
    /// members are texts, whole numbers, words of enums, and lists and options of such.
    const IS_ALWAYS_READABLE: bool = false;

    /// The record's key, the same for its whole life.
    fn key(&self) -> String;
}

/// Names and texts, in the order of their names.
pub type Texts = BTreeMap<String, String>;

/// Joins a scope and parts to a key.
pub fn key(scope: &Scope, parts: &[&str]) -> String {
    let mut key = scope.key();
    for part in parts {
        key.push('/');
        key.push_str(part);
    }
    key
}

/// The prefix of every key below a scope and parts: the key with a trailing `/`.
pub fn prefix(scope: &Scope, parts: &[&str]) -> String {
    let mut prefix = key(scope, parts);
    prefix.push('/');
    prefix
}

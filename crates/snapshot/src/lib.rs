//! The data plane's immutable view of the world, compiled from records.
//!
//! A request loads one [`Snapshot`] and keeps it to its end, so that it sees one state of everything: a promotion or a
//! rollback never mixes two releases in one request. After a commit the store asks [`compile`] for the next snapshot;
//! whatever a commit didn't touch is shared with the one before, by pointer. Nothing here reads a clock, a random
//! source or a disk; draws come in as arguments.
//!
//! Start at [`Snapshot`], then [`Stage::choose`] and [`Function::resolve`].

mod api;
mod authorizer;
mod choice;
mod client_certificate;
mod compile;
mod deployment;
mod domain;
mod function;
mod gateway_response;
mod http_api;
mod integration;
mod policy;
mod policy_document;
mod schema;
mod settings;
mod slot;
mod source;
mod target;
mod url;
mod usage;
mod validation;

use std::collections::HashMap;
use std::sync::Arc;

use pitbird_names::Scope;

pub use api::{Api, Stage, Track};
pub use authorizer::{Authorization, AuthorizerAsks, FunctionAuthorizer, IdentitySource, PoolAuthorizer};
pub use choice::{BadTag, Carrier, Choice, Sticky};
pub use client_certificate::{ClientCertificate, PrivateKey};
pub use compile::{Touched, compile, trial};
pub use deployment::{CacheKey, Deployment, Method, Resource};
pub use domain::{Domain, Domains, Located};
pub use function::{Alias, Function, Resolved, Unknown, Version};
pub use gateway_response::{
    GATEWAY_RESPONSE_TYPES, GatewayPiece, GatewayResponse, GatewayResponses, GatewayTemplate, GatewayValue,
    GatewayVariable,
};
pub use http_api::{
    HttpAccess, HttpApi, HttpApiTarget, HttpAuthorizer, HttpDeployment, HttpIntegration, HttpMatch,
    HttpRoute, HttpStage,
};
pub use integration::{
    Backend, ContentHandling, HttpProxy, Integration, Mapped, Mock, MockAnswer, MockFault, Parameters,
    Passthrough, ResponseRule, Templates, Trust, static_status,
};
pub use policy::{Policy, Source as InvocationSource, UrlCaller};
pub use policy_document::{NoPolicy, PolicyDocument, PolicyPrincipal, PolicyQuestion, PolicyVerdict};
pub use schema::{BadSchema, Models, Schema};
pub use settings::{Setting, Settings};
pub use slot::Slot;
pub use source::{MemorySource, Source};
pub use target::{Action, HttpTarget, LambdaTarget, ServiceTarget, Target, Unrenderable};
pub use url::FunctionUrl;
pub use usage::{
    ACCOUNT_THROTTLE, Grant, KeyRing, MethodThrottle, PlanQuota, PlanStage, QuotaPeriod, UsagePlan, day,
};
pub use validation::{ParameterPlace, RequiredParameter, Validation};

/// What requests are looked up in. Keys come from whoever deploys, not from those who ask, so that the quickest hash will do.
pub type Found<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Everything that the data plane knows, at one generation.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Counts the commits since the store was opened.
    pub generation: u64,
    apis: Arc<Found<String, Arc<Api>>>,
    http_apis: Arc<Found<String, Arc<HttpApi>>>,
    functions: Arc<Found<FunctionKey, Arc<Function>>>,
    /// By the id that their hosts carry.
    urls: Arc<Found<String, Arc<FunctionUrl>>>,
    domains: Arc<Domains>,
    keys: Arc<HashMap<Scope, Arc<KeyRing>>>,
    plans: Arc<usage::PlansOfApis>,
    client_certificates: Arc<client_certificate::ClientCertificates>,
}

/// A function's name within its scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FunctionKey {
    pub scope: Scope,
    pub name: String,
}

impl Snapshot {
    /// An API by the id that invoke URLs carry.
    pub fn api(&self, id: &str) -> Option<&Arc<Api>> {
        self.apis.get(id)
    }

    /// An HTTP API by the id that invoke URLs carry; no REST API has the same.
    pub fn http_api(&self, id: &str) -> Option<&Arc<HttpApi>> {
        self.http_apis.get(id)
    }

    /// The stage that an invoke URL names.
    pub fn stage(&self, api: &str, stage: &str) -> Option<&Arc<Stage>> {
        self.apis.get(api)?.stages.get(stage)
    }

    /// A function's URL by the id that its host carries.
    pub fn url(&self, id: &str) -> Option<&Arc<FunctionUrl>> {
        self.urls.get(id)
    }

    /// The custom domain that a host (without its port) is of.
    pub fn domain(&self, host: &str) -> Option<&Arc<Domain>> {
        domain::find(&self.domains, host)
    }

    /// An API key of an account and region by the value that requests bring.
    pub fn api_key(&self, scope: &Scope, value: &str) -> Option<&Arc<pitbird_records::ApiKey>> {
        self.keys.get(scope)?.get(value)
    }

    /// The usage plan by which a key may call a stage: the first one that has both.
    pub fn usage_plan(&self, api: &str, stage: &str, key_id: &str) -> Option<(&Arc<UsagePlan>, &PlanStage)> {
        let plans = self.plans.get(api)?.iter().filter(|plan| plan.has_key(key_id));
        plans.filter_map(|plan| Some((plan, plan.stage(api, stage)?))).next()
    }

    /// The certificate that a stage shows to HTTP backends, if it shows one.
    pub fn client_certificate(&self, stage: &Stage) -> Option<&Arc<ClientCertificate>> {
        let id = stage.record.client_certificate_id.as_ref()?;
        self.client_certificates.get(&(stage.scope.clone(), id.clone()))
    }

    /// All plans, some more than once.
    pub fn usage_plans(&self) -> impl Iterator<Item = &Arc<UsagePlan>> {
        self.plans.values().flatten()
    }

    pub fn function(&self, key: &FunctionKey) -> Option<&Arc<Function>> {
        self.functions.get(key)
    }

    pub fn apis(&self) -> impl Iterator<Item = &Arc<Api>> {
        self.apis.values()
    }

    pub fn functions(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.functions.values()
    }
}

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pitbird_mapping::parameter::{Direction, Source};
use pitbird_names::arn;
use pitbird_paths::{Router, Template};
use pitbird_records as records;

use crate::schema::Models;
use crate::target::TargetTemplate;
use crate::{
    Authorization, FunctionAuthorizer, GatewayResponses, Integration, PolicyDocument, PoolAuthorizer,
    Validation,
};

/// A deployment's routes. Immutable, and so shared by every snapshot that has a stage on it.
#[derive(Debug)]
pub struct Deployment {
    pub id: String,
    pub router: Router<Resource>,
    pub binary_media_types: Vec<String>,
    /// From how many bytes on answers are compressed; requests are taken compressed then too.
    pub compression_minimum: Option<u64>,
    /// For how long an answer that is passed on as it comes may pause.
    pub stream_idle: Duration,
    /// Who may call the API at all.
    pub policy: Option<PolicyDocument>,
    /// Do API keys come from authorizers? Else they come in the header `X-API-Key`.
    pub keys_come_from_authorizers: bool,
    /// `None` where the gateway's own answers are as API Gateway has them.
    pub gateway_responses: Option<Box<GatewayResponses>>,
    /// What integrations and authorizers call, in the order that they count it.
    pub(crate) targets: Vec<TargetTemplate>,
}

#[derive(Debug)]
pub struct Resource {
    pub id: String,
    /// The template: `/pets/{id}`.
    pub path: String,
    /// A few by their verb: they are looked through one by one.
    methods: Vec<Method>,
}

#[derive(Debug)]
pub struct Method {
    /// As configured: `GET` … or `ANY`.
    pub name: String,
    pub operation_name: Option<String>,
    pub authorization: Authorization,
    pub needs_key: bool,
    /// `None` where nothing of a request is checked.
    pub validation: Option<Box<Validation>>,
    pub cache_key: CacheKey,
    pub integration: Integration,
}

impl Method {
    /// May anybody call, with anything?
    pub fn is_open(&self) -> bool {
        matches!(self.authorization, Authorization::Open) && !self.needs_key && self.validation.is_none()
    }
}

/// What a method's answers differ by in a stage's cache.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CacheKey {
    /// Methods of the same one share their answers; usually the resource's id.
    pub namespace: String,
    pub parameters: Vec<Source>,
}

impl CacheKey {
    /// Parameters are named as the method's (`method.request.querystring.page`) or as the integration's, which are mapped from the
    /// method's.
    fn compile(integration: Option<&records::Integration>, resource_id: &str) -> CacheKey {
        let Some(integration) = integration else { return CacheKey::default() };
        let source = |name: &String| {
            let of_method = integration.request_parameters.get(name).unwrap_or(name);
            Source::parse(of_method, Direction::Request).ok()
        };
        CacheKey {
            namespace: integration.cache_namespace.clone().unwrap_or_else(|| resource_id.to_owned()),
            parameters: integration.cache_key_parameters.iter().filter_map(source).collect(),
        }
    }
}

impl Resource {
    /// The method for an HTTP verb: the verb's own before `ANY`. `ANY` stands for DELETE, GET, HEAD, OPTIONS, PATCH,
    /// POST and PUT only.
    pub fn method(&self, verb: &str) -> Option<&Method> {
        const ANY: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];
        let named = |name: &str| self.methods.iter().find(|method| method.name == name);
        named(verb).or_else(|| named("ANY").filter(|_| ANY.contains(&verb)))
    }
}

impl Deployment {
    pub(crate) fn compile(record: records::Deployment) -> Deployment {
        let mut router = Router::new();
        let mut targets = Vec::new();
        let models = Models::new(&record.models);
        let authorizers = authorizers(&record.authorizers, &mut targets);
        for resource in record.resources {
            let methods: Vec<Method> = resource
                .methods
                .into_iter()
                .map(|(name, method)| {
                    let validators = &record.request_validators;
                    let validation = Validation::compile(&method, validators, &record.models, &models);
                    Method {
                        name,
                        integration: Integration::compile(&method, &mut targets),
                        cache_key: CacheKey::compile(method.integration.as_ref(), &resource.id),
                        authorization: authorization(&method, &authorizers),
                        needs_key: method.api_key_required,
                        validation: validation.map(Box::new),
                        operation_name: method.operation_name,
                    }
                })
                .collect();
            if methods.is_empty() {
                continue;
            }
            let path = resource.path;
            let compiled = Resource { id: resource.id, path: path.clone(), methods };
            // Creating a resource refuses paths that can't be parsed or that clash; one that slipped through answers
            // like a path that doesn't exist, and takes nothing else with it.
            if let Ok(template) = Template::parse(&path) {
                let _unrouted = router.insert(&template, compiled);
            }
        }
        Deployment {
            id: record.id,
            router,
            stream_idle: stream_idle(&record.api.endpoint_types),
            policy: policy(&record.api),
            keys_come_from_authorizers: record.api.api_key_source == "AUTHORIZER",
            gateway_responses: GatewayResponses::compile(&record.gateway_responses),
            binary_media_types: record.api.binary_media_types,
            compression_minimum: record.api.minimum_compression_size.and_then(|size| size.try_into().ok()),
            targets,
        }
    }
}

/// Source: API Gateway developer guide, "Stream the integration response for your proxy integrations".
fn stream_idle(endpoint_types: &[String]) -> Duration {
    let is_edge = endpoint_types.iter().any(|kind| kind == "EDGE");
    Duration::from_secs(if is_edge { 30 } else { 300 })
}

/// The API's resource policy. One that can't be read lets nobody in: it was checked when it was put.
fn policy(api: &records::RestApi) -> Option<PolicyDocument> {
    let text = api.policy.as_deref().filter(|text| !text.trim().is_empty())?;
    let arn = arn::execute_api_root(&api.scope, &api.id);
    Some(PolicyDocument::parse(text).map_or_else(|_| PolicyDocument::denying(), |policy| policy.of_api(&arn)))
}

type Authorizers = HashMap<String, Authorization>;

fn authorizers(records: &[records::Authorizer], targets: &mut Vec<TargetTemplate>) -> Authorizers {
    let compiled = records.iter().map(|record| {
        let authorization = if let Some(pools) = PoolAuthorizer::compile(record) {
            Authorization::Pools { authorizer: Arc::new(pools), scopes: Vec::new() }
        } else {
            let function = FunctionAuthorizer::compile(record, targets);
            function.map_or(Authorization::Unserved, |function| Authorization::Function(Arc::new(function)))
        };
        (record.id.clone(), authorization)
    });
    compiled.collect()
}

fn authorization(method: &records::Method, authorizers: &Authorizers) -> Authorization {
    match method.authorization_type.as_str() {
        "NONE" | "" => Authorization::Open,
        "AWS_IAM" => Authorization::Iam,
        kind => match (kind, method.authorizer_id.as_ref().and_then(|id| authorizers.get(id))) {
            ("CUSTOM", Some(Authorization::Function(function))) => Authorization::Function(function.clone()),
            ("COGNITO_USER_POOLS", Some(Authorization::Pools { authorizer, .. })) => Authorization::Pools {
                authorizer: authorizer.clone(),
                scopes: method.authorization_scopes.clone(),
            },
            _ => Authorization::Unserved,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_stream_may_be_silent_goes_by_where_the_api_is() {
        for (types, seconds) in [(&["EDGE"][..], 30), (&["REGIONAL"], 300), (&["PRIVATE"], 300), (&[], 300)] {
            let types: Vec<_> = types.iter().map(|kind| (*kind).to_owned()).collect();
            assert_eq!(stream_idle(&types), Duration::from_secs(seconds), "{types:?}");
        }
    }
}

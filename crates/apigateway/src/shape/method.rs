use std::collections::BTreeMap;

use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    http_method: String,
    authorization_type: String,
    authorizer_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_scopes: Vec<String>,
    api_key_required: bool,
    request_validator_id: Option<String>,
    operation_name: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_parameters: BTreeMap<String, bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_models: Texts,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    method_responses: BTreeMap<String, MethodResponse>,
    method_integration: Option<Integration>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodResponse {
    status_code: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    response_parameters: BTreeMap<String, bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    response_models: Texts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    #[serde(rename = "type")]
    kind: String,
    http_method: Option<String>,
    uri: Option<String>,
    connection_type: Option<String>,
    connection_id: Option<String>,
    credentials: Option<String>,
    tls_config: Option<TlsConfig>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_parameters: Texts,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_templates: Templates,
    passthrough_behavior: String,
    content_handling: Option<String>,
    timeout_in_millis: u32,
    /// Of proxy integrations: others have no choice.
    response_transfer_mode: Option<&'static str>,
    cache_namespace: Option<String>,
    cache_key_parameters: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    integration_responses: BTreeMap<String, IntegrationResponse>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsConfig {
    insecure_skip_verification: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationResponse {
    status_code: String,
    selection_pattern: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    response_parameters: Texts,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    response_templates: Templates,
    content_handling: Option<String>,
}

/// Templates by media type; an empty one is told as null, as the service does it.
type Templates = BTreeMap<String, Option<String>>;

fn templates(texts: Texts) -> Templates {
    texts.into_iter().map(|(media, text)| (media, Some(text).filter(|text| !text.is_empty()))).collect()
}

impl Method {
    pub fn new(verb: &str, method: records::Method) -> Method {
        let responses = method.responses.into_iter();
        Method {
            http_method: verb.to_owned(),
            authorization_type: method.authorization_type,
            authorizer_id: method.authorizer_id,
            authorization_scopes: method.authorization_scopes,
            api_key_required: method.api_key_required,
            request_validator_id: method.request_validator_id,
            operation_name: method.operation_name,
            request_parameters: method.request_parameters,
            request_models: method.request_models,
            method_responses: responses
                .map(|(status, response)| (status.clone(), MethodResponse::new(&status, response)))
                .collect(),
            method_integration: method.integration.map(Integration::from),
        }
    }
}

impl MethodResponse {
    pub fn new(status: &str, response: records::MethodResponse) -> MethodResponse {
        MethodResponse {
            status_code: status.to_owned(),
            response_parameters: response.response_parameters,
            response_models: response.response_models,
        }
    }
}

impl From<records::Integration> for Integration {
    fn from(integration: records::Integration) -> Integration {
        let responses = integration.responses.into_iter();
        let is_proxy = integration.kind.ends_with("_PROXY");
        let mode = if integration.is_streamed { "STREAM" } else { "BUFFERED" };
        Integration {
            kind: integration.kind,
            http_method: integration.http_method,
            uri: integration.uri,
            connection_type: integration.connection_type,
            connection_id: integration.connection_id,
            credentials: integration.credentials,
            tls_config: integration
                .skips_tls_verification
                .map(|insecure_skip_verification| TlsConfig { insecure_skip_verification }),
            request_parameters: integration.request_parameters,
            request_templates: templates(integration.request_templates),
            passthrough_behavior: integration.passthrough_behavior,
            content_handling: integration.content_handling,
            timeout_in_millis: integration.timeout_ms,
            response_transfer_mode: is_proxy.then_some(mode),
            cache_namespace: integration.cache_namespace,
            cache_key_parameters: integration.cache_key_parameters,
            integration_responses: responses
                .map(|(status, response)| (status.clone(), IntegrationResponse::new(&status, response)))
                .collect(),
        }
    }
}

impl IntegrationResponse {
    pub fn new(status: &str, response: records::IntegrationResponse) -> IntegrationResponse {
        IntegrationResponse {
            status_code: status.to_owned(),
            selection_pattern: response.selection_pattern,
            response_parameters: response.response_parameters,
            response_templates: templates(response.response_templates),
            content_handling: response.content_handling,
        }
    }
}

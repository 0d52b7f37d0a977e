use std::collections::BTreeMap;

use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Integration {
    api_gateway_managed: Option<bool>,
    connection_type: &'static str,
    description: Option<String>,
    integration_id: String,
    integration_method: Option<String>,
    integration_type: String,
    integration_uri: String,
    payload_format_version: String,
    request_parameters: Option<Texts>,
    response_parameters: Option<BTreeMap<String, Texts>>,
    timeout_in_millis: u32,
}

impl From<records::HttpIntegration> for Integration {
    fn from(integration: records::HttpIntegration) -> Integration {
        Integration {
            api_gateway_managed: integration.is_managed.then_some(true),
            connection_type: "INTERNET",
            description: integration.description,
            integration_id: integration.id,
            integration_method: integration.method,
            integration_type: integration.kind,
            integration_uri: integration.uri,
            payload_format_version: integration.payload_format_version,
            request_parameters: Some(integration.request_parameters).filter(|map| !map.is_empty()),
            response_parameters: Some(integration.response_parameters).filter(|map| !map.is_empty()),
            timeout_in_millis: integration.timeout_ms,
        }
    }
}

use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::{Integration, Texts};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::edit::{self, At};
use crate::{Error, State, integration, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    #[serde(rename = "type")]
    kind: String,
    integration_http_method: Option<String>,
    uri: Option<String>,
    connection_type: Option<String>,
    credentials: Option<String>,
    content_handling: Option<String>,
    tls_config: Option<TlsConfig>,
    request_parameters: Option<Texts>,
    request_templates: Option<BTreeMap<String, Option<String>>>,
    passthrough_behavior: Option<String>,
    timeout_in_millis: Option<i64>,
    cache_namespace: Option<String>,
    cache_key_parameters: Option<Vec<String>>,
    response_transfer_mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TlsConfig {
    insecure_skip_verification: Option<bool>,
}

/// Puts a method's integration, in place of one that was there with its responses.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Integration, Fault> {
    let scope = call.caller.scope.clone();
    let at = At {
        scope: call.caller.scope,
        api_id: call.input.rest_api_id.clone(),
        resource_id: call.input.resource_id.clone(),
    };
    let verb = call.input.http_method.clone();
    let put = move |method: &mut pitbird_records::Method| {
        let mut integration = parse(call.input)?;
        integration::settle(method, &mut integration, &scope)?;
        method.integration = Some(integration.clone());
        Ok(shape::Integration::from(integration))
    };
    Ok(edit::method(&state, at, verb, put).await?)
}

fn parse(input: Input) -> Result<Integration, Error> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let templates = input.request_templates.unwrap_or_default().into_iter();
    Ok(Integration {
        kind: input.kind,
        http_method: input.integration_http_method,
        uri: input.uri,
        connection_type: given(input.connection_type),
        connection_id: None,
        credentials: given(input.credentials),
        skips_tls_verification: input.tls_config.and_then(|config| config.insecure_skip_verification),
        request_parameters: input.request_parameters.unwrap_or_default(),
        request_templates: templates.map(|(media, text)| (media, text.unwrap_or_default())).collect(),
        passthrough_behavior: input.passthrough_behavior.unwrap_or_else(|| "WHEN_NO_MATCH".to_owned()),
        content_handling: given(input.content_handling),
        timeout_ms: integration::timeout_ms(input.timeout_in_millis),
        is_streamed: input.response_transfer_mode.as_deref().map_or(Ok(false), integration::is_streamed)?,
        cache_namespace: Some(input.cache_namespace.unwrap_or(input.resource_id)),
        cache_key_parameters: input.cache_key_parameters.unwrap_or_default(),
        responses: BTreeMap::new(),
    })
}

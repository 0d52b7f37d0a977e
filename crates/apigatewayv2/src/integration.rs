//! What an integration of an HTTP API may be.

mod mapping;
pub mod uri;

use std::collections::BTreeMap;

use pitbird_records::{HttpApi, HttpIntegration, Texts};

use crate::{Error, api};

/// Integrations of one API. Source: API Gateway quotas.
pub const INTEGRATIONS_MAX: usize = 300;
/// How long an HTTP API waits when nobody says, milliseconds. Source: API Gateway API reference.
const TIMEOUT_MS: u32 = 30_000;
/// How long one may wait, milliseconds, as the model has it too.
pub const TIMEOUTS_MS: std::ops::RangeInclusive<u32> = 50..=30_000;
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"];

/// What creating and updating an integration may set.
#[derive(Debug, Default)]
pub struct Settings {
    pub kind: Option<String>,
    pub uri: Option<String>,
    pub method: Option<String>,
    pub payload_format_version: Option<String>,
    pub timeout_ms: Option<i64>,
    pub description: Option<String>,
    pub connection_type: Option<String>,
    pub request_parameters: Option<Texts>,
    pub response_parameters: Option<BTreeMap<String, Texts>>,
}

/// An integration about which nothing is said yet.
pub fn fresh(api: &HttpApi, id: String) -> HttpIntegration {
    HttpIntegration {
        scope: api.scope.clone(),
        api_id: api.id.clone(),
        id,
        kind: String::new(),
        uri: String::new(),
        method: None,
        payload_format_version: String::new(),
        timeout_ms: TIMEOUT_MS,
        description: None,
        request_parameters: Texts::new(),
        response_parameters: BTreeMap::new(),
        is_managed: false,
    }
}

/// The integration that quick create makes for a function's ARN or a URL.
pub fn quick(api: &HttpApi, id: String, target: &str) -> Result<HttpIntegration, Error> {
    let mut integration = fresh(api, id);
    let mut settings = Settings { uri: Some(target.to_owned()), ..Settings::default() };
    if uri::is_http(target) {
        settings.kind = Some("HTTP_PROXY".to_owned());
        settings.method = Some("ANY".to_owned());
        settings.payload_format_version = Some("1.0".to_owned());
    } else {
        settings.kind = Some("AWS_PROXY".to_owned());
        settings.payload_format_version = Some("2.0".to_owned());
    }
    settings.apply(&mut integration)?;
    Ok(integration)
}

impl Settings {
    /// Changes an integration, and checks it as a whole.
    pub fn apply(self, integration: &mut HttpIntegration) -> Result<(), Error> {
        if self.connection_type.as_deref() == Some("VPC_LINK") {
            return Err(Error::unsupported("connectionType VPC_LINK"));
        }
        if let Some(kind) = self.kind {
            integration.kind = kind;
        }
        if let Some(uri) = self.uri {
            api::length("integrationUri", &uri, 1, 2048)?;
            integration.uri = uri;
        }
        if let Some(method) = self.method {
            if !METHODS.contains(&method.as_str()) {
                return Err(Error::IntegrationMethod);
            }
            integration.method = Some(method);
        }
        if let Some(version) = self.payload_format_version {
            integration.payload_format_version = version;
        }
        if let Some(timeout) = self.timeout_ms {
            // The model holds the bounds.
            integration.timeout_ms =
                u32::try_from(timeout).map_err(|_| Error::SettingValue("timeoutInMillis"))?;
        }
        if let Some(text) = self.description {
            integration.description = api::description(text)?;
        }
        if let Some(parameters) = self.request_parameters {
            merge(&mut integration.request_parameters, parameters);
        }
        if let Some(by_status) = self.response_parameters {
            for (status, parameters) in by_status {
                merge(integration.response_parameters.entry(status).or_default(), parameters);
            }
            integration.response_parameters.retain(|_, parameters| !parameters.is_empty());
        }
        check(integration)
    }
}

/// An empty text takes a parameter away. Source: API Gateway API reference, UpdateIntegration.
fn merge(present: &mut Texts, given: Texts) {
    present.extend(given);
    present.retain(|_, value| !value.is_empty());
}

fn check(integration: &mut HttpIntegration) -> Result<(), Error> {
    match integration.kind.as_str() {
        "AWS_PROXY" => {
            if integration.uri.is_empty() {
                return Err(Error::Missing("integrationUri"));
            }
            uri::check_function(&integration.uri)?;
            // A function is invoked with POST only.
            integration.method = Some("POST".to_owned());
            match integration.payload_format_version.as_str() {
                "1.0" | "2.0" => {}
                "" => return Err(Error::NoPayloadFormat),
                odd => return Err(Error::PayloadFormat(odd.to_owned())),
            }
            if !integration.request_parameters.is_empty() || !integration.response_parameters.is_empty() {
                return Err(Error::unsupported("parameter mapping of an integration with a function"));
            }
        }
        "HTTP_PROXY" => {
            if !uri::is_http(&integration.uri) {
                return Err(Error::IntegrationUri);
            }
            if integration.method.is_none() {
                return Err(Error::IntegrationMethod);
            }
            match integration.payload_format_version.as_str() {
                "" => integration.payload_format_version = "1.0".to_owned(),
                "1.0" => {}
                odd => return Err(Error::PayloadFormat(odd.to_owned())),
            }
            mapping::check_request(&integration.request_parameters)?;
            mapping::check_response(&integration.response_parameters)?;
        }
        other => return Err(Error::IntegrationType(other.to_owned())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    fn api() -> HttpApi {
        HttpApi {
            scope: Default::default(),
            id: "api".to_owned(),
            name: "pets".to_owned(),
            description: None,
            version: None,
            created_ms: 0,
            api_key_selection_expression: String::new(),
            route_selection_expression: String::new(),
            disable_execute_api_endpoint: false,
            ip_address_type: "ipv4".to_owned(),
            cors: None,
            tags: Texts::new(),
            import_info: Vec::new(),
        }
    }

    #[test]
    fn functions_are_quick_with_the_second_format_and_urls_with_any_method() {
        let function = quick(&api(), "i".to_owned(), FUNCTION).expect("a function");
        assert_eq!((function.kind.as_str(), function.payload_format_version.as_str()), ("AWS_PROXY", "2.0"));
        assert_eq!(function.method.as_deref(), Some("POST"));
        let url = quick(&api(), "i".to_owned(), "https://example.com").expect("a URL");
        assert_eq!((url.kind.as_str(), url.method.as_deref()), ("HTTP_PROXY", Some("ANY")));
        assert!(quick(&api(), "i".to_owned(), "nothing").is_err());
    }

    #[test]
    fn what_no_integration_can_be_is_refused() {
        let settings = |kind: &str, uri: &str, version: Option<&str>| Settings {
            kind: Some(kind.to_owned()),
            uri: Some(uri.to_owned()),
            payload_format_version: version.map(str::to_owned),
            ..Settings::default()
        };
        for (settings, text) in [
            (
                settings("AWS_PROXY", FUNCTION, None),
                "PayloadFormatVersion is a required parameter for integration",
            ),
            (settings("AWS_PROXY", FUNCTION, Some("3.0")), "Invalid payload format version specified: 3.0"),
            (settings("AWS_PROXY", "https://a", Some("2.0")), "Invalid integration URI specified"),
            (settings("HTTP_PROXY", FUNCTION, None), "Invalid integration URI specified"),
            (settings("MOCK", "https://a", None), "MOCK integrations are supported only for WebSocket APIs"),
        ] {
            let error = settings.apply(&mut fresh(&api(), "i".to_owned())).expect_err(text);
            assert_eq!(error.to_string(), text);
        }
        let private = Settings { connection_type: Some("VPC_LINK".to_owned()), ..Settings::default() };
        let error = private.apply(&mut fresh(&api(), "i".to_owned())).expect_err("private");
        assert_eq!(error.to_string(), "connectionType VPC_LINK is not supported");
    }
}

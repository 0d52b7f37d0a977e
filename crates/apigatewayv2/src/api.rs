//! What an HTTP API may be, and what quick create makes of one.

use pitbird_records::{HttpApi, HttpCors, HttpIntegration, HttpRoute, HttpStage};
use serde::Deserialize;

use crate::{Error, import, integration, route, stage};

/// APIs in one account and region. Source: API Gateway quotas.
pub const APIS_MAX: usize = 600;
/// The only expression that routes of HTTP APIs are chosen by; what an API has when nobody says. Source: API Gateway API
/// reference.
pub const ROUTE_SELECTION: &str = "$request.method $request.path";
/// The same, as the reference's prose spells it.
const ROUTE_SELECTION_BRACED: &str = "${request.method} ${request.path}";
pub const API_KEY_SELECTION: &str = "$request.header.x-api-key";
const NAME_CHARS: usize = 128;
const VERSION_CHARS: usize = 64;
/// Headers, methods and origins of a CORS configuration, of each at most.
const CORS_ITEMS_MAX: usize = 100;
const MAX_AGE_S: i64 = 86_400;

/// A CORS configuration as callers write it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cors {
    allow_credentials: Option<bool>,
    allow_headers: Option<Vec<String>>,
    allow_methods: Option<Vec<String>>,
    allow_origins: Option<Vec<String>>,
    expose_headers: Option<Vec<String>>,
    max_age: Option<i64>,
}

pub fn check_name(name: &str) -> Result<(), Error> {
    length("name", name, 1, NAME_CHARS)
}

/// A text that an empty one clears.
pub fn description(text: String) -> Result<Option<String>, Error> {
    length("description", &text, 0, 1024)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

pub fn version(text: String) -> Result<Option<String>, Error> {
    length("version", &text, 0, VERSION_CHARS)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

pub fn length(what: &'static str, text: &str, min: usize, max: usize) -> Result<(), Error> {
    let fits = (min..=max).contains(&text.chars().count());
    if fits { Ok(()) } else { Err(Error::Length { what, min, max }) }
}

/// HTTP APIs are asked for no keys and select routes in one way only: other expressions would be ignored. That one may be
/// spelled in two ways, and is told as it was spelled.
pub fn check_selections(api_key: Option<&str>, route: Option<&str>) -> Result<(), Error> {
    if route.is_some_and(|expression| ![ROUTE_SELECTION, ROUTE_SELECTION_BRACED].contains(&expression)) {
        return Err(Error::RouteSelection);
    }
    if api_key.is_some_and(|expression| expression != API_KEY_SELECTION) {
        return Err(Error::unsupported("apiKeySelectionExpression of an HTTP API"));
    }
    Ok(())
}

impl Cors {
    /// A document's `x-amazon-apigateway-cors`; none when it has members that it shouldn't, or of another kind.
    pub fn of_document(at: &serde_json::Value) -> Option<Cors> {
        let known =
            ["allowCredentials", "allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders", "maxAge"];
        let is_known = at.as_object()?.keys().all(|name| known.contains(&name.as_str()));
        let respelled = import::respelled(at).filter(|_| is_known)?;
        serde_json::from_value(respelled).ok()
    }

    pub fn parse(self) -> Result<HttpCors, Error> {
        let lists = [&self.allow_headers, &self.allow_methods, &self.allow_origins, &self.expose_headers];
        if lists.into_iter().flatten().any(|list| list.len() > CORS_ITEMS_MAX) {
            return Err(Error::TooMany { what: "items of a CORS list", limit: CORS_ITEMS_MAX });
        }
        let origins = self.allow_origins.as_deref().unwrap_or_default();
        if let Some(odd) = origins.iter().find(|origin| !is_origin(origin)) {
            return Err(Error::Origin(odd.clone()));
        }
        if self.allow_credentials == Some(true) && origins.iter().any(|origin| origin == "*") {
            return Err(Error::CorsCredentials);
        }
        let mut methods = self.allow_methods.iter().flatten();
        // In any letters, as Terraform's own tests have it.
        let is_method = |text: &str| route::METHODS.iter().any(|known| known.eq_ignore_ascii_case(text));
        if let Some(odd) = methods.find(|method| *method != "*" && !is_method(method)) {
            return Err(Error::CorsMethod(odd.clone()));
        }
        let mut headers = self.allow_headers.iter().chain(&self.expose_headers).flatten();
        if let Some(odd) = headers.find(|name| name.is_empty() || !name.bytes().all(is_token)) {
            return Err(Error::CorsHeader(odd.clone()));
        }
        let max_age_s = self.max_age.map(|age| {
            let fits = (-1..=MAX_AGE_S).contains(&age);
            i32::try_from(age).ok().filter(|_| fits).ok_or(Error::SettingValue("maxAge"))
        });
        Ok(HttpCors {
            allow_credentials: self.allow_credentials,
            allow_headers: self.allow_headers,
            allow_methods: self.allow_methods,
            allow_origins: self.allow_origins,
            expose_headers: self.expose_headers,
            max_age_s: max_age_s.transpose()?,
        })
    }
}

/// `*`, `http://*`, `https://*`, or a scheme and a host, as browsers write origins: without a path.
fn is_origin(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let is_scheme = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let is_host = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    !scheme.is_empty() && !host.is_empty() && is_scheme && (is_host || host == "*")
}

/// RFC 9110 §5.6.2.
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What quick create makes beside the API: an integration with `target`, a route to it, and the stage `$default` that deploys
/// itself. They are managed by API Gateway.
pub struct Quick {
    pub integration: HttpIntegration,
    pub route: HttpRoute,
    pub stage: HttpStage,
}

impl Quick {
    /// `ids` are those of the integration and the route.
    pub fn make(
        api: &HttpApi,
        target: &str,
        route_key: &str,
        ids: [String; 2],
        now_ms: i64,
    ) -> Result<Quick, Error> {
        let [integration_id, route_id] = ids;
        let mut integration = integration::quick(api, integration_id, target)?;
        let mut route = route::fresh(api, route_id, route::check_key(route_key)?);
        let mut stage = stage::fresh(api, "$default", now_ms);
        route.integration_id = Some(integration.id.clone());
        stage.auto_deploy = true;
        (integration.is_managed, route.is_managed, stage.is_managed) = (true, true, true);
        Ok(Quick { integration, route, stage })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str], has_credentials: bool) -> Result<HttpCors, String> {
        let cors = Cors {
            allow_credentials: Some(has_credentials),
            allow_headers: None,
            allow_methods: None,
            allow_origins: Some(origins.iter().map(|origin| (*origin).to_owned()).collect()),
            expose_headers: None,
            max_age: None,
        };
        cors.parse().map_err(|error| error.to_string())
    }

    #[test]
    fn origins_have_the_form_of_browsers() {
        let good =
            ["*", "http://*", "https://*", "https://a.example", "http://[::1]:80", "chrome-extension://abc"];
        for origin in good {
            assert!(cors(&[origin], false).is_ok(), "{origin}");
        }
        for origin in ["", "a.example", "https://", "https://a/", "https://*.a", "https://a b", "://a"] {
            assert!(cors(&[origin], false).is_err(), "{origin}");
        }
        assert!(cors(&["*"], true).is_err());
        assert!(cors(&["https://*"], true).is_ok());
    }

    #[test]
    fn ages_and_methods_have_bounds() {
        let with = |max_age, method: &str| {
            let methods = Some(vec![method.to_owned()]);
            let none = || None;
            let (headers, origins, exposed) = (none(), none(), none());
            let cors = Cors {
                allow_credentials: None,
                allow_headers: headers,
                allow_methods: methods,
                allow_origins: origins,
                expose_headers: exposed,
                max_age: Some(max_age),
            };
            cors.parse().is_ok()
        };
        assert!(with(-1, "*") && with(0, "GET") && with(86_400, "PATCH") && with(0, "put"));
        assert!(!with(-2, "*") && !with(86_401, "*") && !with(0, "") && !with(0, "TRACE"));
    }
}

//! What an authorizer of an HTTP API may be.

use pitbird_records::{HttpApi, HttpAuthorizer, HttpAuthorizerKind};
use serde::Deserialize;

use crate::{Error, api, integration};

/// Authorizers of one API, and audiences of one authorizer. Source: API Gateway quotas.
pub const AUTHORIZERS_MAX: usize = 10;
const AUDIENCES_MAX: usize = 50;
/// Identity sources of one authorizer.
const SOURCES_MAX: usize = 10;
const TTL_S_MAX: i64 = 3600;

/// Whose tokens are taken, as callers write it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct JwtConfiguration {
    pub audience: Option<Vec<String>>,
    pub issuer: Option<String>,
}

/// What creating and updating an authorizer may set.
#[derive(Debug, Default)]
pub struct Settings {
    pub name: Option<String>,
    pub kind: Option<String>,
    pub identity_source: Option<Vec<String>>,
    pub jwt_configuration: Option<JwtConfiguration>,
    pub uri: Option<String>,
    pub payload_format_version: Option<String>,
    pub enable_simple_responses: Option<bool>,
    pub result_ttl_s: Option<i64>,
}

impl Settings {
    /// A new authorizer. Its `kind` is there: the model asks for it.
    pub fn make(self, api: &HttpApi, id: String) -> Result<HttpAuthorizer, Error> {
        let kind = match self.kind.as_deref() {
            Some("JWT") => HttpAuthorizerKind::Jwt { issuer: String::new(), audience: Vec::new() },
            _ => HttpAuthorizerKind::Request {
                uri: String::new(),
                payload_format_version: String::new(),
                enable_simple_responses: false,
                result_ttl_s: 0,
            },
        };
        let mut authorizer = HttpAuthorizer {
            scope: api.scope.clone(),
            api_id: api.id.clone(),
            id,
            name: String::new(),
            identity_sources: Vec::new(),
            kind,
        };
        self.apply(&mut authorizer)?;
        Ok(authorizer)
    }

    /// Changes an authorizer, and checks it as a whole.
    pub fn apply(self, authorizer: &mut HttpAuthorizer) -> Result<(), Error> {
        let is_jwt = matches!(authorizer.kind, HttpAuthorizerKind::Jwt { .. });
        if self.kind.as_deref().is_some_and(|kind| (kind == "JWT") != is_jwt) {
            return Err(Error::AuthorizerType);
        }
        if let Some(name) = self.name {
            authorizer.name = name;
        }
        if let Some(sources) = self.identity_source {
            authorizer.identity_sources = sources;
        }
        match &mut authorizer.kind {
            HttpAuthorizerKind::Jwt { issuer, audience } => {
                let foreign = [
                    (self.uri.is_some(), "authorizerUri"),
                    (self.payload_format_version.is_some(), "authorizerPayloadFormatVersion"),
                    (self.enable_simple_responses == Some(true), "enableSimpleResponses"),
                    (self.result_ttl_s.is_some_and(|ttl| ttl != 0), "authorizerResultTtlInSeconds"),
                ];
                if let Some((_, name)) = foreign.iter().find(|(is_given, _)| *is_given) {
                    return Err(Error::NotOfAuthorizer(name));
                }
                if let Some(given) = self.jwt_configuration {
                    *issuer = given.issuer.unwrap_or(std::mem::take(issuer));
                    *audience = given.audience.unwrap_or(std::mem::take(audience));
                }
            }
            HttpAuthorizerKind::Request {
                uri,
                payload_format_version,
                enable_simple_responses,
                result_ttl_s,
            } => {
                if self.jwt_configuration.is_some() {
                    return Err(Error::NotOfAuthorizer("jwtConfiguration"));
                }
                *uri = self.uri.unwrap_or(std::mem::take(uri));
                *payload_format_version =
                    self.payload_format_version.unwrap_or(std::mem::take(payload_format_version));
                *enable_simple_responses = self.enable_simple_responses.unwrap_or(*enable_simple_responses);
                if let Some(ttl) = self.result_ttl_s {
                    let known = u32::try_from(ttl).ok().filter(|_| ttl <= TTL_S_MAX);
                    *result_ttl_s = known.ok_or(Error::SettingValue("authorizerResultTtlInSeconds"))?;
                }
            }
        }
        check(authorizer)
    }
}

fn check(authorizer: &HttpAuthorizer) -> Result<(), Error> {
    api::check_name(&authorizer.name)?;
    let sources = &authorizer.identity_sources;
    if sources.len() > SOURCES_MAX {
        return Err(Error::TooMany { what: "identity sources for this authorizer", limit: SOURCES_MAX });
    }
    if let Some(odd) = sources.iter().find(|source| !is_identity_source(source)) {
        return Err(Error::IdentitySource(odd.clone()));
    }
    match &authorizer.kind {
        HttpAuthorizerKind::Jwt { issuer, audience } => {
            if sources.len() != 1 || !sources[0].starts_with("$request.") {
                return Err(Error::JwtIdentitySource);
            }
            if issuer.len() > 2048 || !integration::uri::is_http(issuer) {
                return Err(Error::Issuer);
            }
            match audience.len() {
                0 => Err(Error::Missing("jwtConfiguration.audience")),
                1..=AUDIENCES_MAX => Ok(()),
                _ => Err(Error::TooMany { what: "audiences for this authorizer", limit: AUDIENCES_MAX }),
            }
        }
        HttpAuthorizerKind::Request {
            uri,
            payload_format_version,
            enable_simple_responses,
            result_ttl_s,
        } => {
            if uri.is_empty() {
                return Err(Error::Missing("authorizerUri"));
            }
            integration::uri::check_function(uri)?;
            match payload_format_version.as_str() {
                "1.0" | "2.0" => {}
                "" => return Err(Error::Missing("authorizerPayloadFormatVersion")),
                odd => return Err(Error::PayloadFormat(odd.to_owned())),
            }
            if *enable_simple_responses && payload_format_version != "2.0" {
                return Err(Error::SimpleResponses);
            }
            if *result_ttl_s > 0 && sources.is_empty() { Err(Error::TtlWithoutSources) } else { Ok(()) }
        }
    }
}

/// An authorizer's name is its own among those of its API.
pub fn check_unique(authorizer: &HttpAuthorizer, all: &[HttpAuthorizer]) -> Result<(), Error> {
    let is_other = |other: &HttpAuthorizer| other.id != authorizer.id && other.name == authorizer.name;
    match all.iter().any(is_other) {
        true => Err(Error::AuthorizerExists(authorizer.name.clone())),
        false => Ok(()),
    }
}

pub fn is_identity_source(text: &str) -> bool {
    const PREFIXES: [&str; 4] =
        ["$request.header.", "$request.querystring.", "$context.", "$stageVariables."];
    let name = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix));
    name.is_some_and(|name| (1..=256).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_sources_are_named_in_full() {
        for source in [
            "$request.header.Authorization",
            "$request.querystring.token",
            "$context.routeKey",
            "$stageVariables.v",
        ] {
            assert!(is_identity_source(source), "{source}");
        }
        for source in ["", "$request.header.", "$request.body.a", "Authorization", "$context.a b"] {
            assert!(!is_identity_source(source), "{source}");
        }
    }
}

//! Who decides about a document's operations.

use std::collections::HashMap;

use pitbird_names::short_id;
use pitbird_openapi::document::{self, Document, Operation, Scheme};
use pitbird_records::{HttpAuthorizer, HttpAuthorizerKind};

use super::{Taking, located};
use crate::authorizer::{self, AUTHORIZERS_MAX, JwtConfiguration};
use crate::{Error, route};

impl Taking<'_, '_> {
    /// Makes a document's authorizers; by the names of their schemes.
    pub fn authorizers(&mut self, document: &Document) -> Result<HashMap<String, HttpAuthorizer>, Error> {
        let mut made: HashMap<String, HttpAuthorizer> = HashMap::new();
        for (name, scheme) in &document.schemes {
            let Scheme::Authorizer(asked) = scheme else { continue };
            if made.len() >= AUTHORIZERS_MAX {
                return Err(Error::TooMany { what: "authorizers for this API", limit: AUTHORIZERS_MAX });
            }
            let known = self.known.authorizers.remove(name);
            let mut id = known.unwrap_or_else(|| short_id((self.entropy)(), 6));
            while made.values().any(|other| other.id == id) {
                id = short_id((self.entropy)(), 6);
            }
            let place = format!("Unable to create authorizer '{name}'");
            let settings = wanted(name, asked).map_err(|error| located(error, &place))?;
            let authorizer = settings.make(&self.api, id).map_err(|error| located(error, &place))?;
            self.tx.put(&authorizer)?;
            made.insert(name.clone(), authorizer);
        }
        Ok(made)
    }
}

fn wanted(name: &str, asked: &document::Authorizer) -> Result<authorizer::Settings, Error> {
    let kind = match asked.kind.as_str() {
        kind @ ("jwt" | "request") => kind.to_ascii_uppercase(),
        _ => return Err(Error::SettingValue("authorizerType")),
    };
    if asked.credentials.as_ref().is_some_and(|role| !role.is_empty()) {
        return Err(Error::unsupported("authorizerCredentials"));
    }
    if asked.identity_validation_expression.is_some() || !asked.provider_arns.is_empty() {
        return Err(Error::NotOfAuthorizer("identityValidationExpression or providerARNs"));
    }
    let is_jwt = kind == "JWT";
    let sources = asked.identity_source.iter().flat_map(|sources| sources.split(','));
    let sources: Vec<String> = sources.map(|source| source.trim().to_owned()).collect();
    Ok(authorizer::Settings {
        name: Some(name.to_owned()),
        kind: Some(kind),
        identity_source: Some(sources),
        jwt_configuration: is_jwt.then(|| JwtConfiguration {
            audience: Some(asked.audience.clone()),
            issuer: asked.issuer.clone(),
        }),
        uri: asked.uri.clone(),
        payload_format_version: asked.payload_format_version.clone(),
        enable_simple_responses: asked.enable_simple_responses,
        result_ttl_s: asked.result_ttl_s,
    })
}

/// A route's settings as far as they say who may pass; none when its scheme is none: it would let everybody in.
pub fn settings(
    document: &Document,
    authorizers: &HashMap<String, HttpAuthorizer>,
    operation: &Operation,
    key: &str,
    left_out: &mut Vec<String>,
) -> Result<Option<route::Settings>, Error> {
    let mut settings = route::Settings::default();
    for requirement in &operation.security {
        let scheme = document.schemes.get(&requirement.scheme);
        if settings.authorization_type.is_some() && !matches!(scheme, Some(Scheme::Ignored)) {
            return Err(Error::Import(vec![format!(
                "Unable to create route '{key}': it asks for more than one security definition"
            )]));
        }
        match scheme {
            Some(Scheme::ApiKey) => return Err(Error::unsupported("an API key for a route of an HTTP API")),
            Some(Scheme::Iam) => settings.authorization_type = Some("AWS_IAM".to_owned()),
            Some(Scheme::Ignored) => {}
            Some(Scheme::Authorizer(_)) => {
                let Some(authorizer) = authorizers.get(&requirement.scheme) else { return Ok(None) };
                let is_jwt = matches!(authorizer.kind, HttpAuthorizerKind::Jwt { .. });
                settings.authorization_type = Some(if is_jwt { "JWT" } else { "CUSTOM" }.to_owned());
                settings.authorizer_id = Some(authorizer.id.clone());
                // Scopes of a scheme whose authorizer knows none ask for nothing.
                settings.authorization_scopes = Some(requirement.scopes.clone()).filter(|_| is_jwt);
            }
            Some(Scheme::Broken) => return Ok(None),
            None => {
                left_out.push(format!(
                    "Unable to find security definition '{}' of route '{key}'. The route will not be created.",
                    requirement.scheme
                ));
                return Ok(None);
            }
        }
    }
    match operation.auth.as_deref() {
        None | Some("NONE") => {}
        Some("AWS_IAM") if settings.authorization_type.is_none() => {
            settings.authorization_type = Some("AWS_IAM".to_owned());
        }
        Some(kind) if settings.authorization_type.as_deref() == Some(kind) => {}
        Some(kind) => return Err(Error::unsupported(format!("x-amazon-apigateway-auth {kind} of '{key}'"))),
    }
    Ok(Some(settings))
}

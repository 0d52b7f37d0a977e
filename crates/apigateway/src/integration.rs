//! What an integration and its responses may be, and how patches change them.
//!
//! All kinds of API Gateway's are taken, checked by its rules. Private connections are refused by name.

pub mod uri;

use pitbird_names::{Scope, arn, limits};
use pitbird_records::{Integration, IntegrationResponse, Method};
use regex_lite::Regex;

use crate::patch::{Op, Patch};
use crate::{Error, mapping, method};

/// A wait's shortest limit, milliseconds. Source: API Gateway quotas.
const TIMEOUT_MS_MIN: u32 = 50;
/// Keys of one integration's cache entries. Source: no published quota; each must be a parameter of the method.
const CACHE_KEYS_MAX: usize = 100;
/// Credentials that say "the caller's own".
const CALLER: &str = "arn:aws:iam::*:user/*";
const CONTENT_HANDLINGS: [&str; 2] = ["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"];

/// Fills in what API Gateway fills in, and checks an integration as a whole, as one of its method's.
pub fn settle(method: &Method, integration: &mut Integration, scope: &Scope) -> Result<(), Error> {
    // Only integrations over HTTP tell how they connect, and to whom.
    if matches!(integration.kind.as_str(), "HTTP" | "HTTP_PROXY") {
        integration.connection_type.get_or_insert_with(|| "INTERNET".to_owned());
    } else {
        integration.connection_type = integration.connection_type.take().filter(|kind| kind != "INTERNET");
        if integration.skips_tls_verification == Some(true) {
            let what = format!("tlsConfig.insecureSkipVerification true with type {}", integration.kind);
            return Err(Error::unsupported(what));
        }
    }
    check_target(integration)?;
    check_transfer(integration)?;
    check_timeout(integration)?;
    check_credentials(integration, scope)?;
    if !["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"].contains(&integration.passthrough_behavior.as_str()) {
        return Err(Error::Passthrough);
    }
    check_content_handling(integration.content_handling.as_deref())?;
    for (target, source) in &integration.request_parameters {
        mapping::check_integration_request(target, source, &method.request_parameters)?;
    }
    for (media, template) in &integration.request_templates {
        mapping::check_template(media, template)?;
    }
    if integration.cache_key_parameters.len() > CACHE_KEYS_MAX {
        return Err(Error::TooMany {
            what: "cache key parameters for this integration",
            limit: CACHE_KEYS_MAX,
        });
    }
    Ok(())
}

fn check_target(integration: &Integration) -> Result<(), Error> {
    match integration.connection_type.as_deref() {
        None | Some("INTERNET") => {}
        Some(other) => return Err(Error::unsupported(format!("connectionType {other}"))),
    }
    let verb = integration.http_method.as_deref().filter(|verb| !verb.is_empty());
    verb.map_or(Ok(()), method::check_verb)?;
    let uri = integration.uri.as_deref().unwrap_or_default();
    match integration.kind.as_str() {
        "MOCK" => Ok(()),
        _ if verb.is_none() => Err(Error::NoIntegrationVerb),
        "AWS_PROXY" => uri::check_proxy(uri, integration.is_streamed),
        "AWS" => uri::check_service(uri),
        _ if !uri::is_http(uri) => Err(Error::HttpEndpoint),
        _ => Ok(()),
    }
}

/// An integration with a service of AWS's acts as a role; only a function may be invoked without one, if it lets API
/// Gateway do so.
fn check_credentials(integration: &Integration, scope: &Scope) -> Result<(), Error> {
    let uri = integration.uri.as_deref().unwrap_or_default();
    match integration.credentials.as_deref() {
        // Nobody is asked what the caller himself may do.
        Some(CALLER) => Err(Error::unsupported(format!("credentials {CALLER}"))),
        Some(role) => check_role(role, scope),
        None if integration.kind == "AWS" && arn::parse(uri).is_some_and(|arn| arn.account != "lambda") => {
            Err(Error::NoRole)
        }
        None => Ok(()),
    }
}

/// Checks the ARN of a role of the caller's own account, any part of which may be a `${stageVariables.NAME}`.
pub fn check_role(text: &str, scope: &Scope) -> Result<(), Error> {
    let filled = uri::with_variables_filled(text).ok_or(Error::Arn)?;
    if filled != text {
        return Ok(());
    }
    let role = arn::parse(text).filter(|arn| arn.service == "iam" && arn.resource.starts_with("role/"));
    match role {
        None => Err(Error::Arn),
        Some(arn) if arn.account != scope.account.as_str() => Err(Error::CrossAccountRole),
        Some(_) => Ok(()),
    }
}

fn check_content_handling(handling: Option<&str>) -> Result<(), Error> {
    match handling {
        Some(handling) if !CONTENT_HANDLINGS.contains(&handling) => Err(Error::ContentHandling),
        _ => Ok(()),
    }
}

/// The wait that a caller asks for. What doesn't fit is out of bounds too, and [`settle`] says which they are.
pub fn timeout_ms(asked: Option<i64>) -> u32 {
    asked.map_or(limits::INTEGRATION_TIMEOUT_MS, |asked| u32::try_from(asked).unwrap_or(u32::MAX))
}

/// Reads a `responseTransferMode`.
pub fn is_streamed(mode: &str) -> Result<bool, Error> {
    match mode {
        "BUFFERED" => Ok(false),
        "STREAM" => Ok(true),
        _ => Err(Error::TransferMode),
    }
}

fn check_timeout(integration: &Integration) -> Result<(), Error> {
    let limit_ms = match integration.is_streamed {
        true => limits::STREAMED_INTEGRATION_TIMEOUT_MS,
        false => limits::INTEGRATION_TIMEOUT_MS,
    };
    let is_allowed = (TIMEOUT_MS_MIN..=limit_ms).contains(&integration.timeout_ms);
    if is_allowed { Ok(()) } else { Err(Error::Timeout { limit_ms }) }
}

/// Only what a proxy integration answers can be passed on as it comes, and nothing comes of a function that runs later.
fn check_transfer(integration: &Integration) -> Result<(), Error> {
    if !integration.is_streamed {
        return Ok(());
    }
    if !matches!(integration.kind.as_str(), "HTTP_PROXY" | "AWS_PROXY") {
        return Err(Error::StreamedKind);
    }
    let is_event = integration.request_parameters.iter().any(|(target, source)| {
        target.eq_ignore_ascii_case("integration.request.header.x-amz-invocation-type")
            && source.eq_ignore_ascii_case("'event'")
    });
    if is_event && integration.kind == "AWS_PROXY" {
        return Err(Error::unsupported("X-Amz-Invocation-Type 'Event' with responseTransferMode STREAM"));
    }
    Ok(())
}

/// Checks an integration response as a whole, as the one for `status`. A proxy integration's are kept and never used, as
/// in API Gateway.
pub fn check_response(method: &Method, status: &str, response: &IntegrationResponse) -> Result<(), Error> {
    for (target, source) in &response.response_parameters {
        mapping::response_parameter(target)?;
        let declared = method.responses.get(status);
        if !declared.is_some_and(|declared| declared.response_parameters.contains_key(target)) {
            return Err(Error::MappingParameter(target.clone()));
        }
        mapping::check_integration_response(source)?;
    }
    for (media, template) in &response.response_templates {
        mapping::check_template(media, template)?;
    }
    check_content_handling(response.content_handling.as_deref())?;
    let pattern = response.selection_pattern.as_deref().unwrap_or_default();
    match Regex::new(&format!("^(?:{pattern})$")) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::unsupported(format!("selectionPattern {pattern}"))),
    }
}

/// Applies one patch operation to an integration. [`settle`] it after the last one.
pub fn apply(integration: &mut Integration, patch: &Patch<'_>) -> Result<(), Error> {
    let pieces = patch.pieces();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let text = || patch.text().map(str::to_owned);
    match pieces.as_slice() {
        ["requestTemplates", media] => patch.entry(
            &mut integration.request_templates,
            media,
            str::to_owned,
            Error::UnknownContentType,
        )?,
        ["requestParameters", name] => {
            patch.entry(&mut integration.request_parameters, name, str::to_owned, Error::UnknownParameter)?
        }
        ["cacheKeyParameters", name] => patch.item(&mut integration.cache_key_parameters, name)?,
        [name] => {
            patch.must_replace()?;
            match *name {
                "uri" => integration.uri = text(),
                "httpMethod" => integration.http_method = text(),
                "cacheNamespace" => integration.cache_namespace = text(),
                "connectionType" => integration.connection_type = text(),
                "credentials" => integration.credentials = text(),
                "contentHandling" => integration.content_handling = text(),
                "passthroughBehavior" => {
                    patch.value.unwrap_or_default().clone_into(&mut integration.passthrough_behavior);
                }
                "timeoutInMillis" => {
                    // What is no number is out of bounds.
                    integration.timeout_ms =
                        timeout_ms(patch.text().map(|asked| asked.parse().unwrap_or(-1)));
                }
                "responseTransferMode" => {
                    integration.is_streamed = is_streamed(patch.value.unwrap_or_default())?;
                }
                "connectionId" if patch.text().is_none() => {}
                "connectionId" => return Err(Error::unsupported(*name)),
                _ => return Err(patch.bad_path()),
            }
        }
        ["tlsConfig", "insecureSkipVerification"] => {
            patch.must_replace()?;
            integration.skips_tls_verification = Some(patch.switch());
        }
        _ => return Err(patch.bad_path()),
    }
    Ok(())
}

/// Applies one patch operation to an integration response. [`check_response`] it after the last one.
pub fn apply_to_response(response: &mut IntegrationResponse, patch: &Patch<'_>) -> Result<(), Error> {
    let pieces = patch.pieces();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    match pieces.as_slice() {
        ["selectionPattern"] if patch.op == Op::Remove => response.selection_pattern = None,
        ["selectionPattern"] => {
            patch.must_replace()?;
            response.selection_pattern = patch.value.map(str::to_owned);
        }
        ["responseParameters", name] => {
            patch.entry(&mut response.response_parameters, name, str::to_owned, Error::UnknownParameter)?
        }
        ["responseTemplates", media] => {
            patch.entry(&mut response.response_templates, media, str::to_owned, Error::UnknownContentType)?
        }
        ["contentHandling"] => {
            patch.must_replace()?;
            response.content_handling = patch.text().map(str::to_owned);
        }
        _ => return Err(patch.bad_path()),
    }
    Ok(())
}

#[cfg(test)]
mod tests;

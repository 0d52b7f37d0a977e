//! What an integration and its responses may be, and how patches change them.
//!
//! Two kinds are obeyed: `AWS_PROXY` to a Lambda function, and `MOCK` whose answers are decided beforehand, without
//! template language. Whatever else API Gateway knows is checked by its rules first and then refused by name.

pub mod uri;

use pitbird_names::limits;
use pitbird_records::{Integration, IntegrationResponse, Method};
use regex_lite::Regex;

use crate::patch::{Op, Patch};
use crate::{Error, mapping, method};

/// A wait's shortest limit, milliseconds. Source: API Gateway quotas.
const TIMEOUT_MS_MIN: u32 = 50;

/// Checks an integration as a whole, as one of its method's.
pub fn check(method: &Method, integration: &Integration) -> Result<(), Error> {
    check_target(integration)?;
    if !["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"].contains(&integration.passthrough_behavior.as_str()) {
        return Err(Error::Passthrough);
    }
    for (target, source) in &integration.request_parameters {
        mapping::check_integration_request(target, source, &method.request_parameters)?;
    }
    for (media, template) in &integration.request_templates {
        mapping::check_template(media, template)?;
        // A proxy integration passes the request on as it is; only a mock acts on its templates.
        if integration.kind == "MOCK" && pitbird_snapshot::static_status(template).is_none() {
            return Err(Error::unsupported(format!(
                "requestTemplates.{media} other than {{\"statusCode\": N}}"
            )));
        }
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
        "MOCK" => return Ok(()),
        _ if verb.is_none() => return Err(Error::NoIntegrationVerb),
        "AWS_PROXY" => return uri::check_proxy(uri),
        "AWS" => uri::check_action(uri)?,
        _ if !uri::is_http(uri) => return Err(Error::HttpEndpoint),
        _ => {}
    }
    Err(Error::unsupported(format!("type {}", integration.kind)))
}

/// The wait that a caller asks for, 50 to 29,000 ms.
pub fn timeout_ms(asked: Option<i64>) -> Result<u32, Error> {
    let Some(asked) = asked else { return Ok(limits::INTEGRATION_TIMEOUT_MS) };
    let allowed = TIMEOUT_MS_MIN..=limits::INTEGRATION_TIMEOUT_MS;
    u32::try_from(asked).ok().filter(|asked| allowed.contains(asked)).ok_or(Error::Timeout)
}

/// Checks an integration response as a whole, as the one for `status`. A proxy integration's are kept and never used, as
/// in API Gateway; a mock's must be literal.
pub fn check_response(
    method: &Method,
    integration: &Integration,
    status: &str,
    response: &IntegrationResponse,
) -> Result<(), Error> {
    for (target, source) in &response.response_parameters {
        mapping::response_parameter(target)?;
        let declared = method.responses.get(status);
        if !declared.is_some_and(|declared| declared.response_parameters.contains_key(target)) {
            return Err(Error::MappingParameter(target.clone()));
        }
        mapping::check_integration_response(source)?;
        if integration.kind == "MOCK" && !mapping::is_static(source) {
            return Err(Error::unsupported(format!("responseParameters.{target} from {source}")));
        }
    }
    for (media, template) in &response.response_templates {
        mapping::check_template(media, template)?;
        if integration.kind == "MOCK" && template.contains(['$', '#']) {
            return Err(Error::unsupported(format!("responseTemplates.{media} with template language")));
        }
    }
    if integration.kind == "MOCK" {
        let mut templates = response.response_templates.values();
        let first = templates.next();
        if templates.any(|other| Some(other) != first) {
            return Err(Error::unsupported("responseTemplates that differ by media type"));
        }
        let pattern = response.selection_pattern.as_deref().unwrap_or_default();
        if Regex::new(&format!("^(?:{pattern})$")).is_err() {
            return Err(Error::unsupported(format!("selectionPattern {pattern}")));
        }
    }
    Ok(())
}

/// Applies one patch operation to an integration. [`check`] it after the last one.
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
                // What everybody has isn't told.
                "connectionType" => integration.connection_type = text().filter(|kind| kind != "INTERNET"),
                "passthroughBehavior" => {
                    patch.value.unwrap_or_default().clone_into(&mut integration.passthrough_behavior);
                }
                "timeoutInMillis" => {
                    let asked = patch.text().map(|asked| asked.parse().map_err(|_| Error::Timeout));
                    integration.timeout_ms = timeout_ms(asked.transpose()?)?;
                }
                "connectionId" | "contentHandling" | "credentials" if patch.text().is_none() => {}
                "connectionId" | "contentHandling" | "credentials" => return Err(Error::unsupported(*name)),
                _ => return Err(patch.bad_path()),
            }
        }
        ["tlsConfig", ..] => return Err(Error::unsupported("tlsConfig")),
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
        ["contentHandling"] if patch.text().is_none() => patch.must_replace()?,
        ["contentHandling"] => return Err(Error::unsupported("contentHandling")),
        _ => return Err(patch.bad_path()),
    }
    Ok(())
}

#[cfg(test)]
mod tests;

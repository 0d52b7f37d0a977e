//! Parameter mappings: which names a method may declare, and where a mapping may take its values from.
//!
//! Source: API Gateway developer guide, "Parameter mapping sources for REST APIs".

use std::collections::BTreeMap;

use crate::Error;

/// Longest mapping template, bytes. Source: API Gateway quotas (300 KB).
const TEMPLATE_BYTES: usize = 300 * 1024;

/// The name in `method.request.{header|querystring|path}.{name}`.
pub fn request_parameter(text: &str) -> Result<&str, Error> {
    named(text, "method.request.", &["header", "querystring", "path"])
}

/// Checks an integration's request mapping, whose sources must be declared by the method.
pub fn check_integration_request(
    target: &str,
    source: &str,
    declared: &BTreeMap<String, bool>,
) -> Result<(), Error> {
    named(target, "integration.request.", &["header", "querystring", "path"])?;
    if is_constant(source) || is_body(source, "method.request.body") {
        return Ok(());
    }
    let kinds = ["header", "querystring", "path", "multivalueheader", "multivaluequerystring"];
    named(source, "method.request.", &kinds)?;
    let single = source.replacen("method.request.multivalue", "method.request.", 1);
    if declared.contains_key(source) || declared.contains_key(&single) {
        Ok(())
    } else {
        Err(Error::MappingParameter(source.to_owned()))
    }
}

/// The name in `method.response.header.{name}`.
pub fn response_parameter(text: &str) -> Result<&str, Error> {
    named(text, "method.response.", &["header"])
}

/// Checks the source of an integration response's mapping.
pub fn check_integration_response(source: &str) -> Result<(), Error> {
    if is_constant(source) || is_body(source, "integration.response.body") {
        return Ok(());
    }
    named(source, "integration.response.", &["header", "multivalueheader"]).map(|_| ())
}

/// Checks where an authorizer finds a caller's identity; `kinds` are those of the request's parts that it may look at.
pub fn check_identity_source(source: &str, kinds: &[&str]) -> Result<(), Error> {
    if kinds.len() > 1 && is_constant(source) && !is_static(source) {
        return Ok(());
    }
    named(source, "method.request.", kinds).map(|_| ())
}

/// Checks where a gateway response's header comes from.
pub fn check_gateway_response(target: &str, source: &str) -> Result<(), Error> {
    let name = target.strip_prefix("gatewayresponse.header.");
    if !name.is_some_and(is_name) {
        return Err(Error::Mapping(target.to_owned()));
    }
    if is_constant(source) {
        return Ok(());
    }
    let kinds = ["header", "querystring", "path", "multivalueheader", "multivaluequerystring"];
    named(source, "method.request.", &kinds).map(|_| ())
}

/// Is the source a text in single quotes?
pub fn is_static(source: &str) -> bool {
    source.len() >= 2 && source.starts_with('\'') && source.ends_with('\'')
}

/// Checks a template's media type and length.
pub fn check_template(media: &str, template: &str) -> Result<(), Error> {
    let is_media_type =
        media.split_once('/').is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty());
    if media != "$default" && !is_media_type {
        return Err(Error::ContentType(media.to_owned()));
    }
    if template.len() > TEMPLATE_BYTES {
        return Err(Error::TemplateTooLong(TEMPLATE_BYTES));
    }
    Ok(())
}

fn is_constant(source: &str) -> bool {
    let is_variable = |prefix: &str| source.strip_prefix(prefix).is_some_and(is_name);
    is_static(source) || is_variable("context.") || is_variable("stageVariables.")
}

/// `…body` or `…body.{JSON path}`.
fn is_body(source: &str, body: &str) -> bool {
    source.strip_prefix(body).is_some_and(|rest| rest.is_empty() || (rest.starts_with('.') && rest.len() > 1))
}

fn named<'t>(text: &'t str, prefix: &str, kinds: &[&str]) -> Result<&'t str, Error> {
    let parts = text.strip_prefix(prefix).and_then(|rest| rest.split_once('.'));
    match parts {
        Some((kind, name)) if kinds.contains(&kind) && is_name(name) => Ok(name),
        _ => Err(Error::Mapping(text.to_owned())),
    }
}

/// Header, query and path names as HTTP and API Gateway know them, without separators.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && !"\"(),/:;<=>?@\\{}'".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_must_be_declared() {
        let declared = BTreeMap::from([
            ("method.request.path.id".to_owned(), true),
            ("method.request.header.X".to_owned(), false),
        ]);
        let target = "integration.request.path.id";
        for source in [
            "method.request.path.id",
            "method.request.multivalueheader.X",
            "'a'",
            "context.requestId",
            "stageVariables.v",
            "method.request.body",
            "method.request.body.a.b",
        ] {
            assert!(check_integration_request(target, source, &declared).is_ok(), "{source}");
        }
        for (target, source, word) in [
            (target, "method.request.path.other", "parameter specified: method.request.path.other]"),
            (target, "true", "expression specified: true]"),
            (target, "'open", "expression specified: 'open]"),
            (target, "context.", "expression specified: context.]"),
            ("integration.request.body.x", "'a'", "expression specified: integration.request.body.x]"),
        ] {
            let error = check_integration_request(target, source, &declared).expect_err(source).to_string();
            assert!(error.ends_with(word), "{error}");
        }
    }

    #[test]
    fn a_template_has_a_media_type() {
        assert!(check_template("application/json", "{}").is_ok() && check_template("$default", "").is_ok());
        for media in ["123", "", "/", "a/", "/a"] {
            assert!(check_template(media, "").is_err(), "{media}");
        }
        assert!(check_template("a/b", &"x".repeat(TEMPLATE_BYTES)).is_ok());
        assert!(check_template("a/b", &"x".repeat(TEMPLATE_BYTES + 1)).is_err());
    }
}

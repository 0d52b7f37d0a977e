//! Base path mappings: which stage is reached under a domain's path.

use pitbird_names::Scope;
use pitbird_names::domain::MAPPING_PATH_BYTES;
use pitbird_records::{DomainMapping, DomainName, HttpApi, RestApi, RoutingRule, Stage, key, prefix};

use crate::Error;
use crate::find::Records;
use crate::patch::Patch;

/// How callers write the domain itself, without a path.
const NONE: &str = "(none)";

/// The path that a caller means; empty for the whole domain.
pub fn parse(text: Option<&str>) -> Result<String, Error> {
    let path = text.filter(|path| *path != NONE).unwrap_or_default();
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"$-_.+!*'()".contains(&b);
    if path.contains('/') {
        return Err(Error::BasePathSlash);
    }
    if path.len() > MAPPING_PATH_BYTES || !path.bytes().all(is_letter) {
        return Err(Error::BasePath);
    }
    Ok(path.to_owned())
}

pub fn told(path: &str) -> &str {
    if path.is_empty() { NONE } else { path }
}

/// Checks that a new mapping would be asked.
pub fn check_routing(domain: &DomainName) -> Result<(), Error> {
    match domain.routing_mode.as_str() {
        "ROUTING_RULE_ONLY" => Err(Error::MappingsUnused),
        _ => Ok(()),
    }
}

/// Checks a mapping as one of its domain's.
pub fn check(mapping: &DomainMapping, records: &impl Records) -> Result<(), Error> {
    let scope = &mapping.scope;
    if records.get::<RestApi>(&key(scope, &[&mapping.api_id]))?.is_none() {
        return Err(Error::BadApi);
    }
    if let Some(stage) = &mapping.stage
        && records.get::<Stage>(&key(scope, &[&mapping.api_id, stage]))?.is_none()
    {
        return Err(Error::BadStage);
    }
    let mut others = all(records, scope, &mapping.domain_name)?;
    others.retain(|other| other.id != mapping.id);
    if others.iter().any(|other| other.base_path == mapping.base_path) {
        return Err(Error::BasePathExists);
    }
    check_unmixed(&others, mapping, records)
}

/// Checks that a mapping of a REST API leaves the domain's routing rules what they may be: beside them, all mappings lead to APIs
/// of one kind.
fn check_unmixed(
    others: &[DomainMapping],
    mapping: &DomainMapping,
    records: &impl Records,
) -> Result<(), Error> {
    let below = prefix(&mapping.scope, &[&mapping.domain_name]);
    if records.list::<RoutingRule>(&below)?.is_empty() {
        return Ok(());
    }
    for other in others {
        if records.get::<HttpApi>(&key(&other.scope, &[&other.api_id]))?.is_some() {
            return Err(Error::MixedWithRules);
        }
    }
    Ok(())
}

/// A domain's mappings.
pub fn all(records: &impl Records, scope: &Scope, domain: &str) -> Result<Vec<DomainMapping>, Error> {
    Ok(records.list(&prefix(scope, &[domain]))?)
}

/// A domain's mapping of a path.
pub fn find(records: &impl Records, scope: &Scope, domain: &str, path: &str) -> Result<DomainMapping, Error> {
    let path = if path == NONE { "" } else { path };
    let mut mappings = all(records, scope, domain)?.into_iter();
    mappings.find(|mapping| mapping.base_path == path).ok_or(Error::UnknownBasePath)
}

/// Applies one patch operation. [`check`] the mapping after the last one.
pub fn apply(mapping: &mut DomainMapping, patch: &Patch<'_>) -> Result<(), Error> {
    patch.must_replace()?;
    match patch.path {
        "/basePath" => mapping.base_path = parse(patch.value)?,
        // Spelled so in the reference, and otherwise by its readers.
        "/restapiId" | "/restApiId" => {
            patch.value.unwrap_or_default().clone_into(&mut mapping.api_id);
        }
        "/stage" => mapping.stage = patch.text().map(str::to_owned),
        _ => return Err(patch.not_one_of("/basePath, /restapiId, /stage")),
    }
    Ok(())
}

/// Refuses to let go of an API, or of one stage of it, that a domain's mapping or routing rule leads to.
pub fn check_unmapped(
    records: &impl Records,
    scope: &Scope,
    api_id: &str,
    stage: Option<&str>,
) -> Result<(), Error> {
    let mut mappings = records.list::<DomainMapping>(&prefix(scope, &[]))?.into_iter();
    let leads = mappings
        .any(|mapping| mapping.api_id == api_id && (stage.is_none() || mapping.stage.as_deref() == stage));
    match (leads, stage) {
        (false, _) => {}
        (true, Some(_)) => return Err(Error::StageMapped),
        (true, None) => return Err(Error::ApiMapped),
    }
    let mut rules = records.list::<RoutingRule>(&prefix(scope, &[]))?.into_iter();
    match rules.any(|rule| rule.api_id == api_id && stage.is_none_or(|stage| rule.stage == stage)) {
        true => Err(Error::Routed(if stage.is_some() { "stage" } else { "API" })),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_segment_or_none() {
        for (text, path) in [(None, ""), (Some("(none)"), ""), (Some(""), ""), (Some("v1.0-a_b"), "v1.0-a_b")]
        {
            assert_eq!(parse(text).expect("a path"), path);
        }
        assert_eq!((told(""), told("v1")), ("(none)", "v1"));
        let longest = "a".repeat(MAPPING_PATH_BYTES);
        assert!(parse(Some(&longest)).is_ok() && parse(Some(&(longest + "a"))).is_err());
        for text in ["a/b", "a b", "é", "a?"] {
            assert!(parse(Some(text)).is_err(), "{text}");
        }
    }
}

//! API mappings: which stage, of an HTTP or a REST API, is reached under a domain's path.

use pitbird_names::domain::MAPPING_PATH_BYTES;
use pitbird_records::{DomainMapping, DomainName, HttpApi, HttpStage, RestApi, Stage, key};

use crate::find::Records;
use crate::{Error, domain_name};

/// The path that a key is: one segment or several, or none for the whole domain.
pub fn parse_key(text: Option<String>) -> Result<String, Error> {
    let key = text.unwrap_or_default();
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"$-_.+!*'()/".contains(&b);
    if key.len() > MAPPING_PATH_BYTES {
        return Err(Error::Length { what: "ApiMappingKey", min: 0, max: MAPPING_PATH_BYTES });
    }
    if !key.bytes().all(is_letter) {
        return Err(Error::MappingKey);
    }
    if key.starts_with('/') || key.ends_with('/') || key.contains("//") {
        return Err(Error::MappingKeySlash);
    }
    Ok(key)
}

/// Checks a mapping as one of its domain's.
pub fn check(mapping: &DomainMapping, domain: &DomainName, records: &impl Records) -> Result<(), Error> {
    domain_name::check_managed(domain)?;
    let api = key(&mapping.scope, &[&mapping.api_id]);
    let stage = key(&mapping.scope, &[&mapping.api_id, mapping.stage.as_deref().unwrap_or_default()]);
    let is_rest = records.get::<RestApi>(&api)?.is_some();
    if !is_rest && records.get::<HttpApi>(&api)?.is_none() {
        return Err(Error::MappedApi);
    }
    let has_stage = match is_rest {
        // A mapping that the other service has made may have none, and keep it so.
        true => mapping.stage.is_none() || records.get::<Stage>(&stage)?.is_some(),
        false => records.get::<HttpStage>(&stage)?.is_some(),
    };
    if !has_stage {
        return Err(Error::MappedStage);
    }
    let others = domain_name::mappings(records, domain)?.into_iter();
    let mut all: Vec<_> = others.filter(|other| other.id != mapping.id).collect();
    if all.iter().any(|other| other.base_path == mapping.base_path) {
        return Err(Error::MappingExists);
    }
    all.push(mapping.clone());
    match is_mixed(&all, records)? && !domain_name::rules(records, domain)?.is_empty() {
        true => Err(Error::MixedWithRules),
        false => Ok(()),
    }
}

/// Do mappings lead to APIs of both kinds?
pub fn is_mixed(mappings: &[DomainMapping], records: &impl Records) -> Result<bool, Error> {
    let mut kinds = [false; 2];
    for mapping in mappings {
        let is_http = records.get::<HttpApi>(&key(&mapping.scope, &[&mapping.api_id]))?.is_some();
        kinds[usize::from(is_http)] = true;
    }
    Ok(kinds == [true; 2])
}

pub fn find(records: &impl Records, domain: &DomainName, id: &str) -> Result<DomainMapping, Error> {
    let key = key(&domain.scope, &[&domain.name, id]);
    records.get(&key)?.ok_or(Error::UnknownApiMapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_segments() {
        let longest = "a".repeat(MAPPING_PATH_BYTES);
        for key in ["", "v1", "orders/v1/items", "$-_.+!*'()", &longest] {
            assert_eq!(parse_key(Some(key.to_owned())).expect(key), key);
        }
        assert_eq!(parse_key(None).expect("none"), "");
        for key in ["/", "/a", "a/", "a//b", "a b", "a?", "{a}", "\u{e9}", &(longest + "a")] {
            assert!(parse_key(Some(key.to_owned())).is_err(), "{key}");
        }
    }
}

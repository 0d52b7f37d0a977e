//! Documentation parts and versions: what each kind of part is located by, and how patches change them.
//!
//! Source: API Gateway API reference, `DocumentationPartLocation`.

pub mod import;

use pitbird_records::{DocumentationLocation, DocumentationPart, DocumentationVersion};

use crate::Error;
use crate::patch::{Op, Patch};

/// Parts of one API, versions of one API, and bytes of one part. Source: API Gateway quotas.
pub const PARTS_MAX: usize = 2000;
pub const VERSIONS_MAX: usize = 20;
const PROPERTIES_BYTES: usize = 30 * 1024;
const VERSION_BYTES: usize = 64;
const KINDS: [&str; 12] = [
    "API",
    "AUTHORIZER",
    "MODEL",
    "RESOURCE",
    "METHOD",
    "PATH_PARAMETER",
    "QUERY_PARAMETER",
    "REQUEST_HEADER",
    "REQUEST_BODY",
    "RESPONSE",
    "RESPONSE_HEADER",
    "RESPONSE_BODY",
];

/// Fills in what a location means by what it doesn't say, and refuses what its kind has no use for.
pub fn settle(location: &mut DocumentationLocation) -> Result<(), Error> {
    let kind = location.kind.as_str();
    if !KINDS.contains(&kind) {
        return Err(Error::DocumentationLocation(format!("there is no type {kind}")));
    }
    let has_path = !["API", "AUTHORIZER", "MODEL"].contains(&kind);
    let has_method = has_path && kind != "RESOURCE";
    let has_status = kind.starts_with("RESPONSE");
    let has_name = kind.ends_with("_PARAMETER") || kind.ends_with("_HEADER");
    let needs_name = has_name || ["AUTHORIZER", "MODEL"].contains(&kind);
    // The reference asks for a name, the guide's own examples have none.
    let may_have_name = needs_name || kind == "REQUEST_BODY";
    settle_member(&mut location.path, has_path.then_some("/"), kind, "path")?;
    settle_member(&mut location.method, has_method.then_some("*"), kind, "method")?;
    settle_member(&mut location.status_code, has_status.then_some("*"), kind, "statusCode")?;
    location.name = location.name.take().filter(|name| !name.is_empty());
    match &location.name {
        None if needs_name => Err(Error::DocumentationLocation(format!("the type {kind} needs a name"))),
        Some(_) if !may_have_name => {
            Err(Error::DocumentationLocation(format!("the type {kind} has no name")))
        }
        _ => Ok(()),
    }
}

fn settle_member(
    member: &mut Option<String>,
    default: Option<&str>,
    kind: &str,
    name: &str,
) -> Result<(), Error> {
    *member = member.take().filter(|text| !text.is_empty());
    match default {
        Some(default) => {
            member.get_or_insert_with(|| default.to_owned());
            Ok(())
        }
        None if member.is_some() => {
            Err(Error::DocumentationLocation(format!("the type {kind} has no {name}")))
        }
        None => Ok(()),
    }
}

/// Checks a part's properties: a JSON object.
pub fn check_properties(properties: &str) -> Result<(), Error> {
    if properties.is_empty() {
        return Err(Error::DocumentationEmpty);
    }
    if properties.len() > PROPERTIES_BYTES {
        return Err(Error::DocumentationTooLong(PROPERTIES_BYTES));
    }
    match serde_json::from_str(properties) {
        Ok(serde_json::Value::Object(_)) => Ok(()),
        _ => Err(Error::DocumentationProperties),
    }
}

/// Checks that no other part describes the same.
pub fn check_single(location: &DocumentationLocation, parts: &[DocumentationPart]) -> Result<(), Error> {
    match parts.iter().any(|part| part.location == *location) {
        true => Err(Error::DocumentationExists(location.kind.clone())),
        false => Ok(()),
    }
}

pub fn check_version(version: &str) -> Result<(), Error> {
    let fits = (1..=VERSION_BYTES).contains(&version.len());
    let letters = version.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if fits && letters { Ok(()) } else { Err(Error::DocumentationVersionName) }
}

/// Applies one patch operation to a part.
pub fn apply(part: &mut DocumentationPart, patch: &Patch<'_>) -> Result<(), Error> {
    match (patch.op, patch.path) {
        (Op::Replace, "/properties") => {
            let properties = patch.value.unwrap_or_default();
            check_properties(properties)?;
            properties.clone_into(&mut part.properties);
            Ok(())
        }
        _ => Err(patch.not_one_of("/properties")),
    }
}

/// Applies one patch operation to a version.
pub fn apply_to_version(version: &mut DocumentationVersion, patch: &Patch<'_>) -> Result<(), Error> {
    match (patch.op, patch.path) {
        (Op::Replace, "/description") => {
            version.description = patch.text().map(str::to_owned);
            Ok(())
        }
        _ => Err(patch.not_one_of("/description")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(kind: &str, path: Option<&str>, name: Option<&str>) -> Result<DocumentationLocation, String> {
        let mut location = DocumentationLocation {
            kind: kind.to_owned(),
            path: path.map(str::to_owned),
            method: None,
            status_code: None,
            name: name.map(str::to_owned),
        };
        settle(&mut location).map(|()| location).map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_has_its_place() {
        let api = location("API", None, None).expect("the API");
        assert_eq!((api.path, api.method, api.status_code), (None, None, None));
        let resource = location("RESOURCE", Some("/a"), None).expect("a resource");
        assert_eq!((resource.path.as_deref(), resource.method), (Some("/a"), None));
        let header = location("RESPONSE_HEADER", None, Some("X")).expect("a header");
        let members = (header.path.as_deref(), header.method.as_deref(), header.status_code.as_deref());
        assert_eq!(members, (Some("/"), Some("*"), Some("*")));
        for name in [None, Some("Pet")] {
            let body = location("REQUEST_BODY", Some("/a"), name).expect("a body");
            assert_eq!((body.method.as_deref(), body.name.as_deref()), (Some("*"), name));
        }
        for (kind, path, name) in [
            ("API", Some("/"), None),
            ("MODEL", None, None),
            ("QUERY_PARAMETER", Some("/"), None),
            ("METHOD", Some("/"), Some("x")),
            ("WRONG", None, None),
        ] {
            assert!(location(kind, path, name).is_err(), "{kind}");
        }
    }

    #[test]
    fn properties_are_an_object_of_some_length() {
        assert!(check_properties("{\"description\": \"d\"}").is_ok());
        let of = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(check_properties(&of(PROPERTIES_BYTES)).is_ok());
        for properties in ["", "[]", "{", &of(PROPERTIES_BYTES + 1)] {
            assert!(check_properties(properties).is_err(), "{properties:.10}");
        }
        assert!(check_version("1.0-a_b").is_ok() && check_version(&"v".repeat(64)).is_ok());
        assert!(
            check_version("").is_err()
                && check_version("a b").is_err()
                && check_version(&"v".repeat(65)).is_err()
        );
    }
}

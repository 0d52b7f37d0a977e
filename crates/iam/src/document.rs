//! Policy documents: JSON texts that are held against the grammar before they are kept.
//!
//! Checked are the members, the effects, the form of actions, resources and principals, and the size. Whether an action
//! exists, and whether a principal does, is not.

mod trust;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value as Json;
use thiserror::Error;

use crate::Error;

pub use trust::parse_trust;

/// A managed policy's document, characters without white space. Source: IAM quotas.
pub const MANAGED_CHARS_MAX: usize = 6144;
/// A role's inline policies together, characters without white space. Source: IAM quotas.
pub const INLINE_CHARS_MAX: usize = 10_240;
/// A trust policy, characters without white space. Source: IAM quotas.
const TRUST_CHARS_MAX: usize = 2048;

/// What is wrong with a document, in IAM's own words where they are known.
#[derive(Debug, PartialEq, Error)]
pub enum Malformed {
    #[error("This policy contains invalid Json")]
    Json,
    #[error("Syntax errors in policy.")]
    Syntax,
    #[error("Policy document must be version 2012-10-17 or greater.")]
    Version,
    #[error("Policy document should not specify a principal.")]
    Principal,
    #[error("Policy statement must contain actions.")]
    NoActions,
    #[error("Policy statement must contain resources.")]
    NoResources,
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    SidTwice,
    #[error(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    )]
    Sid,
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    NoVendor,
    #[error("Actions/Condition can contain only one colon.")]
    Colons,
    #[error("Vendor {0} is not valid")]
    Vendor(String),
    #[error("Resource {0} must be in ARN format or \"*\".")]
    Resource(String),
    #[error("Has prohibited field {0}")]
    Prohibited(&'static str),
    #[error("Missing required field {0}")]
    Missing(&'static str),
    #[error("AssumeRole policy may only specify STS AssumeRole actions.")]
    NotAssuming,
    #[error("Invalid principal in policy: \"{kind}\":\"{name}\"")]
    InvalidPrincipal { kind: String, name: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Document {
    version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMany<Statement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Statement {
    sid: Option<String>,
    effect: Effect,
    principal: Option<Principal>,
    not_principal: Option<Principal>,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    condition: Option<BTreeMap<String, BTreeMap<String, OneOrMany<Scalar>>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Principal {
    Any(String),
    Named(BTreeMap<String, OneOrMany<String>>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Bool(bool),
    Number(serde_json::Number),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMany::Many(items) => items,
            OneOrMany::One(item) => vec![item],
        }
    }
}

impl From<Scalar> for String {
    fn from(scalar: Scalar) -> String {
        match scalar {
            Scalar::Text(text) => text,
            Scalar::Bool(value) => value.to_string(),
            Scalar::Number(number) => number.to_string(),
        }
    }
}

/// A document's size as quotas count it: characters without white space.
pub fn size(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

/// Checks a managed policy's document.
pub fn check_managed(text: &str) -> Result<(), Error> {
    let document = parse(text)?;
    if document.version.as_deref() != Some("2012-10-17") {
        return Err(Malformed::Version.into());
    }
    check_statements(document)?;
    if size(text) > MANAGED_CHARS_MAX {
        return Err(Error::Quota { what: "PolicySize", limit: MANAGED_CHARS_MAX });
    }
    Ok(())
}

/// Checks an inline policy's document. Its size counts with its neighbours', which the caller knows.
pub fn check_inline(text: &str) -> Result<(), Malformed> {
    check_statements(parse(text)?)
}

fn parse(text: &str) -> Result<Document, Malformed> {
    let json: Json = serde_json::from_str(text).map_err(|_| Malformed::Json)?;
    // A derived structure would also take a list for an object.
    let are_objects = match &json["Statement"] {
        Json::Object(_) => true,
        Json::Array(statements) => !statements.is_empty() && statements.iter().all(Json::is_object),
        _ => false,
    };
    if !json.is_object() || !are_objects {
        return Err(Malformed::Syntax);
    }
    let document = Document::deserialize(json).map_err(|_| Malformed::Syntax)?;
    match document.version.as_deref() {
        None | Some("2008-10-17" | "2012-10-17") => Ok(document),
        Some(_) => Err(Malformed::Syntax),
    }
}

fn check_statements(document: Document) -> Result<(), Malformed> {
    let mut sids = BTreeSet::new();
    for statement in document.statement.into_vec() {
        if let Some(sid) = &statement.sid {
            if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(Malformed::Sid);
            }
            if !sid.is_empty() && !sids.insert(sid.clone()) {
                return Err(Malformed::SidTwice);
            }
        }
        if statement.principal.is_some() || statement.not_principal.is_some() {
            return Err(Malformed::Principal);
        }
        for action in either(statement.action, statement.not_action)?.ok_or(Malformed::NoActions)? {
            check_action(&action)?;
        }
        for resource in either(statement.resource, statement.not_resource)?.ok_or(Malformed::NoResources)? {
            if resource != "*" && !resource.starts_with("arn:") {
                return Err(Malformed::Resource(resource));
            }
        }
    }
    Ok(())
}

/// The one of two members that exclude each other, if it names anything.
fn either(
    positive: Option<OneOrMany<String>>,
    negative: Option<OneOrMany<String>>,
) -> Result<Option<Vec<String>>, Malformed> {
    match (positive, negative) {
        (Some(_), Some(_)) => Err(Malformed::Syntax),
        (one, other) => Ok(one.or(other).map(OneOrMany::into_vec).filter(|found| !found.is_empty())),
    }
}

fn check_action(action: &str) -> Result<(), Malformed> {
    if action == "*" {
        return Ok(());
    }
    let (vendor, name) = action.split_once(':').ok_or(Malformed::NoVendor)?;
    if name.contains(':') {
        return Err(Malformed::Colons);
    }
    let is_vendor = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if vendor.is_empty() || !vendor.bytes().all(is_vendor) {
        return Err(Malformed::Vendor(vendor.to_owned()));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?' | b'-' | b'_');
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(Malformed::Syntax);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Routing rules: which stage of a REST API is meant by a request's headers and base path.
//!
//! Source: API Gateway developer guide, "Routing rules to connect API stages to a custom domain name for REST APIs".

use pitbird_records::{DomainName, RestApi, RoutingCondition, RoutingRule, Stage, key};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::{Error, api_mapping, domain_name};

/// Rules of one domain. Source: API Gateway quotas.
pub const RULES_MAX: usize = 50;
/// Conditions of one rule.
const HEADER_CONDITIONS_MAX: usize = 2;
const PATH_CONDITIONS_MAX: usize = 1;
/// Bytes of a header's name, of a glob and of a base path: "less than" 40, 128 and 128.
const HEADER_BYTES: usize = 39;
const GLOB_BYTES: usize = 127;
const BASE_PATH_BYTES: usize = 127;
/// Bytes of a glob that may be anywhere in a value, with its stars; observed by those who keep the CDK.
const INFIX_BYTES: usize = 40;
/// Letters of names and globs. The guide says so; its examples with others can't be made.
const LETTERS: &[u8] = b"*?-!#$%&'.^_`|~";
const BASE_PATH_LETTERS: &[u8] = b"$-_.+!*'()/";

/// Headers that can't be asked for.
const RESERVED: [&str; 20] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "x-apigw-api-id",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-restapi",
    "via",
];
const RESERVED_PREFIXES: [&str; 4] = ["access-control-", "apigw-", "x-amz-", "x-amzn-"];

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Condition {
    match_base_paths: Option<AnyOf<String>>,
    match_headers: Option<AnyOf<Header>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnyOf<T> {
    any_of: Vec<T>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    header: String,
    value_glob: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Action {
    invoke_api: InvokeApi,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InvokeApi {
    api_id: String,
    stage: String,
    strip_base_path: Option<bool>,
}

/// What a caller says of a rule.
#[derive(Debug)]
pub struct Said {
    pub actions: Vec<Action>,
    pub conditions: Vec<Condition>,
    /// 1 to 1,000,000; the model has checked it.
    pub priority: i64,
}

impl Said {
    /// The rule of a domain, held against everything that it needs.
    pub fn parse(
        self,
        domain: &DomainName,
        id: String,
        records: &impl Records,
    ) -> Result<RoutingRule, Error> {
        domain_name::check_managed(domain)?;
        let mut actions = self.actions.into_iter();
        let (Some(Action { invoke_api }), None) = (actions.next(), actions.next()) else {
            return Err(Error::RuleActions);
        };
        let rule = RoutingRule {
            scope: domain.scope.clone(),
            domain_name: domain.name.clone(),
            id,
            priority: self.priority,
            conditions: self.conditions.into_iter().map(Condition::parse).collect::<Result<_, _>>()?,
            api_id: invoke_api.api_id,
            stage: invoke_api.stage,
            strip_base_path: invoke_api.strip_base_path.unwrap_or_default(),
        };
        check(&rule, domain, records)?;
        Ok(rule)
    }
}

fn check(rule: &RoutingRule, domain: &DomainName, records: &impl Records) -> Result<(), Error> {
    let count = |has: fn(&RoutingCondition) -> bool| rule.conditions.iter().filter(|one| has(one)).count();
    let (headers, paths) = (count(|one| !one.headers.is_empty()), count(|one| !one.base_paths.is_empty()));
    if headers > HEADER_CONDITIONS_MAX || paths > PATH_CONDITIONS_MAX {
        return Err(Error::RuleConditions);
    }
    if rule.strip_base_path && paths == 0 {
        return Err(Error::StripsNothing);
    }
    if records.get::<RestApi>(&key(&rule.scope, &[&rule.api_id]))?.is_none() {
        return Err(Error::RuleApi);
    }
    if records.get::<Stage>(&key(&rule.scope, &[&rule.api_id, &rule.stage]))?.is_none() {
        return Err(Error::MappedStage);
    }
    if api_mapping::is_mixed(&domain_name::mappings(records, domain)?, records)? {
        return Err(Error::MixedWithRules);
    }
    let mut others = domain_name::rules(records, domain)?.into_iter();
    match others.any(|other| other.id != rule.id && other.priority == rule.priority) {
        true => Err(Error::PriorityTaken(rule.priority)),
        false => Ok(()),
    }
}

pub fn find(records: &impl Records, domain: &DomainName, id: &str) -> Result<RoutingRule, Error> {
    records.get(&key(&domain.scope, &[&domain.name, id]))?.ok_or(Error::UnknownRoutingRule)
}

impl Condition {
    fn parse(self) -> Result<RoutingCondition, Error> {
        let headers = self.match_headers.map(AnyOf::only).transpose()?;
        let base_path = self.match_base_paths.map(AnyOf::only).transpose()?;
        if headers.is_none() && base_path.is_none() {
            return Err(Error::EmptyCondition);
        }
        if let Some(header) = &headers {
            check_header(&header.header)?;
            check_glob(&header.value_glob)?;
        }
        if let Some(path) = &base_path {
            check_base_path(path)?;
        }
        Ok(RoutingCondition {
            headers: headers.map(|one| (one.header, one.value_glob)).into_iter().collect(),
            base_paths: base_path.into_iter().collect(),
        })
    }
}

impl From<RoutingCondition> for Condition {
    fn from(kept: RoutingCondition) -> Condition {
        let header = |(header, value_glob)| Header { header, value_glob };
        let headers: Vec<_> = kept.headers.into_iter().map(header).collect();
        Condition { match_base_paths: AnyOf::some(kept.base_paths), match_headers: AnyOf::some(headers) }
    }
}

impl From<&RoutingRule> for Action {
    fn from(rule: &RoutingRule) -> Action {
        let (api_id, stage) = (rule.api_id.clone(), rule.stage.clone());
        Action { invoke_api: InvokeApi { api_id, stage, strip_base_path: Some(rule.strip_base_path) } }
    }
}

impl<T> AnyOf<T> {
    fn only(mut self) -> Result<T, Error> {
        match (self.any_of.pop(), self.any_of.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(Error::AnyOf),
        }
    }

    fn some(any_of: Vec<T>) -> Option<AnyOf<T>> {
        (!any_of.is_empty()).then_some(AnyOf { any_of })
    }
}

fn check_header(name: &str) -> Result<(), Error> {
    let lower = name.to_ascii_lowercase();
    let is_reserved = RESERVED.contains(&lower.as_str())
        || RESERVED_PREFIXES.iter().any(|prefix| lower.starts_with(prefix));
    if is_reserved {
        return Err(Error::RuleHeaderReserved(name.to_owned()));
    }
    let fits = has_length(name, HEADER_BYTES) && !name.contains('*') && has_letters(name, LETTERS);
    if fits { Ok(()) } else { Err(Error::RuleHeader(name.to_owned())) }
}

fn check_glob(glob: &str) -> Result<(), Error> {
    let (begins, ends) = (glob.starts_with('*'), glob.len() > 1 && glob.ends_with('*'));
    let inner = &glob[usize::from(begins)..glob.len() - usize::from(ends)];
    let max = if begins && ends { INFIX_BYTES } else { GLOB_BYTES };
    let is_nothing = begins && ends && inner.is_empty();
    let has_star_within = inner.contains('*');
    let fits = has_length(glob, max) && has_letters(glob, LETTERS) && !is_nothing && !has_star_within;
    if fits { Ok(()) } else { Err(Error::RuleGlob(glob.to_owned())) }
}

fn check_base_path(path: &str) -> Result<(), Error> {
    let has_slash = path.starts_with('/') || path.ends_with('/') || path.contains("//");
    let fits = has_length(path, BASE_PATH_BYTES) && !has_slash && has_letters(path, BASE_PATH_LETTERS);
    if fits { Ok(()) } else { Err(Error::RuleBasePath(path.to_owned())) }
}

fn has_length(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len())
}

fn has_letters(text: &str, letters: &[u8]) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || letters.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_letters_and_bounds() {
        let long = |count| "a".repeat(count);
        for name in ["Hello", "x-version", "Host", "a", &long(HEADER_BYTES)] {
            assert!(check_header(name).is_ok(), "{name}");
        }
        for name in ["", "a*", "a b", "a/b", "a:b", "Authorization", "VIA", "x-amz-date", "Access-Control-A"]
        {
            assert!(check_header(name).is_err(), "{name}");
        }
        assert!(check_header(&long(HEADER_BYTES + 1)).is_err());
        let infix = format!("*{}*", long(INFIX_BYTES - 2));
        for glob in ["a", "*", "a*", "*a", "*a*", "Dog-*", "a?", &long(GLOB_BYTES), &infix] {
            assert!(check_glob(glob).is_ok(), "{glob}");
        }
        for glob in ["", "**", "a*b", "*a*b", "a**", "***", "a,b", "a b", &infix.replacen('*', "*a", 1)] {
            assert!(check_glob(glob).is_err(), "{glob}");
        }
        assert!(check_glob(&long(GLOB_BYTES + 1)).is_err());
        for path in ["a", "New/Users", "$-_.+!*'()", &long(BASE_PATH_BYTES)] {
            assert!(check_base_path(path).is_ok(), "{path}");
        }
        for path in ["", "/", "/a", "a/", "a//b", "a\\", "a b", "{a}", &long(BASE_PATH_BYTES + 1)] {
            assert!(check_base_path(path).is_err(), "{path}");
        }
    }
}

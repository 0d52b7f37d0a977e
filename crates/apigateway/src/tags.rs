//! Tags of whatever can have some, and the ARNs that name these.
//!
//! Source: API Gateway developer guide, "API Gateway resources that can be tagged".

use pitbird_names::{Scope, arn};
use pitbird_records::Texts;
use pitbird_snapshot::Choice;
use pitbird_store::Transaction;

use crate::find::{self, Records};
use crate::{Error, domain_name, usage_plan};

/// Tags of one thing, and bytes of a tag's key and value. Source: AWS General Reference, "Tagging your AWS resources".
const TAGS_MAX: usize = 50;
const KEY_BYTES: usize = 128;
const VALUE_BYTES: usize = 256;

/// What can be tagged.
#[derive(Debug, PartialEq, Eq)]
pub enum Tagged {
    Api(String),
    Stage { api_id: String, name: String },
    ApiKey(String),
    UsagePlan(String),
    DomainName(String),
    ClientCertificate(String),
    VpcLink,
}

/// Reads `arn:aws:apigateway:{region}::/restapis/{id}[/stages/{name}]`, and `/apikeys/…`, `/usageplans/…`, `/domainnames/…`,
/// `/clientcertificates/…` and `/vpclinks/…` likewise. The account is left out in these ARNs; some
/// callers name it all the same.
pub fn parse(text: &str, scope: &Scope) -> Result<Tagged, Error> {
    let unknown = || Error::UnknownTagged(text.to_owned());
    let parts = arn::parse(text).ok_or_else(unknown)?;
    let is_own = parts.account.is_empty() || parts.account == scope.account.as_str();
    if parts.service != "apigateway" || parts.region != scope.region.as_str() || !is_own {
        return Err(unknown());
    }
    let pieces: Vec<&str> = parts.resource.split('/').collect();
    match pieces.as_slice() {
        ["", "restapis", id] => Ok(Tagged::Api((*id).to_owned())),
        ["", "restapis", id, "stages", name] => {
            Ok(Tagged::Stage { api_id: (*id).to_owned(), name: (*name).to_owned() })
        }
        ["", "apikeys", id] => Ok(Tagged::ApiKey((*id).to_owned())),
        ["", "usageplans", id] => Ok(Tagged::UsagePlan((*id).to_owned())),
        ["", "domainnames", name] => Ok(Tagged::DomainName((*name).to_owned())),
        ["", "clientcertificates", id] => Ok(Tagged::ClientCertificate((*id).to_owned())),
        ["", "vpclinks", _] => Ok(Tagged::VpcLink),
        _ => Err(unknown()),
    }
}

/// The tags of what an ARN names.
pub fn read(records: &impl Records, scope: &Scope, tagged: &Tagged) -> Result<Texts, Error> {
    Ok(match tagged {
        Tagged::Api(id) => find::api(records, scope, id)?.tags,
        Tagged::Stage { api_id, name } => find::stage(records, scope, api_id, name)?.tags,
        Tagged::ApiKey(id) => find::api_key(records, scope, id)?.tags,
        Tagged::UsagePlan(id) => usage_plan::plan(records, scope, id)?.tags,
        Tagged::DomainName(name) => domain_name::domain(records, scope, name)?.tags,
        Tagged::ClientCertificate(id) => find::client_certificate(records, scope, id)?.tags,
        Tagged::VpcLink => return Err(Error::UnknownVpcLink),
    })
}

/// Changes the tags of what an ARN names.
pub fn change(
    tx: &mut Transaction<'_>,
    scope: &Scope,
    tagged: &Tagged,
    change: impl FnOnce(&mut Texts) -> Result<(), Error>,
) -> Result<(), Error> {
    match tagged {
        Tagged::Api(id) => {
            let mut api = find::api(tx, scope, id)?;
            change(&mut api.tags)?;
            tx.put(&api)?;
        }
        Tagged::Stage { api_id, name } => {
            let mut stage = find::stage(tx, scope, api_id, name)?;
            change(&mut stage.tags)?;
            Choice::parse(&stage.tags)?;
            tx.put(&stage)?;
        }
        Tagged::ApiKey(id) => {
            let mut key = find::api_key(tx, scope, id)?;
            change(&mut key.tags)?;
            tx.put(&key)?;
        }
        Tagged::UsagePlan(id) => {
            let mut plan = usage_plan::plan(tx, scope, id)?;
            change(&mut plan.tags)?;
            tx.put(&plan)?;
        }
        Tagged::DomainName(name) => {
            let mut domain = domain_name::domain(tx, scope, name)?;
            change(&mut domain.tags)?;
            tx.put(&domain)?;
        }
        Tagged::ClientCertificate(id) => {
            let mut certificate = find::client_certificate(tx, scope, id)?;
            change(&mut certificate.tags)?;
            tx.put(&certificate)?;
        }
        Tagged::VpcLink => return Err(Error::UnknownVpcLink),
    }
    Ok(())
}

pub fn check(tags: &Texts) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::TooMany { what: "tags for this resource", limit: TAGS_MAX });
    }
    let is_bad = |(key, value): &(&String, &String)| {
        !(1..=KEY_BYTES).contains(&key.len()) || value.len() > VALUE_BYTES || key.starts_with("aws:")
    };
    match tags.iter().find(is_bad) {
        Some((key, _)) => Err(Error::Tag(key.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apis_and_stages_have_arns() {
        let scope = Scope::default();
        let api = Tagged::Api("abc".to_owned());
        assert_eq!(parse("arn:aws:apigateway:us-east-1::/restapis/abc", &scope).expect("an API"), api);
        assert_eq!(
            parse("arn:aws:apigateway:us-east-1:000000000000:/restapis/abc", &scope).expect("too"),
            api
        );
        let stage = Tagged::Stage { api_id: "abc".to_owned(), name: "prod".to_owned() };
        let arn = "arn:aws:apigateway:us-east-1::/restapis/abc/stages/prod";
        assert_eq!(parse(arn, &scope).expect("a stage"), stage);
        for arn in [
            "abc",
            "arn:aws:apigateway:eu-west-1::/restapis/abc",
            "arn:aws:apigateway:us-east-1:111111111111:/restapis/abc",
            "arn:aws:lambda:us-east-1::/restapis/abc",
            "arn:aws:apigateway:us-east-1::/models/abc",
            "arn:aws:apigateway:us-east-1::/restapis/abc/stages",
        ] {
            assert!(parse(arn, &scope).is_err(), "{arn}");
        }
    }

    #[test]
    fn tags_have_bounds() {
        let one = |key: &str, value: &str| check(&[(key.to_owned(), value.to_owned())].into());
        let (key, value) = ("k".repeat(128), "v".repeat(256));
        assert!(one("a", "").is_ok() && one(&key, &value).is_ok());
        for (key, value) in [("", "v"), ("aws:a", "v"), (&(key + "k"), "v"), ("a", &(value + "v"))] {
            assert!(one(key, value).is_err(), "{key} {value}");
        }
        let many = |count: usize| (0..count).map(|n| (n.to_string(), String::new())).collect();
        assert!(check(&many(50)).is_ok() && check(&many(51)).is_err());
    }
}

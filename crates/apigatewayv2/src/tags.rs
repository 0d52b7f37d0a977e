//! Tags of APIs, stages and domains, and the ARNs that name these.

use pitbird_names::{Scope, arn};
use pitbird_records::Texts;
use pitbird_snapshot::Choice;

use crate::Error;

/// Tags of one thing, and bytes of a tag's key and value. Source: AWS General Reference, "Tagging your AWS resources".
const TAGS_MAX: usize = 50;
const KEY_BYTES: usize = 128;
const VALUE_BYTES: usize = 256;

/// What can be tagged.
#[derive(Debug, PartialEq, Eq)]
pub enum Tagged {
    Api(String),
    Stage { api_id: String, name: String },
    DomainName(String),
}

/// Reads `arn:aws:apigateway:{region}::/apis/{id}[/stages/{name}]` and `/domainnames/{name}` likewise. The account is left out in these ARNs; some
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
        ["", "apis", id] => Ok(Tagged::Api((*id).to_owned())),
        ["", "apis", id, "stages", name] => {
            Ok(Tagged::Stage { api_id: (*id).to_owned(), name: (*name).to_owned() })
        }
        ["", "domainnames", name] => Ok(Tagged::DomainName((*name).to_owned())),
        _ => Err(unknown()),
    }
}

pub fn check(tags: &Texts) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::TooMany { what: "tags for this resource", limit: TAGS_MAX });
    }
    // What they would do to a REST API's stage, nothing does here.
    if let Some(key) = tags.keys().find(|key| key.starts_with(Choice::PREFIX)) {
        return Err(Error::unsupported(format!("the tag {key} on anything but a REST API's stage")));
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
        assert_eq!(parse("arn:aws:apigateway:us-east-1::/apis/abc", &scope).expect("an API"), api);
        assert_eq!(parse("arn:aws:apigateway:us-east-1:000000000000:/apis/abc", &scope).expect("too"), api);
        let stage = Tagged::Stage { api_id: "abc".to_owned(), name: "prod".to_owned() };
        let arn = "arn:aws:apigateway:us-east-1::/apis/abc/stages/prod";
        assert_eq!(parse(arn, &scope).expect("a stage"), stage);
        let domain = Tagged::DomainName("a.example.com".to_owned());
        let arn = "arn:aws:apigateway:us-east-1::/domainnames/a.example.com";
        assert_eq!(parse(arn, &scope).expect("a domain"), domain);
        for arn in [
            "abc",
            "arn:aws:apigateway:eu-west-1::/apis/abc",
            "arn:aws:apigateway:us-east-1:111111111111:/apis/abc",
            "arn:aws:lambda:us-east-1::/apis/abc",
            "arn:aws:apigateway:us-east-1::/usageplans/abc",
            "arn:aws:apigateway:us-east-1::/apis/abc/stages",
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
        let words = one("pitbird:canary-force", "header:X").map_err(|error| error.to_string());
        assert!(words.is_err_and(|words| words.contains("pitbird:canary-force")));
        let many = |count: usize| (0..count).map(|n| (n.to_string(), String::new())).collect();
        assert!(check(&many(50)).is_ok() && check(&many(51)).is_err());
    }
}

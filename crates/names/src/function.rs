use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Account, Region, Scope, limits};

/// A function's bare name: 1 to 64 of `[A-Za-z0-9-_]`.
pub type FunctionName = String;

/// Why a text names no function.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    #[error("not a function name, partial ARN or ARN")]
    Malformed,
    #[error("function name longer than {} bytes", limits::FUNCTION_NAME_BYTES)]
    TooLong,
    #[error("not a qualifier")]
    Qualifier,
    #[error("a function of another partition than aws")]
    Partition,
}

/// A version as it is stored: the mutable head or an immutable number from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum VersionId {
    Latest,
    Number(u64),
}

impl VersionId {
    /// Parses `$LATEST` or a decimal number as it is given out: without leading zeros, so that no version has two names.
    pub fn parse(text: &str) -> Option<VersionId> {
        if text == "$LATEST" {
            return Some(VersionId::Latest);
        }
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let digits = digits && (text.len() == 1 || !text.starts_with('0'));
        digits.then(|| text.parse().ok()).flatten().map(VersionId::Number)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VersionId::Latest => f.write_str("$LATEST"),
            VersionId::Number(number) => write!(f, "{number}"),
        }
    }
}

impl From<VersionId> for String {
    fn from(version: VersionId) -> String {
        version.to_string()
    }
}

impl TryFrom<String> for VersionId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        VersionId::parse(&text).ok_or(Error::Qualifier)
    }
}

/// What may follow a function's name: a version or an alias.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Qualifier {
    Version(VersionId),
    Alias(String),
}

impl Qualifier {
    pub const LATEST: Qualifier = Qualifier::Version(VersionId::Latest);

    /// Parses `$LATEST`, a number, or an alias of 1 to 128 of `[A-Za-z0-9-_]`. Digits that are no version's number, such as
    /// `01`, come out as an alias that no function can have.
    pub fn parse(text: &str) -> Option<Qualifier> {
        if let Some(version) = VersionId::parse(text) {
            return Some(Qualifier::Version(version));
        }
        let fits = !text.is_empty() && text.len() <= limits::ALIAS_NAME_BYTES;
        (fits && text.bytes().all(is_name_byte)).then(|| Qualifier::Alias(text.to_owned()))
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Qualifier::Version(version) => version.fmt(f),
            Qualifier::Alias(alias) => f.write_str(alias),
        }
    }
}

/// What callers write for a function: `(arn:aws:lambda:)?({region}:)?({account}:)?(function:)?{name}(:{qualifier})?`, an ARN
/// or a part of one. Account and region are `None` where the text doesn't say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRef {
    pub account: Option<Account>,
    pub region: Option<Region>,
    pub name: FunctionName,
    pub qualifier: Option<Qualifier>,
}

impl FunctionRef {
    /// Parses every form that Lambda accepts. Whatever can be read as a region, an account or the word `function` before a
    /// name is read so, as by Lambda's own pattern. Limit: name 64 bytes. Source: Lambda API reference, `FunctionName`.
    pub fn parse(text: &str) -> Result<FunctionRef, Error> {
        let rest = without_prefix(text)?;
        // Only a qualifier can be `$LATEST`, so what stands before it is a name.
        let (rest, latest) = match rest.strip_suffix(":$LATEST") {
            Some(rest) => (rest, Some(Qualifier::LATEST)),
            None => (rest, None),
        };
        let (region, rest) = taken(rest, |part| Region::parse(part).filter(|_| is_region(part)));
        let (account, rest) = taken(rest, Account::parse);
        let (_, rest) = taken(rest, |part| (part == "function").then_some(()));
        let (name, qualifier) = match (rest.split_once(':'), latest) {
            (Some((name, text)), None) => (name, Some(Qualifier::parse(text).ok_or(Error::Qualifier)?)),
            (Some(_), Some(_)) => return Err(Error::Malformed),
            (None, latest) => (rest, latest),
        };
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            return Err(Error::Malformed);
        }
        if name.len() > limits::FUNCTION_NAME_BYTES {
            return Err(Error::TooLong);
        }
        Ok(FunctionRef { account, region, name: name.to_owned(), qualifier })
    }

    /// The scope named in the text, filled from `caller` where the text is silent.
    pub fn scope(&self, caller: &Scope) -> Scope {
        Scope {
            account: self.account.clone().unwrap_or_else(|| caller.account.clone()),
            region: self.region.clone().unwrap_or_else(|| caller.region.clone()),
        }
    }
}

/// What follows `arn:{partition}:lambda:`, or the whole text where there is no such prefix.
fn without_prefix(text: &str) -> Result<&str, Error> {
    let prefixed = text.strip_prefix("arn:").and_then(|rest| rest.split_once(":lambda:"));
    match prefixed {
        Some(("aws", rest)) => Ok(rest),
        Some((partition, _)) if !partition.contains(':') => Err(Error::Partition),
        _ => Ok(text),
    }
}

/// What the first of several parts means, and the rest; nothing and everything if it doesn't mean it.
fn taken<T>(text: &str, meaning: impl Fn(&str) -> Option<T>) -> (Option<T>, &str) {
    let found = text.split_once(':').and_then(|(part, rest)| Some((meaning(part)?, rest)));
    found.map_or((None, text), |(meant, rest)| (Some(meant), rest))
}

/// `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`. Source: Lambda API reference, the pattern of `FunctionName`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.strip_prefix("eusc-").unwrap_or(text).split('-').collect();
    let (area, name, number) = match parts[..] {
        [area, name, number] => (area, name, number),
        [area, kind, name, number] if kind == "gov" || kind.starts_with("iso") && kind.len() <= 4 => {
            (area, name, number)
        }
        _ => return false,
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let is_digit = number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit());
    area.len() == 2 && is_word(area) && is_word(name) && is_digit
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_function_is_read() {
        let (here, owner) = (Some("eu-west-1"), Some("123456789012"));
        for (text, region, account, name, qualifier) in [
            ("f", None, None, "f", None),
            ("f:live", None, None, "f", Some("live")),
            ("f:$LATEST", None, None, "f", Some("$LATEST")),
            ("function:f", None, None, "f", None),
            ("function:f:7", None, None, "f", Some("7")),
            ("function", None, None, "function", None),
            ("function:$LATEST", None, None, "function", Some("$LATEST")),
            ("123456789012", None, None, "123456789012", None),
            ("123456789012:f", None, owner, "f", None),
            ("123456789012:f:live", None, owner, "f", Some("live")),
            ("123456789012:function:f", None, owner, "f", None),
            ("eu-west-1:f", here, None, "f", None),
            ("eu-west-1:123456789012:function:f:live", here, owner, "f", Some("live")),
            ("us-gov-west-1:f", Some("us-gov-west-1"), None, "f", None),
            ("eusc-de-east-1:f", Some("eusc-de-east-1"), None, "f", None),
            ("eu-west-10:live", None, None, "eu-west-10", Some("live")),
            ("arn:live", None, None, "arn", Some("live")),
            ("arn:aws:lambda:eu-west-1:123456789012:function:f", here, owner, "f", None),
            ("arn:aws:lambda:eu-west-1:123456789012:function:f:7", here, owner, "f", Some("7")),
            ("arn:aws:lambda:eu-west-1:123456789012:f", here, owner, "f", None),
        ] {
            let parsed = FunctionRef::parse(text).expect(text);
            assert_eq!(parsed.region.as_ref().map(Region::as_str), region, "{text}");
            assert_eq!(parsed.account.as_ref().map(Account::as_str), account, "{text}");
            assert_eq!(parsed.name, name, "{text}");
            assert_eq!(parsed.qualifier.map(|q| q.to_string()).as_deref(), qualifier, "{text}");
        }
    }

    #[test]
    fn what_is_no_function_is_refused() {
        let long = "f".repeat(65);
        for text in [
            "",
            "a b",
            "f:",
            ":f",
            "f:li ve",
            "f:1:2",
            "f:1:$LATEST",
            "$LATEST",
            "arn:aws:s3:::bucket",
            "arn:aws:lambda:us-east-1:123456789012:layer:l:1",
            "12:function:f",
            &long,
        ] {
            assert!(FunctionRef::parse(text).is_err(), "{text}");
        }
        for text in ["arn:aws-cn:lambda:us-east-1:123456789012:function:f", "arn::lambda:f"] {
            assert_eq!(FunctionRef::parse(text), Err(Error::Partition), "{text}");
        }
    }

    #[test]
    fn a_version_has_one_name() {
        assert_eq!(VersionId::parse("10"), Some(VersionId::Number(10)));
        assert_eq!(VersionId::parse("0"), Some(VersionId::Number(0)));
        for text in ["01", "00", "", "-1", "1a", "99999999999999999999999"] {
            assert_eq!(VersionId::parse(text), None, "{text}");
        }
        assert_eq!(Qualifier::parse("01"), Some(Qualifier::Alias("01".to_owned())));
    }
}

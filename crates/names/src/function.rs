use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Account, Region, Scope, arn, limits};

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
}

/// A version as it is stored: the mutable head or an immutable number from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum VersionId {
    Latest,
    Number(u64),
}

impl VersionId {
    /// Parses `$LATEST` or a decimal number from 1.
    pub fn parse(text: &str) -> Option<VersionId> {
        if text == "$LATEST" {
            return Some(VersionId::Latest);
        }
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
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

    /// Parses `$LATEST`, digits, or an alias of 1 to 128 of `[A-Za-z0-9-_]`.
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

/// What callers write for a function: `name`, `name:qualifier`, `account:function:name`, or an ARN, each with or
/// without a qualifier. Account and region are `None` where the text doesn't say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRef {
    pub account: Option<Account>,
    pub region: Option<Region>,
    pub name: FunctionName,
    pub qualifier: Option<Qualifier>,
}

impl FunctionRef {
    /// Parses every form that Lambda accepts. Limits: name 64 bytes, whole text 170 bytes.
    pub fn parse(text: &str) -> Result<FunctionRef, Error> {
        let (account, region, rest) = match arn::parse(text) {
            Some(arn) if arn.service == "lambda" => {
                let account = Account::parse(arn.account).ok_or(Error::Malformed)?;
                let region = Region::parse(arn.region).ok_or(Error::Malformed)?;
                (Some(account), Some(region), arn.resource.strip_prefix("function:").ok_or(Error::Malformed)?)
            }
            Some(_) => return Err(Error::Malformed),
            None => match text.split_once(":function:") {
                Some((account, rest)) => (Some(Account::parse(account).ok_or(Error::Malformed)?), None, rest),
                None => (None, None, text.strip_prefix("function:").unwrap_or(text)),
            },
        };
        let (name, qualifier) = match rest.split_once(':') {
            Some((name, text)) => (name, Some(Qualifier::parse(text).ok_or(Error::Qualifier)?)),
            None => (rest, None),
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

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_function_is_read() {
        for (text, account, name, qualifier) in [
            ("f", None, "f", None),
            ("f:live", None, "f", Some("live")),
            ("f:$LATEST", None, "f", Some("$LATEST")),
            ("123456789012:function:f", Some("123456789012"), "f", None),
            ("arn:aws:lambda:eu-west-1:123456789012:function:f:7", Some("123456789012"), "f", Some("7")),
        ] {
            let parsed = FunctionRef::parse(text).expect(text);
            assert_eq!(parsed.account.as_ref().map(Account::as_str), account, "{text}");
            assert_eq!(parsed.name, name, "{text}");
            assert_eq!(parsed.qualifier.map(|q| q.to_string()).as_deref(), qualifier, "{text}");
        }
    }

    #[test]
    fn what_is_no_function_is_refused() {
        let long = "f".repeat(65);
        for text in ["", "a b", "f:", "f:li ve", "arn:aws:s3:::bucket", "12:function:f", &long] {
            assert!(FunctionRef::parse(text).is_err(), "{text}");
        }
    }
}

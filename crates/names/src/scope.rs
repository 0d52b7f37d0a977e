use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Twelve digits that own resources. Without configured keys every caller is [`Account::DEFAULT`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(Arc<str>);

impl Account {
    /// The account of callers whose access key names none, as LocalStack users know it.
    pub const DEFAULT: &'static str = "000000000000";

    /// Parses exactly twelve ASCII digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Account> {
        (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())).then(|| Account(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Account {
    fn default() -> Self {
        Account(Self::DEFAULT.into())
    }
}

/// An AWS region's name, such as `us-east-1`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(Arc<str>);

impl Region {
    pub const DEFAULT: &'static str = "us-east-1";

    /// Parses a region: lower-case letters, digits and hyphens, at most 32 bytes.
    pub fn parse(text: &str) -> Option<Region> {
        let fits = !text.is_empty() && text.len() <= 32;
        let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (fits && letters).then(|| Region(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Region {
    fn default() -> Self {
        Region(Self::DEFAULT.into())
    }
}

/// Where a resource lives: one account in one region.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug, Serialize, Deserialize)]
pub struct Scope {
    pub account: Account,
    pub region: Region,
}

impl Scope {
    /// The key prefix of this scope's records: `account/region`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.account, self.region)
    }
}

macro_rules! text {
    ($($t:ty),*) => {$(
        impl fmt::Display for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    )*};
}
text!(Account, Region);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_twelve_digits() {
        assert!(Account::parse("123456789012").is_some());
        for bad in ["", "12345678901", "1234567890123", "12345678901x"] {
            assert!(Account::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_region_has_no_odd_letters() {
        assert!(Region::parse("eu-central-1").is_some());
        for bad in ["", "EU", "eu/central", "eu central"] {
            assert!(Region::parse(bad).is_none(), "{bad}");
        }
    }
}

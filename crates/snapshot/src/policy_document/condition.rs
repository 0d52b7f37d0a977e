use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use super::{OneOrMany, PolicyQuestion};
use crate::policy::is_like;

pub(super) type ConditionsRead = BTreeMap<String, BTreeMap<String, OneOrMany<Scalar>>>;

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Text(String),
    Bool(bool),
    Number(serde_json::Number),
}

/// One line of a statement's conditions: all of them must be met, each by any of its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    operator: Option<Operator>,
    is_negated: bool,
    /// Met also where the key has no value.
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

/// Source: IAM user guide, "IAM JSON policy elements: Condition operators".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equals,
    EqualsIgnoreCase,
    Like,
    Bool,
    IpAddress,
    NumericEquals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
    Null,
}

impl Condition {
    pub fn read(read: ConditionsRead) -> Vec<Condition> {
        let lines = read.into_iter().flat_map(|(operator, lines)| {
            lines.into_iter().map(move |(key, values)| Condition::line(&operator, key, values))
        });
        lines.collect()
    }

    fn line(name: &str, key: String, values: OneOrMany<Scalar>) -> Condition {
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (operator, is_negated) = match name {
            "StringEquals" => (Some(Operator::Equals), false),
            "StringNotEquals" => (Some(Operator::Equals), true),
            "StringEqualsIgnoreCase" => (Some(Operator::EqualsIgnoreCase), false),
            "StringNotEqualsIgnoreCase" => (Some(Operator::EqualsIgnoreCase), true),
            "StringLike" | "ArnLike" | "ArnEquals" => (Some(Operator::Like), false),
            "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (Some(Operator::Like), true),
            "Bool" => (Some(Operator::Bool), false),
            "IpAddress" => (Some(Operator::IpAddress), false),
            "NotIpAddress" => (Some(Operator::IpAddress), true),
            "NumericEquals" => (Some(Operator::NumericEquals), false),
            "NumericNotEquals" => (Some(Operator::NumericEquals), true),
            "NumericLessThan" => (Some(Operator::LessThan), false),
            "NumericLessThanEquals" => (Some(Operator::LessThanEquals), false),
            "NumericGreaterThan" => (Some(Operator::GreaterThan), false),
            "NumericGreaterThanEquals" => (Some(Operator::GreaterThanEquals), false),
            "Null" => (Some(Operator::Null), false),
            _ => (None, false),
        };
        let values = values.into_vec().into_iter().map(|value| match value {
            Scalar::Text(text) => text,
            Scalar::Bool(value) => value.to_string(),
            Scalar::Number(number) => number.to_string(),
        });
        Condition { operator, is_negated, if_exists, key: key.to_ascii_lowercase(), values: values.collect() }
    }

    /// Is it met? `None` where that can't be told: an operator or a variable that isn't known here.
    pub fn is_met(&self, question: &PolicyQuestion<'_>) -> Option<bool> {
        let operator = self.operator?;
        let value = self.value(question)?;
        if operator == Operator::Null {
            let wanted = self.values.iter().any(|wanted| wanted.eq_ignore_ascii_case("true"));
            return Some(wanted == value.is_none());
        }
        // Of a key without a value nothing is true, and so each negation is.
        let Some(value) = value else { return Some(self.is_negated || self.if_exists) };
        if self.values.iter().any(|wanted| wanted.contains("${")) {
            return None;
        }
        let is_met = self.values.iter().any(|wanted| operator.holds(&value, wanted));
        Some(is_met != self.is_negated)
    }

    /// A key's value, maybe none; `None` for keys that aren't known here.
    fn value(&self, question: &PolicyQuestion<'_>) -> Option<Option<String>> {
        let text = |text: &str| Some(text.to_owned());
        Some(match self.key.as_str() {
            "aws:sourceip" => text(question.source_ip),
            "aws:useragent" => question.user_agent.and_then(text),
            "aws:referer" => question.referer.and_then(text),
            "aws:securetransport" => Some(question.is_secure.to_string()),
            "aws:epochtime" => Some(question.at_epoch_s.to_string()),
            "aws:principalarn" => question.principal.and_then(|principal| text(principal.arn)),
            "aws:principalaccount" => question.principal.and_then(|principal| text(principal.account)),
            // Nobody comes here by a VPC or for a service.
            "aws:sourcevpc" | "aws:sourcevpce" | "aws:vpcsourceip" | "aws:sourcearn"
            | "aws:sourceaccount" | "aws:principalorgid" => None,
            _ => return None,
        })
    }
}

impl Operator {
    fn holds(self, value: &str, wanted: &str) -> bool {
        let numbers = || Some((value.parse::<f64>().ok()?, wanted.parse::<f64>().ok()?));
        let compare =
            |is: fn(&f64, &f64) -> bool| numbers().is_some_and(|(value, wanted)| is(&value, &wanted));
        match self {
            Operator::Equals => value == wanted,
            Operator::EqualsIgnoreCase | Operator::Bool => value.eq_ignore_ascii_case(wanted),
            Operator::Like => is_like(wanted, value),
            Operator::IpAddress => is_within(value, wanted),
            Operator::NumericEquals => compare(|value, wanted| value == wanted),
            Operator::LessThan => compare(f64::lt),
            Operator::LessThanEquals => compare(f64::le),
            Operator::GreaterThan => compare(f64::gt),
            Operator::GreaterThanEquals => compare(f64::ge),
            Operator::Null => false,
        }
    }
}

/// Does an address lie in `10.0.0.0/8`, or is it the one named?
fn is_within(address: &str, network: &str) -> bool {
    let (network, length) =
        network.split_once('/').map_or((network, None), |(net, length)| (net, Some(length)));
    let (Ok(address), Ok(network)) = (address.parse::<IpAddr>(), network.parse::<IpAddr>()) else {
        return false;
    };
    let (address, network, bits) = match (address.to_canonical(), network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let Some(length) = length.map_or(Some(bits), |length| length.parse::<u32>().ok()) else { return false };
    length <= bits
        && address.checked_shr(bits - length).unwrap_or(0) == network.checked_shr(bits - length).unwrap_or(0)
}

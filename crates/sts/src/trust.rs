//! Who may assume a role: its trust policy, held against the caller.
//!
//! A statement names its principals: `*`, an account (its number or its root's ARN, standing for everybody in it), or the ARN
//! of a user, role or role session. A role session also is its role. An account's root stands for everybody in its account:
//! on loopback all callers are root, and there are no users to be made. Services and federated principals can't call.
//!
//! Conditions on `sts:ExternalId`, `sts:RoleSessionName`, `sts:SourceIdentity`, `aws:PrincipalArn` and
//! `aws:PrincipalAccount` are evaluated with `StringEquals`, `StringLike`, `ArnEquals` and `ArnLike`, each also
//! `IfExists`. Any other condition is taken against the caller: it keeps an `Allow` from allowing and a `Deny` denies.
//!
//! Not looked at: the policies of the caller, who in AWS needs a permission of his own unless the trust policy names him.

use pitbird_names::arn;
use pitbird_records::role::{Role, TrustStatement, is_like};

/// Who wants to assume, and what he says of himself.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    pub principal: &'a str,
    pub external_id: Option<&'a str>,
    pub session_name: &'a str,
    pub source_identity: Option<&'a str>,
}

#[derive(Debug, PartialEq)]
pub enum Verdict {
    Trusted,
    NotTrusted,
    /// Not trusted, and perhaps only because of a condition that isn't evaluated: operator and key.
    Unknown(String),
}

#[derive(Debug, PartialEq)]
enum Met {
    Yes,
    No,
    Unknown(String),
}

/// May this caller assume this role?
pub fn judge(role: &Role, asking: &Asking<'_>) -> Verdict {
    let mut actions = vec!["sts:AssumeRole"];
    actions.extend(asking.source_identity.map(|_| "sts:SetSourceIdentity"));
    let mut worst = Verdict::Trusted;
    for action in actions {
        match judge_action(role, asking, action) {
            Verdict::Trusted => {}
            Verdict::NotTrusted => return Verdict::NotTrusted,
            unknown => worst = unknown,
        }
    }
    worst
}

fn judge_action(role: &Role, asking: &Asking<'_>, action: &str) -> Verdict {
    let mut verdict = Verdict::NotTrusted;
    let about =
        role.trust.iter().filter(|statement| statement.covers(action) && names(statement, asking.principal));
    for statement in about {
        match (statement.is_allow, conditions(statement, asking)) {
            (false, Met::Yes) => return Verdict::NotTrusted,
            (false, Met::Unknown(what)) => return Verdict::Unknown(what),
            (true, Met::Yes) => verdict = Verdict::Trusted,
            (true, Met::Unknown(what)) if verdict != Verdict::Trusted => verdict = Verdict::Unknown(what),
            _ => {}
        }
    }
    verdict
}

/// Is the caller among the statement's principals?
fn names(statement: &TrustStatement, principal: &str) -> bool {
    let Some(caller) = arn::parse(principal) else { return false };
    statement.aws.iter().any(|named| {
        if named == "*" || named == principal || named == caller.account {
            return true;
        }
        let Some(named) = arn::parse(named) else { return false };
        // The root stands for everybody to be let in, not to be kept out.
        let is_anybody = named.resource == "root" || (statement.is_allow && caller.resource == "root");
        named.account == caller.account && (is_anybody || is_role_of(named.resource, caller.resource))
    })
}

/// Is `role/path/name` the role behind `assumed-role/name/session`?
fn is_role_of(role: &str, session: &str) -> bool {
    let name = role.strip_prefix("role/").and_then(|named| named.rsplit('/').next());
    let assumed = session.strip_prefix("assumed-role/").and_then(|named| named.split('/').next());
    name.is_some() && name == assumed
}

fn conditions(statement: &TrustStatement, asking: &Asking<'_>) -> Met {
    let mut met = Met::Yes;
    for (operator, keys) in &statement.conditions {
        for (key, values) in keys {
            match condition(operator, key, values, asking) {
                Met::Yes => {}
                Met::No => return Met::No,
                unknown => met = unknown,
            }
        }
    }
    met
}

fn condition(operator: &str, key: &str, values: &[String], asking: &Asking<'_>) -> Met {
    let unknown = || Met::Unknown(format!("{operator} {key}"));
    let account = || arn::parse(asking.principal).map(|arn| arn.account);
    let found = match key.to_ascii_lowercase().as_str() {
        "sts:externalid" => asking.external_id,
        "sts:rolesessionname" => Some(asking.session_name),
        "sts:sourceidentity" => asking.source_identity,
        "aws:principalarn" => Some(asking.principal),
        "aws:principalaccount" => account(),
        _ => return unknown(),
    };
    let (plain, if_exists) = match operator.strip_suffix("IfExists") {
        Some(plain) => (plain, true),
        None => (operator, false),
    };
    let is_met: fn(&str, &str) -> bool = match plain {
        "StringEquals" => |value, found| value == found,
        "StringLike" | "ArnLike" | "ArnEquals" => is_like,
        _ => return unknown(),
    };
    let yes = match found {
        Some(found) => values.iter().any(|value| is_met(value, found)),
        None => if_exists,
    };
    if yes { Met::Yes } else { Met::No }
}

#[cfg(test)]
mod tests;

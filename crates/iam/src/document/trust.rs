//! Trust policies: who may assume a role.

use std::collections::BTreeMap;

use pitbird_names::{Account, arn};
use pitbird_records::role::TrustStatement;

use super::{Effect, Malformed, OneOrMany, Principal, Statement, TRUST_CHARS_MAX, parse, size};
use crate::Error;

/// Actions that a trust policy may name, in lower case; `*` at the end of an action stands for any rest.
const ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:setcontext",
    "sts:setsourceidentity",
    "sts:tagsession",
];

/// What a trust policy says. Federated principals and canonical users are checked for nothing and left out: nothing can
/// assume a role as one of them.
pub fn parse_trust(text: &str) -> Result<Vec<TrustStatement>, Error> {
    let document = parse(text)?;
    let statements = document.statement.into_vec().into_iter().map(statement);
    let trust = statements.collect::<Result<Vec<_>, Malformed>>()?;
    if size(text) > TRUST_CHARS_MAX {
        return Err(Error::Quota { what: "ACLSizePerRole", limit: TRUST_CHARS_MAX });
    }
    Ok(trust)
}

fn statement(statement: Statement) -> Result<TrustStatement, Malformed> {
    let prohibited = [
        ("Resource", statement.resource.is_some()),
        ("NotResource", statement.not_resource.is_some()),
        ("NotPrincipal", statement.not_principal.is_some()),
        ("NotAction", statement.not_action.is_some()),
    ];
    if let Some((field, _)) = prohibited.into_iter().find(|(_, is_there)| *is_there) {
        return Err(Malformed::Prohibited(field));
    }
    let principal = statement.principal.ok_or(Malformed::Missing("Principal"))?;
    let actions = statement.action.ok_or(Malformed::Missing("Action"))?.into_vec();
    if actions.is_empty() || !actions.iter().all(|action| is_assuming(action)) {
        return Err(Malformed::NotAssuming);
    }
    let (services, aws) = principals(principal)?;
    let conditions = statement.condition.unwrap_or_default().into_iter().map(|(operator, keys)| {
        let keys = keys.into_iter().map(|(key, values)| {
            let values = values.into_vec().into_iter().map(String::from).collect();
            (key, values)
        });
        (operator, keys.collect::<BTreeMap<String, Vec<String>>>())
    });
    let conditions = conditions.collect();
    Ok(TrustStatement { is_allow: statement.effect == Effect::Allow, actions, services, aws, conditions })
}

fn is_assuming(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    match action.strip_suffix('*') {
        Some(start) => start.starts_with("sts:") && ACTIONS.iter().any(|known| known.starts_with(start)),
        None => ACTIONS.contains(&action.as_str()),
    }
}

/// Services and AWS principals.
fn principals(principal: Principal) -> Result<(Vec<String>, Vec<String>), Malformed> {
    let named = match principal {
        Principal::Any(any) if any == "*" => return Ok((Vec::new(), vec![any])),
        Principal::Any(_) => return Err(Malformed::Syntax),
        Principal::Named(named) => named,
    };
    let (mut services, mut aws, mut is_empty) = (Vec::new(), Vec::new(), true);
    for (kind, names) in named {
        let names = OneOrMany::into_vec(names);
        is_empty &= names.is_empty();
        let (found, is_known): (&mut Vec<String>, fn(&str) -> bool) = match kind.as_str() {
            "Service" => (&mut services, is_service),
            "AWS" => (&mut aws, is_aws),
            "Federated" | "CanonicalUser" => continue,
            _ => return Err(Malformed::Syntax),
        };
        if let Some(name) = names.iter().find(|name| !is_known(name)) {
            return Err(Malformed::InvalidPrincipal { kind: kind.to_uppercase(), name: name.clone() });
        }
        found.extend(names);
    }
    if is_empty { Err(Malformed::Syntax) } else { Ok((services, aws)) }
}

fn is_service(name: &str) -> bool {
    let start = name.strip_suffix(".cn").unwrap_or(name).strip_suffix(".amazonaws.com");
    let is_letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    start.is_some_and(|start| !start.is_empty() && start.bytes().all(is_letter))
}

/// `*`, an account, or the ARN of an account's root, user, role or role session.
fn is_aws(name: &str) -> bool {
    if name == "*" || Account::parse(name).is_some() {
        return true;
    }
    let Some(arn) = arn::parse(name) else { return false };
    let kinds: &[&str] = match arn.service {
        "iam" => &["user/", "role/"],
        "sts" => &["assumed-role/", "federated-user/"],
        _ => return false,
    };
    let is_named =
        kinds.iter().any(|kind| arn.resource.strip_prefix(kind).is_some_and(|rest| !rest.is_empty()));
    arn.region.is_empty()
        && Account::parse(arn.account).is_some()
        && (is_named || (arn.service == "iam" && arn.resource == "root"))
}

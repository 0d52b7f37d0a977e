//! What a role may do: its policies, held against one call.
//!
//! As at AWS a call needs a statement that allows it and none that denies it, in the inline and the attached policies
//! together, and where the role has a permissions boundary, in that as well. Conditions and variables aren't evaluated: a
//! statement with one never allows and always denies, so that what isn't understood is never permitted by it.

use pitbird_names::{Account, arn};
use pitbird_records::Role;
use pitbird_records::role::is_like;
use pitbird_service::Permission;
use pitbird_store::Store;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::{Error, policy};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `lambda:InvokeFunction`.
    pub action: &'a str,
    /// The resource by every name that policies know it by; empty where the action has none, or it isn't known: then only
    /// statements about all resources are about it.
    pub resources: &'a [String],
}

/// What do the policies of this session's role (`arn:aws:sts::{account}:assumed-role/{role}/{session}`) say? A role that is gone
/// may nothing, and neither may one what its boundary doesn't allow: a policy that names a role is no way around either. Source: IAM
/// user guide, "Policy evaluation logic".
pub fn role_session_permission(
    store: &Store,
    principal: &str,
    asked: Asked<'_>,
) -> Result<Permission, Error> {
    let Some(role) = role_of_session(store, principal)? else { return Ok(Permission::Denied) };
    let account = &role.account;
    if let Some(arn) = &role.permissions_boundary {
        let boundary: Vec<String> = document(store, account, arn)?.into_iter().collect();
        if judge(&boundary, asked) != Permission::Allowed {
            return Ok(Permission::Denied);
        }
    }
    let mut documents: Vec<String> = role.policies.values().cloned().collect();
    for arn in &role.attached {
        documents.extend(document(store, account, arn)?);
    }
    Ok(judge(&documents, asked))
}

/// The role of a session, by the session's ARN; `None` where it is no role's, or the role is gone.
fn role_of_session(store: &Store, principal: &str) -> Result<Option<Role>, Error> {
    let Some((account, name)) = role_of(principal) else { return Ok(None) };
    Ok(store.get::<Role>(&Role::key_of(&account, name))?.map(|role| role.record))
}

fn role_of(principal: &str) -> Option<(Account, &str)> {
    let arn = arn::parse(principal).filter(|arn| arn.service == "sts")?;
    let (name, _) = arn.resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some((Account::parse(arn.account)?, name))
}

/// The default version of a managed policy, if it is there.
fn document(store: &Store, account: &Account, arn: &str) -> Result<Option<String>, Error> {
    let found = policy::find(store, account, arn)?.map(|policy| policy.record);
    Ok(found.and_then(|policy| {
        let default = policy.default_version;
        policy.versions.into_iter().find(|version| version.number == default).map(|version| version.document)
    }))
}

/// One denial outweighs everything. A document that can't be read denies: it was checked when it was kept.
fn judge(documents: &[String], asked: Asked<'_>) -> Permission {
    let mut verdict = Permission::NotMentioned;
    for text in documents {
        let Ok(document) = serde_json::from_str::<Document>(text) else { return Permission::Denied };
        for statement in document.statement.into_vec() {
            match statement.effect {
                Effect::Deny if statement.is_about(asked, true) => return Permission::Denied,
                Effect::Allow if statement.is_about(asked, false) => verdict = Permission::Allowed,
                _ => {}
            }
        }
    }
    verdict
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    statement: OneOrMany<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    condition: Option<Json>,
}

#[derive(Deserialize, Clone, Copy)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }

    fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

impl Statement {
    /// Does it speak of what is asked for? Where that can't be told it is `when_unknown`.
    fn is_about(&self, asked: Asked<'_>, when_unknown: bool) -> bool {
        let condition = match &self.condition {
            Some(Json::Object(conditions)) if conditions.is_empty() => true,
            Some(_) => when_unknown,
            None => true,
        };
        condition && self.names_action(asked.action) && self.names_resource(asked.resources, when_unknown)
    }

    fn names_action(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        let names = |patterns: &OneOrMany<String>| {
            patterns.as_slice().iter().any(|pattern| is_like(&pattern.to_ascii_lowercase(), &action))
        };
        match (&self.action, &self.not_action) {
            (Some(actions), _) => names(actions),
            (None, Some(others)) => !names(others),
            (None, None) => false,
        }
    }

    fn names_resource(&self, resources: &[String], when_unknown: bool) -> bool {
        let names = |pattern: &String| {
            if pattern.contains("${") {
                return when_unknown;
            }
            let is_all = pattern.bytes().all(|byte| byte == b'*');
            is_all || resources.iter().any(|resource| is_like(pattern, resource))
        };
        match (&self.resource, &self.not_resource) {
            (Some(named), _) => {
                // A denial of some resources is taken to be about one that isn't known.
                named.as_slice().iter().any(names) || (resources.is_empty() && when_unknown)
            }
            (None, Some(_)) if resources.is_empty() => when_unknown,
            (None, Some(others)) => !others.as_slice().iter().any(|pattern| {
                // Of what isn't understood either answer would be wrong for somebody: the strict one.
                if pattern.contains("${") { !when_unknown } else { names(pattern) }
            }),
            (None, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const F: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    fn judged(statements: &str, action: &str, resources: &[&str]) -> Permission {
        let resources: Vec<String> = resources.iter().map(|resource| (*resource).to_owned()).collect();
        let document = format!(r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#);
        judge(&[document], Asked { action, resources: &resources })
    }

    #[test]
    fn a_call_needs_an_allowance_and_no_denial() {
        let allow = r#"{"Effect": "Allow", "Action": "lambda:Invoke*", "Resource": "arn:aws:lambda:*:*:function:f*"}"#;
        assert_eq!(judged(allow, "lambda:InvokeFunction", &[F]), Permission::Allowed);
        assert_eq!(judged(allow, "LAMBDA:invokefunction", &[F]), Permission::Allowed, "actions have no case");
        assert_eq!(judged(allow, "lambda:DeleteFunction", &[F]), Permission::NotMentioned);
        assert_eq!(judged(allow, "lambda:InvokeFunction", &["arn:aws:s3:::b"]), Permission::NotMentioned);
        assert_eq!(judged(allow, "lambda:InvokeFunction", &[]), Permission::NotMentioned, "not known");
        let denied =
            format!(r#"[{allow}, {{"Effect": "Deny", "Action": ["lambda:*"], "Resource": ["{F}"]}}]"#);
        assert_eq!(judged(&denied, "lambda:InvokeFunction", &[F]), Permission::Denied);
        assert_eq!(judged(&denied, "lambda:InvokeFunction", &[&format!("{F}2")]), Permission::Allowed);
        assert_eq!(
            judged(&denied, "lambda:InvokeFunction", &[]),
            Permission::Denied,
            "not known: the strict answer"
        );
    }

    #[test]
    fn everything_is_everything() {
        let all = r#"[{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
        for resources in [&[][..], &[F]] {
            assert_eq!(judged(all, "anything:AtAll", resources), Permission::Allowed);
        }
        let most = r#"{"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::*"}"#;
        assert_eq!(judged(most, "lambda:InvokeFunction", &[F]), Permission::Allowed);
        assert_eq!(judged(most, "iam:CreateRole", &[F]), Permission::NotMentioned);
        assert_eq!(judged(most, "s3:GetObject", &["arn:aws:s3:::b/k"]), Permission::NotMentioned);
        assert_eq!(judged(most, "lambda:ListFunctions", &[]), Permission::NotMentioned);
    }

    #[test]
    fn what_is_not_understood_never_allows_and_always_denies() {
        let conditional = |effect: &str| {
            format!(
                r#"[{{"Effect": "Allow", "Action": "*", "Resource": "{}"}}, {{"Effect": "{effect}", "Action": "*", "Resource": "*",
                "Condition": {{"StringEquals": {{"aws:SourceIp": "::1"}}}}}}]"#,
                if effect == "Deny" { "*" } else { "arn:none" }
            )
        };
        assert_eq!(judged(&conditional("Allow"), "a:B", &[F]), Permission::NotMentioned);
        assert_eq!(judged(&conditional("Deny"), "a:B", &[F]), Permission::Denied);
        let variable = |effect: &str, member: &str| {
            format!(
                r#"[{{"Effect": "{effect}", "Action": "*", "{member}": "arn:aws:s3:::${{aws:username}}"}}]"#
            )
        };
        assert_eq!(judged(&variable("Allow", "Resource"), "a:B", &[F]), Permission::NotMentioned);
        assert_eq!(judged(&variable("Deny", "Resource"), "a:B", &[F]), Permission::Denied);
        assert_eq!(judged(&variable("Allow", "NotResource"), "a:B", &[F]), Permission::NotMentioned);
        assert_eq!(judged(&variable("Deny", "NotResource"), "a:B", &[F]), Permission::Denied);
        assert_eq!(
            judge(&["no JSON".to_owned()], Asked { action: "a:B", resources: &[] }),
            Permission::Denied
        );
    }

    #[test]
    fn a_session_names_its_role() {
        let (account, role) = role_of("arn:aws:sts::123456789012:assumed-role/r/f").expect("a role");
        assert_eq!((account.as_str(), role), ("123456789012", "r"));
        assert_eq!(role_of("arn:aws:iam::123456789012:root"), None);
    }
}

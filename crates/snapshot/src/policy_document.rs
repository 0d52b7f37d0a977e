//! Policy documents that APIs and authorizers bring: who may call which method, under which conditions.

mod condition;

use serde::Deserialize;
use thiserror::Error;

use crate::policy::{is_like, is_role_of};
use condition::Condition;

/// A policy that can be asked. What isn't understood never allows and always denies.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDocument {
    statements: Vec<Statement>,
}

/// A text that is no policy document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this is no policy document")]
pub struct NoPolicy;

/// What is asked of a policy.
#[derive(Debug, Clone, Copy)]
pub struct PolicyQuestion<'a> {
    /// `execute-api:Invoke`.
    pub action: &'a str,
    /// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`.
    pub resource: &'a str,
    /// Who asks; `None` is nobody known.
    pub principal: Option<PolicyPrincipal<'a>>,
    pub source_ip: &'a str,
    pub user_agent: Option<&'a str>,
    pub referer: Option<&'a str>,
    pub is_secure: bool,
    pub at_epoch_s: u64,
}

#[derive(Debug, Clone, Copy)]
pub struct PolicyPrincipal<'a> {
    pub account: &'a str,
    /// Of a user or a role's session.
    pub arn: &'a str,
    /// Do his own policies let him? An account that is named hands its permission on by them, and to nobody else. Source: IAM
    /// user guide, "AWS JSON policy elements: Principal".
    pub may_call: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyVerdict {
    Allowed,
    /// A statement denies it: that outweighs everything.
    Denied,
    NotMentioned,
}

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    allows: bool,
    principals: Principals,
    actions: Named,
    resources: Named,
    conditions: Vec<Condition>,
}

/// Whom a statement is about.
#[derive(Debug, Clone, PartialEq)]
enum Principals {
    /// It doesn't say: whoever the policy belongs to.
    Unsaid,
    These(Vec<String>),
    Others(Vec<String>),
}

/// Actions or resources: these, or all but these.
#[derive(Debug, Clone, PartialEq)]
enum Named {
    These(Vec<String>),
    Others(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DocumentRead {
    statement: OneOrMany<StatementRead>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatementRead {
    effect: String,
    principal: Option<PrincipalRead>,
    not_principal: Option<PrincipalRead>,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    condition: Option<condition::ConditionsRead>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PrincipalRead {
    Any(String),
    Named(std::collections::BTreeMap<String, OneOrMany<String>>),
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMany::Many(many) => many,
            OneOrMany::One(one) => vec![one],
        }
    }
}

impl PolicyDocument {
    /// Reads a document's JSON.
    pub fn parse(text: &str) -> Result<PolicyDocument, NoPolicy> {
        PolicyDocument::read(serde_json::from_str(text).map_err(|_| NoPolicy)?)
    }

    /// Takes a document that is JSON already, such as an authorizer's.
    pub fn from_json(json: serde_json::Value) -> Result<PolicyDocument, NoPolicy> {
        PolicyDocument::read(DocumentRead::deserialize(json).map_err(|_| NoPolicy)?)
    }

    fn read(document: DocumentRead) -> Result<PolicyDocument, NoPolicy> {
        let statements = document.statement.into_vec().into_iter().map(Statement::read);
        Ok(PolicyDocument { statements: statements.collect::<Result<_, _>>()? })
    }

    /// A document that lets nobody do anything: in the place of one that can't be read.
    pub fn denying() -> PolicyDocument {
        let everything = || Named::These(vec!["*".to_owned()]);
        let (actions, resources) = (everything(), everything());
        let statement = Statement {
            allows: false,
            principals: Principals::Unsaid,
            actions,
            resources,
            conditions: Vec::new(),
        };
        PolicyDocument { statements: vec![statement] }
    }

    /// Rewrites resources that leave out what goes without saying, `execute-api:/{stage}/{METHOD}/{path}`, to those of one API:
    /// `arn` is `arn:aws:execute-api:{region}:{account}:{api}`. Source: API Gateway developer guide, "resource policy examples".
    pub(crate) fn of_api(mut self, arn: &str) -> PolicyDocument {
        for statement in &mut self.statements {
            let (Named::These(patterns) | Named::Others(patterns)) = &mut statement.resources;
            for pattern in patterns {
                if let Some(rest) = pattern.strip_prefix("execute-api:/") {
                    *pattern = format!("{arn}/{rest}");
                }
            }
        }
        self
    }

    /// The longest resource that it names, bytes.
    pub fn longest_resource(&self) -> usize {
        let lengths = self.statements.iter().flat_map(|statement| match &statement.resources {
            Named::These(patterns) | Named::Others(patterns) => patterns.iter().map(String::len),
        });
        lengths.max().unwrap_or(0)
    }

    pub fn judge(&self, question: &PolicyQuestion<'_>) -> PolicyVerdict {
        let mut verdict = PolicyVerdict::NotMentioned;
        for statement in self.statements.iter().filter(|statement| statement.is_about(question)) {
            if !statement.allows {
                return PolicyVerdict::Denied;
            }
            verdict = PolicyVerdict::Allowed;
        }
        verdict
    }
}

impl Statement {
    fn read(read: StatementRead) -> Result<Statement, NoPolicy> {
        let allows = match read.effect.to_ascii_lowercase().as_str() {
            "allow" => true,
            "deny" => false,
            _ => return Err(NoPolicy),
        };
        let principals = match (read.principal, read.not_principal) {
            (None, None) => Principals::Unsaid,
            (Some(these), None) => Principals::These(these.names()),
            (None, Some(others)) => Principals::Others(others.names()),
            (Some(_), Some(_)) => return Err(NoPolicy),
        };
        let actions = named(read.action, read.not_action)?;
        let resources = named(read.resource, read.not_resource)?;
        let conditions = read.condition.map(Condition::read).unwrap_or_default();
        Ok(Statement { allows, principals, actions, resources, conditions })
    }

    fn is_about(&self, question: &PolicyQuestion<'_>) -> bool {
        let action =
            |pattern: &str| is_like(&pattern.to_ascii_lowercase(), &question.action.to_ascii_lowercase());
        self.resources.holds(|pattern| is_like(pattern, question.resource))
            && self.actions.holds(action)
            && self.names(question.principal)
            && self.conditions.iter().all(|condition| condition.is_met(question).unwrap_or(!self.allows))
    }

    fn names(&self, principal: Option<PolicyPrincipal<'_>>) -> bool {
        let is_named = |names: &[String]| {
            names.iter().any(|name| {
                name == "*"
                    || principal.is_some_and(|PolicyPrincipal { account, arn, may_call }| {
                        let root =
                            name.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
                        let is_account = name == account || root == Some(account);
                        (is_account && (may_call || !self.allows))
                            || name == arn
                            || is_role_of(name, account, arn)
                    })
            })
        };
        match &self.principals {
            Principals::Unsaid => true,
            Principals::These(names) => is_named(names),
            Principals::Others(names) => !is_named(names),
        }
    }
}

fn named(these: Option<OneOrMany<String>>, others: Option<OneOrMany<String>>) -> Result<Named, NoPolicy> {
    match (these, others) {
        (Some(these), None) => Ok(Named::These(these.into_vec())),
        (None, Some(others)) => Ok(Named::Others(others.into_vec())),
        _ => Err(NoPolicy),
    }
}

impl Named {
    fn holds(&self, is_like: impl Fn(&str) -> bool) -> bool {
        match self {
            Named::These(patterns) => patterns.iter().any(|pattern| is_like(pattern)),
            Named::Others(patterns) => !patterns.iter().any(|pattern| is_like(pattern)),
        }
    }
}

impl PrincipalRead {
    /// Callers that it names. Services don't call APIs.
    fn names(self) -> Vec<String> {
        match self {
            PrincipalRead::Any(name) => vec![name],
            PrincipalRead::Named(kinds) => kinds
                .into_iter()
                .filter(|(kind, _)| kind == "AWS" || kind == "*")
                .flat_map(|(_, names)| names.into_vec())
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;

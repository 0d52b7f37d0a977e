//! An IAM role: who may assume it, and the policies that hang on it.
//!
//! IAM is global: its records live once per account, under the region [`REGION`], whatever region a call is scoped to.
//! Names are unique in an account without regard to case, so keys have them in lower case; a reader that was given a name
//! or an ARN compares it with what it found ([`Role::arn`]).

use std::collections::BTreeMap;

use pitbird_names::{Account, Region, Scope, arn};
use serde::{Deserialize, Serialize};

use crate::{Record, Texts};

/// The region that global services' records are kept under.
pub const REGION: &str = Region::DEFAULT;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub account: Account,
    /// Starts and ends with a slash.
    pub path: String,
    pub name: String,
    /// `AROA` and 17 more of `[A-Z2-7]`.
    pub id: String,
    pub description: Option<String>,
    pub created_ms: i64,
    /// The trust policy as it was given, a JSON text.
    pub trust_document: String,
    /// What the trust policy says.
    pub trust: Vec<TrustStatement>,
    pub session_s_max: u32,
    /// The ARN of a managed policy.
    pub permissions_boundary: Option<String>,
    pub tags: Texts,
    /// Inline policies: JSON texts by their names.
    pub policies: Texts,
    /// The ARNs of the attached managed policies, in the order of their attachment.
    pub attached: Vec<String>,
}

/// One statement of a trust policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustStatement {
    pub is_allow: bool,
    /// Action patterns such as `sts:AssumeRole`, `sts:*`.
    pub actions: Vec<String>,
    /// Services (`lambda.amazonaws.com`) that the statement names.
    pub services: Vec<String>,
    /// Account ids, ARNs or `*` that the statement names as AWS principals.
    pub aws: Vec<String>,
    /// By operator (`StringEquals`), then by key (`sts:ExternalId`): any of the values will do.
    pub conditions: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Role {
    /// The key of an account's role by its bare name, of any case.
    pub fn key_of(account: &Account, name: &str) -> String {
        crate::key(&global(account), &[&name.to_ascii_lowercase()])
    }

    /// The prefix of the keys of an account's roles.
    pub fn prefix_of(account: &Account) -> String {
        crate::prefix(&global(account), &[])
    }

    /// `arn:aws:iam::{account}:role{path}{name}`.
    pub fn arn(&self) -> String {
        arn::role(&global(&self.account), &self.path, &self.name)
    }

    /// May a service such as `lambda.amazonaws.com` assume this role? Conditions are not looked at: they narrow down for
    /// which resource a service acts, which only the assumption itself knows.
    pub fn trusts_service(&self, service: &str) -> bool {
        let names = |statement: &&TrustStatement| statement.services.iter().any(|named| named == service);
        let mut found = self.trust.iter().filter(names).filter(|it| it.covers("sts:AssumeRole")).peekable();
        found.peek().is_some() && found.all(|statement| statement.is_allow)
    }
}

impl TrustStatement {
    /// Is this action among the statement's? Actions have no case; `*` and `?` are wild.
    pub fn covers(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.actions.iter().any(|pattern| is_like(&pattern.to_ascii_lowercase(), &action))
    }
}

impl Record for Role {
    const TABLE: &'static str = "role";
    fn key(&self) -> String {
        Role::key_of(&self.account, &self.name)
    }
}

/// The scope under which an account's global records are kept.
pub fn global(account: &Account) -> Scope {
    Scope { account: account.clone(), region: Region::default() }
}

/// Does a text match a policy's pattern, in which `*` stands for any bytes and `?` for any one? Takes at most the product
/// of their lengths, and no memory.
pub fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` was, and how far into the text it reaches by now.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, reach)) => {
                    star = Some((at, reach + 1));
                    (p, t) = (at + 1, reach + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(is_allow: bool, action: &str, service: &str) -> TrustStatement {
        TrustStatement {
            is_allow,
            actions: vec![action.into()],
            services: vec![service.into()],
            aws: Vec::new(),
            conditions: BTreeMap::new(),
        }
    }

    fn role(trust: Vec<TrustStatement>) -> Role {
        Role {
            account: Account::default(),
            path: "/service-role/".into(),
            name: "Runner".into(),
            id: "AROAAAAAAAAAAAAAAAAAA".into(),
            description: None,
            created_ms: 0,
            trust_document: String::new(),
            trust,
            session_s_max: 3600,
            permissions_boundary: None,
            tags: Texts::new(),
            policies: Texts::new(),
            attached: Vec::new(),
        }
    }

    #[test]
    fn a_role_is_kept_once_per_account_without_regard_to_case() {
        let role = role(Vec::new());
        assert_eq!(role.key(), "000000000000/us-east-1/runner");
        assert_eq!(role.key(), Role::key_of(&role.account, "RUNNER"));
        assert!(role.key().starts_with(&Role::prefix_of(&role.account)));
        assert_eq!(role.arn(), "arn:aws:iam::000000000000:role/service-role/Runner");
    }

    #[test]
    fn a_service_is_trusted_when_a_statement_says_so_and_none_denies_it() {
        let lambda = "lambda.amazonaws.com";
        for (trust, expected) in [
            (vec![], false),
            (vec![statement(true, "sts:AssumeRole", lambda)], true),
            (vec![statement(true, "STS:*", lambda)], true),
            (vec![statement(true, "*", lambda)], true),
            (vec![statement(true, "sts:TagSession", lambda)], false),
            (vec![statement(true, "sts:AssumeRole", "codedeploy.amazonaws.com")], false),
            (vec![statement(true, "sts:AssumeRole", lambda), statement(false, "sts:*", lambda)], false),
        ] {
            assert_eq!(role(trust.clone()).trusts_service(lambda), expected, "{trust:?}");
        }
    }

    #[test]
    fn stars_and_question_marks_are_wild() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*b", "abab", true),
            ("**", "x", true),
            ("arn:aws:iam::*:role/cd-*", "arn:aws:iam::000000000000:role/cd-x", true),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }
}

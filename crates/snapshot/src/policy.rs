use pitbird_records as records;

/// A function's resource policy, ready to be asked.
#[derive(Debug, Default)]
pub struct Policy {
    statements: Vec<records::function_policy::Statement>,
}

/// On whose behalf a service invokes.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// `apigateway.amazonaws.com`.
    pub service: &'a str,
    pub arn: &'a str,
    pub account: &'a str,
}

/// Who calls a function's URL.
#[derive(Debug, Clone, Copy)]
pub enum UrlCaller<'a> {
    Anybody,
    /// Somebody of an account, by the ARN of the user or role session.
    Signer {
        account: &'a str,
        principal: &'a str,
        /// Do his own policies let him? An account that is named hands its permission on by them, and to nobody else. Source: IAM
        /// user guide, "AWS JSON policy elements: Principal".
        may_call: bool,
    },
}

impl Policy {
    pub(crate) fn compile(record: records::FunctionPolicy) -> Policy {
        Policy { statements: record.statements }
    }

    /// May `source` invoke? Some statement must name it and have all its conditions met.
    pub fn allows(&self, source: &Source<'_>) -> bool {
        self.statements.iter().any(|statement| {
            let action = &statement.action;
            let names_invoke = action == "lambda:InvokeFunction" || action == "lambda:*" || action == "*";
            let names_source = statement.principal == source.service || statement.principal == "*";
            let arn = statement.source_arn.as_deref().is_none_or(|pattern| is_like(pattern, source.arn));
            let account = statement.source_account.as_deref().is_none_or(|account| account == source.account);
            let unmet = statement.principal_org_id.is_some()
                || statement.event_source_token.is_some()
                || statement.function_url_auth_type.is_some()
                || statement.invoked_via_function_url == Some(true);
            names_invoke && names_source && arn && account && !unmet
        })
    }
}

impl Policy {
    /// May somebody call the function by its URL? It takes a permission for the URL and one for the function. Source: Lambda
    /// developer guide, "Control access to Lambda function URLs" (both since October 2025).
    pub fn allows_url(&self, caller: UrlCaller<'_>) -> bool {
        let auth_type = if matches!(caller, UrlCaller::Anybody) { "NONE" } else { "AWS_IAM" };
        let mut about = self.statements.iter().filter(|statement| {
            let unmet = statement.source_arn.is_some()
                || statement.source_account.is_some()
                || statement.principal_org_id.is_some()
                || statement.event_source_token.is_some();
            !unmet && names_caller(&statement.principal, caller)
        });
        let mut for_url = about.clone().filter(|statement| {
            let wanted = statement.function_url_auth_type.as_deref();
            names_action(&statement.action, "lambda:InvokeFunctionUrl")
                && wanted.is_none_or(|wanted| wanted == auth_type)
        });
        let for_function = about.any(|statement| {
            names_action(&statement.action, "lambda:InvokeFunction")
                && statement.function_url_auth_type.is_none()
                && statement.invoked_via_function_url != Some(false)
        });
        for_url.next().is_some() && for_function
    }
}

impl Policy {
    /// May somebody of another account do this, such as `lambda:GetFunction`, to what the policy is of? A statement with a
    /// condition doesn't say so: conditions are about services and URLs, or about what isn't known here. His own policies have had
    /// their say.
    pub fn allows_account(&self, action: &str, account: &str, principal: &str) -> bool {
        self.statements.iter().any(|statement| {
            let unmet = statement.source_arn.is_some()
                || statement.source_account.is_some()
                || statement.principal_org_id.is_some()
                || statement.event_source_token.is_some()
                || statement.function_url_auth_type.is_some()
                || statement.invoked_via_function_url == Some(true);
            !unmet
                && names_action(&statement.action, action)
                && names_caller(
                    &statement.principal,
                    UrlCaller::Signer { account, principal, may_call: true },
                )
        })
    }
}

fn names_action(action: &str, wanted: &str) -> bool {
    action == wanted || action == "lambda:*" || action == "*"
}

/// A statement's principal: everybody, an account (by its number or its root), or one ARN, a role's for all its sessions.
fn names_caller(named: &str, caller: UrlCaller<'_>) -> bool {
    match caller {
        _ if named == "*" => true,
        UrlCaller::Anybody => false,
        UrlCaller::Signer { account, principal, may_call } => {
            let is_root = named
                .strip_prefix("arn:aws:iam::")
                .and_then(|rest| rest.strip_suffix(":root"))
                .is_some_and(|root| root == account);
            let is_one = named == principal || is_role_of(named, account, principal);
            is_one || (may_call && (is_root || named == account))
        }
    }
}

/// Is this the role of a session? Sessions don't show a role's path, but names are unique in an account without it.
pub(crate) fn is_role_of(named: &str, account: &str, principal: &str) -> bool {
    let role = named.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_prefix(account));
    let role = role.and_then(|rest| rest.strip_prefix(":role/")).and_then(|path| path.rsplit('/').next());
    let session = principal.strip_prefix("arn:aws:sts::").and_then(|rest| rest.strip_prefix(account));
    let session = session.and_then(|rest| rest.strip_prefix(":assumed-role/"));
    let session_of = session.and_then(|rest| rest.split_once('/')).map(|(role, _)| role);
    role.is_some() && role == session_of
}

/// IAM's `ArnLike`: `*` stands for any text, `?` for one character.
pub(crate) fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&b) if b == b'?' || b == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(action: &str, principal: &str) -> records::function_policy::Statement {
        let (action, principal) = (action.to_owned(), principal.to_owned());
        records::function_policy::Statement { action, principal, ..Default::default() }
    }

    #[test]
    fn a_url_takes_two_permissions_of_its_own() {
        let for_url = |auth_type: &str| records::function_policy::Statement {
            function_url_auth_type: Some(auth_type.to_owned()),
            ..statement("lambda:InvokeFunctionUrl", "*")
        };
        let for_function = records::function_policy::Statement {
            invoked_via_function_url: Some(true),
            ..statement("lambda:InvokeFunction", "*")
        };
        let lets = |statements: &[records::function_policy::Statement], caller| {
            Policy { statements: statements.to_vec() }.allows_url(caller)
        };
        let ada = UrlCaller::Signer {
            account: "000000000000",
            principal: "arn:aws:iam::000000000000:user/ada",
            may_call: true,
        };
        let both = [for_url("NONE"), for_function.clone()];
        assert!(lets(&both, UrlCaller::Anybody));
        assert!(!lets(&both, ada), "it is for those who don't sign");
        assert!(lets(&[for_url("AWS_IAM"), for_function.clone()], ada));
        for alone in [for_url("NONE"), for_function.clone()] {
            assert!(!lets(&[alone], UrlCaller::Anybody));
        }
        let conditional =
            records::function_policy::Statement { source_account: Some("1".to_owned()), ..for_url("NONE") };
        assert!(!lets(&[conditional, for_function], UrlCaller::Anybody));
        for (principal, expected) in [
            ("000000000000", true),
            ("arn:aws:iam::000000000000:root", true),
            ("arn:aws:iam::000000000000:user/ada", true),
            ("arn:aws:iam::000000000000:user/bob", false),
            ("111111111111", false),
            ("apigateway.amazonaws.com", false),
        ] {
            let all =
                ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"].map(|it| statement(it, principal));
            assert_eq!(lets(&all, ada), expected, "{principal}");
            assert!(!lets(&all, UrlCaller::Anybody), "{principal}");
        }
        // And none of it lets an API in.
        let api = Source { service: "apigateway.amazonaws.com", arn: "arn", account: "000000000000" };
        assert!(!Policy { statements: both.to_vec() }.allows(&api));
    }

    #[test]
    fn another_account_is_let_in_by_a_statement_that_names_it() {
        use records::function_policy::Statement;
        let lets = |statement: Statement, action: &str, principal: &str| {
            Policy { statements: vec![statement] }.allows_account(action, "111111111111", principal)
        };
        let (root, invoke) = ("arn:aws:iam::111111111111:root", "lambda:InvokeFunction");
        let session = "arn:aws:sts::111111111111:assumed-role/r/s";
        for (named, caller, expected) in [
            ("111111111111", root, true),
            (root, root, true),
            (root, session, true),
            ("*", root, true),
            ("arn:aws:iam::111111111111:role/r", session, true),
            ("arn:aws:iam::111111111111:role/path/r", session, true),
            ("arn:aws:iam::111111111111:role/other", session, false),
            ("arn:aws:iam::111111111111:role/r", root, false),
            ("arn:aws:iam::222222222222:role/r", session, false),
            ("222222222222", root, false),
            ("arn:aws:iam::222222222222:root", root, false),
            ("apigateway.amazonaws.com", root, false),
        ] {
            assert_eq!(lets(statement(invoke, named), invoke, caller), expected, "{named} {caller}");
        }
        for (action, expected) in
            [(invoke, true), ("lambda:*", true), ("*", true), ("lambda:GetFunction", false)]
        {
            assert_eq!(lets(statement(action, "111111111111"), invoke, root), expected, "{action}");
        }
        let some = |text: &str| Some(text.to_owned());
        for conditional in [
            Statement { source_arn: some("*"), ..statement(invoke, "*") },
            Statement { source_account: some("111111111111"), ..statement(invoke, "*") },
            Statement { principal_org_id: some("o-1234567890"), ..statement(invoke, "*") },
            Statement { event_source_token: some("t"), ..statement(invoke, "*") },
            Statement { function_url_auth_type: some("NONE"), ..statement(invoke, "*") },
            Statement { invoked_via_function_url: Some(true), ..statement(invoke, "*") },
        ] {
            assert!(!lets(conditional.clone(), invoke, root), "{conditional:?}");
        }
    }

    #[test]
    fn an_account_that_is_named_hands_on_by_policies_of_its_own() {
        let session = |may_call| UrlCaller::Signer {
            account: "000000000000",
            principal: "arn:aws:sts::000000000000:assumed-role/r/s",
            may_call,
        };
        for (principal, allowed, not_mentioned) in [
            ("*", true, true),
            ("arn:aws:iam::000000000000:role/p/r", true, true),
            ("arn:aws:sts::000000000000:assumed-role/r/s", true, true),
            ("000000000000", true, false),
            ("arn:aws:iam::000000000000:root", true, false),
            ("arn:aws:iam::000000000000:role/r", true, true),
            ("arn:aws:iam::000000000000:role/p/r2", false, false),
            ("arn:aws:sts::000000000000:assumed-role/r/t", false, false),
            ("111111111111", false, false),
        ] {
            let statements =
                ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"].map(|it| statement(it, principal));
            let policy = Policy { statements: statements.to_vec() };
            assert_eq!(policy.allows_url(session(true)), allowed, "{principal}");
            assert_eq!(policy.allows_url(session(false)), not_mentioned, "{principal}");
        }
    }

    #[test]
    fn stars_stand_for_any_text() {
        let arn = "arn:aws:execute-api:us-east-1:000000000000:abc/prod/GET/pets";
        for (pattern, expected) in [
            ("arn:aws:execute-api:us-east-1:000000000000:abc/*/*/*", true),
            ("arn:aws:execute-api:us-east-1:000000000000:abc/prod/GET/pets", true),
            ("arn:aws:execute-api:us-east-1:000000000000:abc/*/POST/pets", false),
            ("arn:aws:execute-api:us-east-1:000000000000:xyz/*", false),
            ("*", true),
            ("", false),
        ] {
            assert_eq!(is_like(pattern, arn), expected, "{pattern}");
        }
    }
}

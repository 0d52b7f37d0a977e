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

/// IAM's `ArnLike`: `*` stands for any text, `?` for one character.
fn is_like(pattern: &str, text: &str) -> bool {
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

//! Resource policies: who may call an API at all.

use serde_json::Value;

use crate::Error;

/// Longest policy, bytes. Source: API Gateway quotas.
const POLICY_BYTES: usize = 8192;

/// Checks a policy's form and answers it without white space. Whom it lets in is decided when requests come.
pub fn parse(text: &str) -> Result<String, Error> {
    if text.len() > POLICY_BYTES {
        return Err(Error::PolicyTooLong(POLICY_BYTES));
    }
    let policy: Value = serde_json::from_str(text).map_err(|_| Error::Policy)?;
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Err(Error::Policy),
    };
    let is_version = |version: &Value| version == "2012-10-17" || version == "2008-10-17";
    if !policy.get("Version").is_none_or(is_version) || !statements.into_iter().all(is_statement) {
        return Err(Error::Policy);
    }
    Ok(policy.to_string())
}

fn is_statement(statement: &Value) -> bool {
    let has_one = |names: [&str; 2]| names.iter().filter(|name| statement.get(**name).is_some()).count() == 1;
    let effect = statement.get("Effect").and_then(Value::as_str);
    matches!(effect, Some("Allow" | "Deny"))
        && has_one(["Principal", "NotPrincipal"])
        && has_one(["Action", "NotAction"])
        && has_one(["Resource", "NotResource"])
}

/// A policy as callers get it: escaped once more than JSON asks for. Tools undo that.
pub fn escaped(policy: &str) -> String {
    let quoted = Value::from(policy).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_has_statements() {
        let statement = r#"{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}"#;
        let whole = format!("{{\"Version\": \"2012-10-17\", \"Statement\": [{statement}]}}");
        let parsed = parse(&whole).expect("a policy");
        assert!(parsed.starts_with("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\""));
        assert!(escaped(&parsed).starts_with("{\\\"Version\\\":"));
        assert!(parse(&format!("{{\"Statement\": {statement}}}")).is_ok());
        let long = format!("{{\"Statement\": {statement}, \"Id\": \"{}\"}}", "x".repeat(POLICY_BYTES));
        for bad in [
            "",
            "{}",
            "[]",
            "{\"Statement\": [1]}",
            "{\"Version\": \"1\", \"Statement\": []}",
            &whole.replace("Allow", "Perhaps"),
            &whole.replace("Principal", "Prince"),
            &long,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

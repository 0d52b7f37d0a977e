//! The resource policy of a function, a version or an alias, as IAM's document language writes it.

use pitbird_names::Account;
use pitbird_records::FunctionPolicy;
use pitbird_records::function_policy::Statement;
use serde_json::{Map, Value, json};

use crate::find::Records;
use crate::{Error, Target, revision};

/// A policy's document, bytes. Source: Lambda quotas.
const DOCUMENT_BYTES_MAX: usize = 20_480;

/// Who may be named in a statement: everybody, an account, a user or role, a service.
enum Principal<'a> {
    Everybody,
    Account(Account),
    Arn(&'a str),
    Service(&'a str),
}

impl<'a> Principal<'a> {
    fn parse(text: &'a str) -> Result<Principal<'a>, Error> {
        if text == "*" {
            return Ok(Principal::Everybody);
        }
        if let Some(account) = Account::parse(text) {
            return Ok(Principal::Account(account));
        }
        if let Some(arn) = pitbird_names::arn::parse(text) {
            let is_known = matches!(arn.service, "iam" | "sts") && Account::parse(arn.account).is_some();
            return if is_known { Ok(Principal::Arn(text)) } else { Err(Error::Principal) };
        }
        let is_service = text.ends_with(".amazonaws.com") || text.ends_with(".amazon.com");
        let is_host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
        if is_service && text.bytes().all(is_host) {
            Ok(Principal::Service(text))
        } else {
            Err(Error::Principal)
        }
    }

    fn document(&self) -> Value {
        match self {
            Principal::Everybody => json!("*"),
            Principal::Account(account) => json!({"AWS": format!("arn:aws:iam::{account}:root")}),
            Principal::Arn(arn) => json!({"AWS": arn}),
            Principal::Service(service) => json!({"Service": service}),
        }
    }
}

/// Holds a statement against the rules before it is stored.
pub fn check(statement: &Statement) -> Result<(), Error> {
    Principal::parse(&statement.principal)?;
    if statement.function_url_auth_type.is_some() && statement.action != "lambda:InvokeFunctionUrl" {
        return Err(Error::UrlAuthTypeAction);
    }
    Ok(())
}

/// Does the caller know the latest revision, if he cares? A policy has none of its own but that of what it belongs to.
pub fn check_revision(records: &impl Records, target: &Target, asked: Option<&str>) -> Result<(), Error> {
    let current = revision::of(records, target)?;
    match asked {
        Some(asked) if asked != current => Err(Error::Revision("GetPolicy")),
        _ => Ok(()),
    }
}

/// Adds a statement, within the bounds of a policy. `resource` is the ARN of what the policy belongs to.
pub fn add(policy: &mut FunctionPolicy, statement: Statement, resource: &str) -> Result<(), Error> {
    if policy.statements.iter().any(|known| known.sid == statement.sid) {
        return Err(Error::StatementExists(statement.sid));
    }
    policy.statements.push(statement);
    let size = document(policy, resource).len();
    let limit = DOCUMENT_BYTES_MAX;
    if size > limit { Err(Error::PolicyLength { size, limit }) } else { Ok(()) }
}

/// Takes a statement out.
pub fn remove(policy: &mut FunctionPolicy, sid: &str) -> Result<(), Error> {
    let before = policy.statements.len();
    policy.statements.retain(|statement| statement.sid != sid);
    if policy.statements.len() == before { Err(Error::UnknownStatement(sid.to_owned())) } else { Ok(()) }
}

/// The whole policy as JSON text.
pub fn document(policy: &FunctionPolicy, resource: &str) -> String {
    let statements: Vec<Value> =
        policy.statements.iter().map(|statement| statement_document(statement, resource)).collect();
    json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}).to_string()
}

/// One statement as JSON; its members' order is Lambda's.
pub fn statement_document(statement: &Statement, resource: &str) -> Value {
    let principal = Principal::parse(&statement.principal);
    let mut document = Map::new();
    document.insert("Sid".into(), json!(statement.sid));
    document.insert("Effect".into(), json!("Allow"));
    document.insert("Principal".into(), principal.map_or(Value::Null, |principal| principal.document()));
    document.insert("Action".into(), json!(statement.action));
    document.insert("Resource".into(), json!(resource));
    let conditions = conditions(statement);
    if !conditions.is_empty() {
        document.insert("Condition".into(), conditions.into());
    }
    document.into()
}

fn conditions(statement: &Statement) -> Map<String, Value> {
    let url_only = statement.invoked_via_function_url.map(|only| only.to_string());
    let mut conditions = Map::new();
    for (operator, key, value) in [
        ("StringEquals", "AWS:SourceAccount", &statement.source_account),
        ("StringEquals", "aws:PrincipalOrgID", &statement.principal_org_id),
        ("StringEquals", "lambda:FunctionUrlAuthType", &statement.function_url_auth_type),
        ("StringEquals", "lambda:EventSourceToken", &statement.event_source_token),
        ("Bool", "lambda:InvokedViaFunctionUrl", &url_only),
        ("ArnLike", "AWS:SourceArn", &statement.source_arn),
    ] {
        let Some(value) = value else { continue };
        let tests = conditions.entry(operator).or_insert_with(|| Map::new().into());
        tests[key] = json!(value);
    }
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    fn statement(sid: &str, principal: &str) -> Statement {
        let (sid, principal) = (sid.to_owned(), principal.to_owned());
        Statement { sid, action: "lambda:InvokeFunction".to_owned(), principal, ..Statement::default() }
    }

    fn policy() -> FunctionPolicy {
        let function = "f".to_owned();
        FunctionPolicy { scope: Default::default(), function, qualifier: None, statements: vec![] }
    }

    #[test]
    fn a_statement_is_written_as_lambda_writes_it() {
        let source_arn = Some("arn:aws:execute-api:us-east-1:000000000000:abc/*/GET/pets".to_owned());
        let gateway = Statement { source_arn, ..statement("api", "apigateway.amazonaws.com") };
        assert_eq!(
            statement_document(&gateway, ARN).to_string(),
            r#"{"Sid":"api","Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:000000000000:function:f","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:execute-api:us-east-1:000000000000:abc/*/GET/pets"}}}"#
        );
    }

    #[test]
    fn every_condition_has_its_operator() {
        let all = Statement {
            source_arn: Some("arn:aws:s3:::b".to_owned()),
            source_account: Some("111111111111".to_owned()),
            principal_org_id: Some("o-1234567890".to_owned()),
            event_source_token: Some("t".to_owned()),
            function_url_auth_type: Some("NONE".to_owned()),
            invoked_via_function_url: Some(true),
            ..statement("s", "*")
        };
        assert_eq!(
            statement_document(&all, ARN)["Condition"],
            json!({
                "StringEquals": {
                    "AWS:SourceAccount": "111111111111",
                    "aws:PrincipalOrgID": "o-1234567890",
                    "lambda:FunctionUrlAuthType": "NONE",
                    "lambda:EventSourceToken": "t",
                },
                "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
                "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"},
            })
        );
    }

    #[test]
    fn principals_are_services_accounts_arns_or_everybody() {
        let role = "arn:aws:iam::111111111111:role/r";
        for (principal, document) in [
            ("*", json!("*")),
            ("111111111111", json!({"AWS": "arn:aws:iam::111111111111:root"})),
            (role, json!({"AWS": role})),
            ("s3.amazonaws.com", json!({"Service": "s3.amazonaws.com"})),
            ("alexa-appkit.amazon.com", json!({"Service": "alexa-appkit.amazon.com"})),
        ] {
            assert!(check(&statement("s", principal)).is_ok(), "{principal}");
            assert_eq!(statement_document(&statement("s", principal), ARN)["Principal"], document);
        }
        for principal in ["", "me", "12", "s3.example.com", "S3.amazonaws.com", "arn:aws:s3:::b"] {
            assert!(matches!(check(&statement("s", principal)), Err(Error::Principal)), "{principal}");
        }
    }

    #[test]
    fn a_policy_has_bounds_and_distinct_statements() {
        let mut policy = policy();
        add(&mut policy, statement("s", "*"), ARN).expect("the first");
        assert!(matches!(add(&mut policy, statement("s", "*"), ARN), Err(Error::StatementExists(_))));
        assert!(matches!(remove(&mut policy, "t"), Err(Error::UnknownStatement(_))));
        let filled = (0..1000).find_map(|n| add(&mut policy, statement(&n.to_string(), "*"), ARN).err());
        assert!(matches!(filled, Some(Error::PolicyLength { limit: 20_480, .. })), "{filled:?}");
    }
}

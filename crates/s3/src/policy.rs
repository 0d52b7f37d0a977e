//! Bucket policies: those that can be obeyed, which are those that change nothing for anybody who can call here.
//!
//! A bucket is its account's alone, within which the policies of users and roles decide. A statement that allows something to an AWS
//! service, or to the bucket's own account, says nothing beyond that. A statement that denies, or one about anybody else, would
//! have to be asked at each call: it is refused by name.

use pitbird_names::Account;
use pitbird_records::Bucket;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::Error;

/// Longest policy, bytes. Source: S3 user guide, "Bucket policies": 20 KB.
const BYTES_MAX: usize = 20 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    #[serde(rename = "Version")]
    _version: Option<IgnoredAny>,
    #[serde(rename = "Id")]
    _id: Option<IgnoredAny>,
    statement: Option<Value>,
}

/// A bucket's policy, or that there is none.
pub fn of(bucket: Bucket) -> Result<String, Error> {
    let Bucket { name, settings, .. } = bucket;
    settings.policy.ok_or(Error::NotSet("NoSuchBucketPolicy", "The bucket policy does not exist", name))
}

/// Is a policy one, and can it be obeyed? `account` is the owner's.
pub fn check(text: &str, bucket: &str, account: &Account) -> Result<(), Error> {
    if text.len() > BYTES_MAX {
        return Err(Error::MalformedPolicy("Policies must not be larger than 20480 bytes"));
    }
    let no_policy = Error::MalformedPolicy("Policies must be valid JSON and the first byte must be '{'");
    if !text.starts_with('{') {
        return Err(no_policy);
    }
    let document: Value = serde_json::from_str(text).map_err(|_| no_policy)?;
    let unknown = |_| Error::MalformedPolicy("Policy has an unknown field");
    let document: Document = serde_json::from_value(document).map_err(unknown)?;
    let statements = match document.statement {
        Some(Value::Array(statements)) => statements,
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => Vec::new(),
    };
    if statements.is_empty() {
        return Err(missing("Statement"));
    }
    statements.iter().try_for_each(|statement| match statement {
        Value::Object(statement) => check_statement(statement, bucket, account),
        _ => Err(Error::MalformedPolicy("Policy has a statement that is no object")),
    })
}

fn missing(field: &'static str) -> Error {
    Error::MalformedPolicy(match field {
        "Statement" => "Missing required field Statement",
        "Effect" => "Missing required field Effect",
        "Principal" => "Missing required field Principal",
        "Action" => "Missing required field Action",
        _ => "Missing required field Resource",
    })
}

fn check_statement(statement: &Map<String, Value>, bucket: &str, account: &Account) -> Result<(), Error> {
    for (field, value) in statement {
        match field.as_str() {
            "Sid" | "Effect" | "Principal" | "Action" | "Resource" => {}
            "Condition" if value.is_object() => {}
            "NotPrincipal" | "NotAction" | "NotResource" => {
                return Err(Error::Unsupported(format!("A bucket policy's {field}")));
            }
            _ => return Err(Error::MalformedPolicy("Policy has an unknown field")),
        }
    }
    let member = |name: &'static str| statement.get(name).ok_or_else(|| missing(name));
    let effect = member("Effect")?;
    let actions = texts(member("Action")?).ok_or(Error::MalformedPolicy("Policy has invalid action"))?;
    if !actions.iter().all(|action| *action == "*" || action.to_ascii_lowercase().starts_with("s3:")) {
        return Err(Error::MalformedPolicy("Policy has invalid action"));
    }
    let invalid = || Error::MalformedPolicy("Policy has invalid resource");
    let resources = texts(member("Resource")?).ok_or_else(invalid)?;
    if !resources.iter().all(|resource| is_of(resource, bucket)) {
        return Err(invalid());
    }
    check_principal(member("Principal")?, account)?;
    match effect.as_str() {
        Some("Allow") => Ok(()),
        Some("Deny") => Err(Error::Unsupported("A bucket policy's Effect Deny".to_owned())),
        _ => Err(Error::MalformedPolicy("Policy has invalid effect")),
    }
}

/// The bucket itself or what is in it.
fn is_of(resource: &str, bucket: &str) -> bool {
    let rest = resource.strip_prefix("arn:aws:s3:::").and_then(|named| named.strip_prefix(bucket));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*']))
}

fn check_principal(principal: &Value, account: &Account) -> Result<(), Error> {
    let invalid = || Error::MalformedPolicy("Invalid principal in policy");
    let refused = |what: &str| Error::Unsupported(format!("A bucket policy's Principal {what}"));
    let kinds = match principal {
        Value::Object(kinds) if !kinds.is_empty() => kinds,
        Value::String(everybody) if everybody == "*" => return Err(refused("*")),
        _ => return Err(invalid()),
    };
    let root = format!("arn:aws:iam::{account}:root");
    for (kind, named) in kinds {
        let named = texts(named).ok_or_else(invalid)?;
        match kind.as_str() {
            "Service" => {}
            "AWS" => {
                let other = named.iter().find(|name| **name != root && **name != account.as_str());
                other.map_or(Ok(()), |name| Err(refused(name)))?;
            }
            "CanonicalUser" | "Federated" => return Err(refused(kind)),
            _ => return Err(invalid()),
        }
    }
    Ok(())
}

/// One text or some, but not none.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(texts) if !texts.is_empty() => texts.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What becomes of a policy with a statement that differs from a good one in these members; null takes one away.
    fn checked(changes: Value) -> Result<(), String> {
        let mut statement = json!({
            "Effect": "Allow", "Principal": {"Service": "serverlessrepo.amazonaws.com"}, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::bbb/*", "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}},
        });
        for (name, value) in changes.as_object().unwrap() {
            statement[name] = value.clone();
        }
        statement.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        text(&json!({"Version": "2012-10-17", "Statement": [statement]}).to_string())
    }

    fn text(text: &str) -> Result<(), String> {
        check(text, "bbb", &Account::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_changes_nothing_is_taken() {
        for changes in [
            json!({}),
            json!({"Sid": "1", "Condition": null}),
            json!({"Principal": {"AWS": "000000000000", "Service": ["a.amazonaws.com", "b.amazonaws.com"]}}),
            json!({"Principal": {"AWS": ["arn:aws:iam::000000000000:root"]}, "Action": ["S3:*", "*"]}),
            json!({"Resource": ["arn:aws:s3:::bbb", "arn:aws:s3:::bbb/a/*", "arn:aws:s3:::bbb*"]}),
        ] {
            assert_eq!(checked(changes.clone()), Ok(()), "{changes}");
        }
        let one = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "s3:*", "Resource": "arn:aws:s3:::bbb"}}"#;
        assert_eq!(text(one), Ok(()));
    }

    #[test]
    fn what_would_have_to_be_asked_is_refused_by_name() {
        for (changes, named) in [
            (json!({"Effect": "Deny"}), "Effect Deny"),
            (json!({"Principal": "*"}), "Principal *"),
            (json!({"Principal": {"AWS": "*"}}), "Principal *"),
            (json!({"Principal": {"AWS": ["000000000000", "123456789012"]}}), "Principal 123456789012"),
            (
                json!({"Principal": {"AWS": "arn:aws:iam::000000000000:role/r"}}),
                "Principal arn:aws:iam::000000000000:role/r",
            ),
            (json!({"Principal": {"Federated": "x"}}), "Principal Federated"),
            (json!({"Principal": null, "NotPrincipal": {"AWS": "000000000000"}}), "NotPrincipal"),
            (json!({"Action": null, "NotAction": "s3:GetObject"}), "NotAction"),
            (json!({"Resource": null, "NotResource": "arn:aws:s3:::bbb"}), "NotResource"),
        ] {
            let words = checked(changes).unwrap_err();
            assert!(
                words.contains(named) && words.contains("refused rather than ignored"),
                "{named}: {words}"
            );
        }
    }

    #[test]
    fn what_is_no_policy_is_malformed() {
        for (changes, words) in [
            (json!({"Effect": null}), "Missing required field Effect"),
            (json!({"Principal": null}), "Missing required field Principal"),
            (json!({"Action": null}), "Missing required field Action"),
            (json!({"Resource": null}), "Missing required field Resource"),
            (json!({"Effect": "Perhaps"}), "Policy has invalid effect"),
            (json!({"Action": "lambda:InvokeFunction"}), "Policy has invalid action"),
            (json!({"Action": []}), "Policy has invalid action"),
            (json!({"Resource": "arn:aws:s3:::bbbb"}), "Policy has invalid resource"),
            (json!({"Resource": "*"}), "Policy has invalid resource"),
            (json!({"Principal": {}}), "Invalid principal in policy"),
            (json!({"Principal": {"AWS": 1}}), "Invalid principal in policy"),
            (json!({"Condition": "x"}), "Policy has an unknown field"),
            (json!({"Effects": "Allow"}), "Policy has an unknown field"),
        ] {
            assert_eq!(checked(changes.clone()), Err(words.to_owned()), "{changes}");
        }
        let json = "Policies must be valid JSON and the first byte must be '{'";
        for (bad, words) in [
            ("", json),
            (" {}", json),
            ("{", json),
            ("[]", json),
            ("{}", "Missing required field Statement"),
            (r#"{"Statement": []}"#, "Missing required field Statement"),
            (r#"{"Statement": [1]}"#, "Policy has a statement that is no object"),
            (r#"{"Statement": [], "More": 1}"#, "Policy has an unknown field"),
        ] {
            assert_eq!(text(bad), Err(words.to_owned()), "{bad}");
        }
    }

    #[test]
    fn a_policy_has_a_bound() {
        let sized = |length: usize| {
            let policy = |sid: &str| {
                json!({"Statement": [{"Sid": sid, "Effect": "Allow", "Principal": {"AWS": "000000000000"},
                    "Action": "s3:*", "Resource": "arn:aws:s3:::bbb"}]})
                .to_string()
            };
            text(&policy(&"s".repeat(length - policy("").len())))
        };
        assert_eq!(sized(BYTES_MAX), Ok(()));
        assert!(sized(BYTES_MAX + 1).is_err());
        assert!(text(&"{\"a\":".repeat(4000)).is_err(), "depth costs no stack");
    }
}

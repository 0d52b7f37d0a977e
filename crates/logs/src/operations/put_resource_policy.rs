use std::sync::Arc;

use pitbird_records::{LogPolicy, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::describe_resource_policies::Described;
use crate::{Error, State};

/// Policies of one account and region. Source: PutResourcePolicy.
const POLICIES_MAX: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    policy_name: Option<String>,
    policy_document: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    resource_policy: Described,
}

/// Makes a policy or changes it. Whatever writes logs here may do so without one, so permissions change nothing; denials,
/// which would have to be obeyed, are refused.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let name = input.policy_name.filter(|name| !name.is_empty()).ok_or(Error::PolicyName)?;
    let document = input.policy_document.unwrap_or_default();
    check(&document)?;
    let policy = LogPolicy { scope: caller.scope, name, document, updated_ms: now_ms };
    let written = policy.clone();
    let put = move |tx: &mut Transaction<'_>| {
        let others = tx.count::<LogPolicy>(&LogPolicy::prefix_of(&written.scope))?;
        if others >= POLICIES_MAX && !tx.exists::<LogPolicy>(&written.key())? {
            return Err(Error::Limit);
        }
        tx.put(&written)?;
        Ok(())
    };
    state.store.write(put).await?;
    Ok(Output { resource_policy: policy.into() })
}

/// Is it a policy, and one that permits only?
fn check(document: &str) -> Result<(), Error> {
    let malformed = |words: &str| Error::PolicyDocument(words.to_owned());
    let document: Json = serde_json::from_str(document).map_err(|_| malformed("it is not JSON"))?;
    let statements = match document.get("Statement") {
        Some(Json::Array(statements)) => statements.as_slice(),
        Some(statement @ Json::Object(_)) => std::slice::from_ref(statement),
        _ => return Err(malformed("it has no Statement")),
    };
    for statement in statements {
        match statement.get("Effect").and_then(Json::as_str) {
            Some("Allow") => {}
            Some("Deny") => return Err(Error::unsupported("Deny in a resource policy of CloudWatch Logs")),
            _ => return Err(malformed("Effect is neither Allow nor Deny")),
        }
        for member in ["Principal", "Action", "Resource"] {
            if statement.get(member).is_none() {
                return Err(malformed(&format!("a statement has no {member}")));
            }
        }
    }
    Ok(())
}

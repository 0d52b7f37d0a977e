use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::{ApiKey, UsagePlan, UsagePlanKey, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::Blob;
use serde::{Deserialize, Serialize};

use crate::api_key::{self, KEYS_MAX, csv};
use crate::find::Records;
use crate::{Error, State, find, usage_plan};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    body: Blob,
    format: String,
    fail_on_warnings: Option<bool>,
}

#[derive(Debug, Serialize)]
pub struct Output {
    ids: Vec<String>,
    warnings: Vec<String>,
}

/// Makes keys of a file's lines. A line that makes no key is a warning, and on demand a reason to make none at all.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    if input.format != "csv" {
        return Err(Error::unsupported(format!("format {}", input.format)).into());
    }
    let lines = csv::parse(&input.body.0)?;
    let fails = input.fail_on_warnings.unwrap_or_default();
    let entropy = state.entropy;
    let import = move |tx: &mut Transaction<'_>| {
        let mut keys: Vec<ApiKey> = Records::list(tx, &prefix(&caller.scope, &[]))?;
        let mut output = Output { ids: Vec::new(), warnings: Vec::new() };
        for (at, line) in lines.into_iter().enumerate() {
            if keys.len() >= KEYS_MAX {
                return Err(Error::TooMany { what: "API keys for this account", limit: KEYS_MAX });
            }
            match make(tx, &caller.scope, line, &keys, entropy, now_ms) {
                Ok(key) => {
                    output.ids.push(key.id.clone());
                    keys.push(key);
                }
                Err(error @ Error::Store(_)) => return Err(error),
                Err(error) if fails => return Err(Error::Csv(format!("line {}: {error}", at + 2))),
                Err(error) => output.warnings.push(format!("line {}: {error}", at + 2)),
            }
        }
        Ok(output)
    };
    Ok(state.store.write(import).await?)
}

fn make(
    tx: &mut Transaction<'_>,
    scope: &Scope,
    line: csv::Line,
    others: &[ApiKey],
    entropy: fn() -> u128,
    now_ms: i64,
) -> Result<ApiKey, Error> {
    let value = line.value.ok_or(Error::ApiKeyShort)?;
    api_key::check_value(&value, others)?;
    let id = find::unused_id::<ApiKey>(tx, scope, &[], 10, entropy)?;
    let mut key = api_key::fresh(scope, id, entropy, now_ms);
    (key.value, key.name, key.description, key.enabled) = (value, line.name, line.description, line.enabled);
    let mut places = Vec::new();
    let mut plans: Vec<UsagePlan> = Vec::new();
    for plan_id in line.usage_plan_ids {
        let plan = usage_plan::plan(tx, scope, &plan_id)?;
        plans.iter().try_for_each(|other| usage_plan::check_apart(&plan, other, &key.id))?;
        plans.push(plan.clone());
        places.push(UsagePlanKey { scope: scope.clone(), plan_id: plan.id, key_id: key.id.clone() });
    }
    tx.put(&key)?;
    for place in places {
        tx.put(&place)?;
    }
    Ok(key)
}

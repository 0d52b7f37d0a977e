use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use pitbird_records::{FunctionPolicy, Record};
use pitbird_store::Transaction;

use crate::view::Nothing;
use crate::{Error, State, Target, find, policy, revision};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    statement_id: String,
    qualifier: Option<String>,
    revision_id: Option<String>,
}

/// Takes a permission back; a policy goes with its last statement.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let qualifier = input.qualifier.as_deref();
    let target = Target::parse(&state.store, &caller, "RemovePermission", &input.function_name, qualifier)?;
    let revision_id = state.revision();
    let remove = move |tx: &mut Transaction<'_>| {
        find::version(tx, &target)?;
        let mut policy = find::policy(tx, &target)?.ok_or(Error::NoPolicy)?;
        policy::check_revision(tx, &target, input.revision_id.as_deref())?;
        policy::remove(&mut policy, &input.statement_id)?;
        match policy.statements.is_empty() {
            true => tx.delete::<FunctionPolicy>(&policy.key()).map(drop)?,
            false => tx.put(&policy).map(drop)?,
        }
        revision::renew(tx, &target, revision_id)
    };
    state.store.write(remove).await?;
    Ok(Nothing {})
}

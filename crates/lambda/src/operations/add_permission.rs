use std::sync::Arc;

use pitbird_names::Qualifier;
use pitbird_records::FunctionPolicy;
use pitbird_records::function_policy::Statement;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::{Error, State, Target, find, policy, revision};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
    statement_id: String,
    action: String,
    principal: String,
    source_arn: Option<String>,
    source_account: Option<String>,
    event_source_token: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    function_url_auth_type: Option<String>,
    invoked_via_function_url: Option<bool>,
    revision_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    /// JSON text.
    statement: String,
}

/// Lets somebody use a function, a version or an alias.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::parse(
        &state.store,
        &caller,
        "AddPermission",
        &input.function_name,
        input.qualifier.as_deref(),
    )?;
    if target.qualifier == Some(Qualifier::LATEST) {
        return Err(Error::PolicyOnLatest.into());
    }
    let statement = Statement {
        sid: input.statement_id,
        action: input.action,
        principal: input.principal,
        source_arn: input.source_arn,
        source_account: input.source_account,
        principal_org_id: input.principal_org_id,
        event_source_token: input.event_source_token,
        function_url_auth_type: input.function_url_auth_type,
        invoked_via_function_url: input.invoked_via_function_url,
    };
    policy::check(&statement)?;
    let document = policy::statement_document(&statement, &target.arn()).to_string();
    let (revision_id, asked) = (state.revision(), input.revision_id);
    let add = move |tx: &mut Transaction<'_>| {
        policy::check_revision(tx, &target, asked.as_deref())?;
        let mut policy = find::policy(tx, &target)?.unwrap_or_else(|| new_policy(&target));
        policy::add(&mut policy, statement, &target.arn())?;
        tx.put(&policy)?;
        revision::renew(tx, &target, revision_id)
    };
    state.store.write(add).await?;
    Ok(Output { statement: document })
}

fn new_policy(target: &Target) -> FunctionPolicy {
    FunctionPolicy {
        scope: target.scope.clone(),
        function: target.name.clone(),
        qualifier: target.qualifier.as_ref().map(Qualifier::to_string),
        statements: Vec::new(),
    }
}

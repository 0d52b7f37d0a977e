use std::sync::Arc;

use pitbird_records::{ManagedPolicy, Record};
use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::operations::own_policy;
use crate::policy::{Use, Uses};
use crate::shape::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut pitbird_store::Transaction<'_>| {
        let policy = own_policy(tx, &caller, "DeletePolicy", &input.policy_arn)?;
        if Uses::read(tx, &policy.account)?.of(&input.policy_arn) != Use::default() {
            return Err(Error::PolicyAttached);
        }
        if policy.versions.len() > 1 {
            return Err(Error::PolicyHasVersions);
        }
        tx.delete::<ManagedPolicy>(&policy.key())?;
        Ok(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

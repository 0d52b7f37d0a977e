use std::sync::Arc;

use pitbird_records::{DeployConfig, DeployGroup, key, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{Error, State, name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_config_name: String,
}

/// One that isn't there is deleted already.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    let Call { caller, input, .. } = call;
    let name = input.deployment_config_name;
    name::config(&name)?;
    if name.starts_with(name::RESERVED) {
        let words = "A predefined deployment configuration can't be deleted.";
        return Err(Error::invalid("InvalidOperationException", words).into());
    }
    let delete = move |tx: &mut Transaction<'_>| {
        let groups = tx.list::<DeployGroup>(&prefix(&caller.scope, &[]))?;
        if groups.iter().any(|group| group.record.config == name) {
            return Err(Error::ConfigInUse(name));
        }
        tx.delete::<DeployConfig>(&key(&caller.scope, &[&name]))?;
        Ok::<_, Error>(())
    };
    Ok(state.parts.store.write(delete).await?)
}

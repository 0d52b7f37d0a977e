use std::sync::Arc;

use pitbird_records::{DeployApplication, FunctionDeployment, Record, key, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::{Error, State, find, name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: Option<String>,
    new_application_name: Option<String>,
}

/// Gives an application another name. What belongs to it goes with it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(), Fault> {
    let Call { caller, input, .. } = call;
    let (old, new) =
        (input.application_name.unwrap_or_default(), input.new_application_name.unwrap_or_default());
    name::application(&new)?;
    let rename = move |tx: &mut Transaction<'_>| {
        let scope = caller.scope;
        let mut application = find::application(tx, &scope, &old)?;
        if old == new {
            return Ok(());
        }
        if tx.exists::<DeployApplication>(&key(&scope, &[&new]))? {
            return Err(Error::ApplicationTaken(new));
        }
        tx.delete::<DeployApplication>(&application.key())?;
        application.name = new.clone();
        tx.put(&application)?;
        for found in tx.list::<FunctionDeployment>(&prefix(&scope, &[]))? {
            let mut deployment = found.record;
            if deployment.application_id == application.id {
                deployment.application = new.clone();
                tx.put(&deployment)?;
            }
        }
        Ok::<_, Error>(())
    };
    Ok(state.parts.store.write(rename).await?)
}

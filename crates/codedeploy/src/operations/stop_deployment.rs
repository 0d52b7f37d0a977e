use std::sync::Arc;

use pitbird_records::{DeployGroup, FunctionDeployment, Record, key};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::commit::{self, Lost, Revs};
use crate::{Error, State, name, turn};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    deployment_id: String,
    auto_rollback_enabled: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    status: &'static str,
    status_message: &'static str,
}

/// Source: AWS CLI reference, `stop-deployment`.
const MESSAGE: &str = "No more commands will be scheduled for execution in the deployment instances";

/// The deployment has stopped when this answers; the rollback, if there is one, is a deployment of its own.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    name::deployment(Some(&input.deployment_id))?;
    let now_ms = (state.parts.clock)();
    let (draw, notices) = ((state.parts.entropy)(), (state.parts.entropy)());
    let stop = move |tx: &mut Transaction<'_>| {
        let unknown = || Error::UnknownDeployment(input.deployment_id.clone());
        let found = tx.get::<FunctionDeployment>(&key(&caller.scope, &[&input.deployment_id]))?;
        let found = found.ok_or_else(unknown)?;
        let deployment = found.record;
        if deployment.has_ended() {
            return Err(Error::Completed(input.deployment_id));
        }
        let group = key(&caller.scope, &[&deployment.application_id, &deployment.group]);
        let has_group = tx.exists::<DeployGroup>(&group)?;
        let turn = turn::stop(&deployment, input.auto_rollback_enabled, has_group, now_ms, draw);
        let revs = Revs { deployment: found.rev, alias: None };
        match commit::turn(tx, &turn, revs, notices) {
            Ok(()) => Ok(turn),
            Err(Lost::Store(error)) => Err(Error::Store(error)),
            Err(Lost::Stale) => unreachable!("a transaction sees nobody else's writes"),
        }
    };
    let turn = state.parts.store.write(stop).await?;
    state.drivers.ring(&turn.deployment);
    if let Some(rollback) = &turn.rollback {
        state.drivers.drive(rollback.key()).await;
    }
    Ok(Output { status: "Succeeded", status_message: MESSAGE })
}

use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::stage::{AccessLogSettings, RouteSettings, Settings};
use crate::{State, deployment, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    stage_name: String,
    deployment_id: Option<String>,
    access_log_settings: Option<AccessLogSettings>,
    auto_deploy: Option<bool>,
    default_route_settings: Option<RouteSettings>,
    description: Option<String>,
    route_settings: Option<BTreeMap<String, RouteSettings>>,
    stage_variables: Option<Texts>,
}

/// Changes a stage. One that begins to deploy by itself does so at once.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Stage, Fault> {
    let entropy = state.entropy;
    let update = move |tx: &mut Transaction<'_>| {
        let Call { caller, input, now_ms, .. } = call;
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let mut stage = find::stage(tx, &api, &input.stage_name)?;
        let deployed_itself = stage.auto_deploy;
        let settings = Settings {
            access_log_settings: input.access_log_settings,
            auto_deploy: input.auto_deploy,
            default_route_settings: input.default_route_settings,
            description: input.description,
            route_settings: input.route_settings,
            stage_variables: input.stage_variables,
        };
        settings.apply(tx, &api, &mut stage)?;
        super::aim(tx, &api, &mut stage, input.deployment_id)?;
        stage.updated_ms = now_ms;
        tx.put(&stage)?;
        if stage.auto_deploy && !deployed_itself {
            deployment::settle(tx, &api, entropy, now_ms)?;
        }
        find::stage(tx, &api, &stage.name)
    };
    Ok(state.store.write(update).await?.into())
}

use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::stage::{self, AccessLogSettings, RouteSettings, STAGES_MAX, Settings};
use crate::{Error, State, deployment, find, shape, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    stage_name: String,
    deployment_id: Option<String>,
    tags: Option<Texts>,
    access_log_settings: Option<AccessLogSettings>,
    auto_deploy: Option<bool>,
    default_route_settings: Option<RouteSettings>,
    description: Option<String>,
    route_settings: Option<BTreeMap<String, RouteSettings>>,
    stage_variables: Option<Texts>,
}

/// Makes a stage. One that deploys by itself does so at once.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Stage, Fault> {
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let Call { caller, input, now_ms, .. } = call;
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        stage::check_name(&input.stage_name)?;
        let present = find::stages(tx, &api)?;
        if present.iter().any(|stage| stage.name == input.stage_name) {
            return Err(Error::StageExists);
        }
        if present.len() >= STAGES_MAX {
            return Err(Error::TooMany { what: "stages for this API", limit: STAGES_MAX });
        }
        let mut stage = stage::fresh(&api, &input.stage_name, now_ms);
        stage.tags = input.tags.unwrap_or_default();
        tags::check(&stage.tags)?;
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
        tx.put(&stage)?;
        if stage.auto_deploy {
            deployment::settle(tx, &api, entropy, now_ms)?;
        }
        find::stage(tx, &api, &stage.name)
    };
    Ok(state.store.write(create).await?.into())
}

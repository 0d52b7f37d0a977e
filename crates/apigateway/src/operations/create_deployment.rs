use std::sync::Arc;

use pitbird_names::{Percent, resource_id};
use pitbird_records::{Canary, Deployment, RestApi, Stage, Texts, key};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::stage::{self, STAGES_MAX};
use crate::{Error, State, canary, deployment, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    stage_name: Option<String>,
    stage_description: Option<String>,
    description: Option<String>,
    cache_cluster_enabled: Option<bool>,
    cache_cluster_size: Option<String>,
    variables: Option<Texts>,
    canary_settings: Option<CanarySettings>,
    tracing_enabled: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CanarySettings {
    percent_traffic: Option<f64>,
    stage_variable_overrides: Option<Texts>,
    use_stage_cache: Option<bool>,
}

/// Freezes an API. With a stage's name the stage serves it from then on, and is made if there is none; with canary
/// settings it becomes the stage's canary, in place of any that it had.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Deployment, Fault> {
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let Call { caller, input, now_ms, .. } = call;
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        let id = unused_id(tx, &api, entropy)?;
        let stage = aim(tx, &api, &id, &input, now_ms)?;
        let description = input.description.filter(|text| !text.is_empty());
        let deployment = deployment::freeze(tx, api, id, description, now_ms)?;
        tx.put(&deployment)?;
        stage.map_or(Ok(0), |stage| tx.put(&stage))?;
        Ok::<_, Error>(deployment)
    };
    Ok(shape::Deployment::new(state.store.write(create).await?, false))
}

fn unused_id(tx: &Transaction<'_>, api: &RestApi, entropy: fn() -> u128) -> Result<String, Error> {
    let mut id = resource_id(entropy());
    while tx.exists::<Deployment>(&key(&api.scope, &[&api.id, &id]))? {
        id = resource_id(entropy());
    }
    Ok(id)
}

/// The stage that the deployment is for, as it will be.
fn aim(
    tx: &Transaction<'_>,
    api: &RestApi,
    deployment_id: &str,
    input: &Input,
    now_ms: i64,
) -> Result<Option<Stage>, Error> {
    let name = input.stage_name.as_deref().filter(|name| !name.is_empty());
    let Some(name) = name else {
        let given = input.stage_name.as_deref().unwrap_or("null").to_owned();
        return if input.canary_settings.is_some() {
            Err(Error::CanaryWithoutStage(given))
        } else {
            Ok(None)
        };
    };
    let stages = find::stages(tx, &api.scope, &api.id)?;
    let count = stages.len();
    let existing = stages.into_iter().find(|stage| stage.name == name);
    let mut stage = match (&input.canary_settings, existing) {
        (Some(settings), Some(mut stage)) => {
            // Variables are the stage's; a canary has overrides.
            if input.variables.as_ref().is_some_and(|variables| !variables.is_empty()) {
                return Err(Error::unsupported("variables together with canarySettings"));
            }
            canary::start(&mut stage, settings.canary(deployment_id)?);
            stage
        }
        (Some(_), None) => return Err(Error::CanaryStageMissing(name.to_owned())),
        (None, Some(stage)) if stage.canary.is_some() => return Err(Error::CanaryEnabled(name.to_owned())),
        (None, Some(mut stage)) => {
            deployment_id.clone_into(&mut stage.deployment_id);
            stage
        }
        (None, None) if count >= STAGES_MAX => {
            return Err(Error::TooMany { what: "stages for this API", limit: STAGES_MAX });
        }
        (None, None) => {
            stage::check_name(name)?;
            stage::fresh(&api.scope, &api.id, name, deployment_id, now_ms)
        }
    };
    if let Some(variables) = input.variables.as_ref().filter(|_| input.canary_settings.is_none()) {
        stage::check_variables(variables)?;
        stage.variables.clone_from(variables);
    }
    stage.tracing_enabled = input.tracing_enabled.unwrap_or(stage.tracing_enabled);
    if let Some(description) = input.stage_description.as_ref().filter(|text| !text.is_empty()) {
        stage.description = Some(description.clone());
    }
    stage::cache::set(&mut stage, input.cache_cluster_enabled, input.cache_cluster_size.as_deref())?;
    stage.updated_ms = now_ms;
    Ok(Some(stage))
}

impl CanarySettings {
    fn canary(&self, deployment_id: &str) -> Result<Canary, Error> {
        let percent = self.percent_traffic.unwrap_or_default();
        let overrides = self.stage_variable_overrides.clone().filter(|overrides| !overrides.is_empty());
        overrides.as_ref().map_or(Ok(()), stage::check_variables)?;
        Ok(Canary {
            deployment_id: deployment_id.to_owned(),
            percent_traffic: Percent::new(percent).map_err(|_| Error::Percent(percent.to_string()))?,
            stage_variable_overrides: overrides,
            use_stage_cache: self.use_stage_cache.unwrap_or_default(),
        })
    }
}

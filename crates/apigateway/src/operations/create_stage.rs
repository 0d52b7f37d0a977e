use std::sync::Arc;

use pitbird_names::Percent;
use pitbird_records::{Canary, Deployment, DocumentationVersion, RestApi, Stage, Texts, key};
use pitbird_service::{Call, Fault};
use pitbird_snapshot::Choice;
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::stage::{self, STAGES_MAX};
use crate::{Error, State, canary, find, shape, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    stage_name: String,
    deployment_id: String,
    description: Option<String>,
    cache_cluster_enabled: Option<bool>,
    cache_cluster_size: Option<String>,
    variables: Option<Texts>,
    canary_settings: Option<CanarySettings>,
    tracing_enabled: Option<bool>,
    documentation_version: Option<String>,
    tags: Option<Texts>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CanarySettings {
    percent_traffic: Option<f64>,
    deployment_id: Option<String>,
    stage_variable_overrides: Option<Texts>,
    use_stage_cache: Option<bool>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Stage, Fault> {
    let create = move |tx: &mut Transaction<'_>| {
        let Call { caller, input, now_ms, .. } = call;
        let api = find::api(tx, &caller.scope, &input.rest_api_id)?;
        stage::check_name(&input.stage_name)?;
        let stages = find::stages(tx, &api.scope, &api.id)?;
        if stages.iter().any(|stage| stage.name == input.stage_name) {
            return Err(Error::StageExists);
        }
        if stages.len() >= STAGES_MAX {
            return Err(Error::TooMany { what: "stages for this API", limit: STAGES_MAX });
        }
        let stage = parse(tx, &api, input, now_ms)?;
        tx.put(&stage)?;
        Ok(stage)
    };
    Ok(state.store.write(create).await?.into())
}

fn parse(tx: &Transaction<'_>, api: &RestApi, input: Input, now_ms: i64) -> Result<Stage, Error> {
    let known = |id: String| match tx.exists::<Deployment>(&key(&api.scope, &[&api.id, &id]))? {
        true => Ok(id),
        false => Err(Error::NoSuchDeployment),
    };
    let deployment_id = known(input.deployment_id)?;
    let mut stage = stage::fresh(&api.scope, &api.id, &input.stage_name, &deployment_id, now_ms);
    stage.description = input.description.filter(|text| !text.is_empty());
    stage.tracing_enabled = input.tracing_enabled.unwrap_or_default();
    stage.variables = input.variables.unwrap_or_default();
    stage::check_variables(&stage.variables)?;
    stage::cache::set(&mut stage, input.cache_cluster_enabled, input.cache_cluster_size.as_deref())?;
    stage.documentation_version = input.documentation_version.filter(|version| !version.is_empty());
    if let Some(version) = &stage.documentation_version
        && !tx.exists::<DocumentationVersion>(&key(&api.scope, &[&api.id, version]))?
    {
        return Err(Error::BadDocumentationVersion);
    }
    stage.tags = input.tags.unwrap_or_default();
    tags::check(&stage.tags)?;
    Choice::parse(&stage.tags)?;
    if let Some(settings) = input.canary_settings {
        let percent = settings.percent_traffic.unwrap_or_default();
        let overrides = settings.stage_variable_overrides.filter(|overrides| !overrides.is_empty());
        overrides.as_ref().map_or(Ok(()), stage::check_variables)?;
        let asked = settings.deployment_id.filter(|id| !id.is_empty());
        let canary = Canary {
            deployment_id: asked.map_or(Ok(deployment_id), known)?,
            percent_traffic: Percent::new(percent).map_err(|_| Error::Percent(percent.to_string()))?,
            stage_variable_overrides: overrides,
            use_stage_cache: settings.use_stage_cache.unwrap_or_default(),
        };
        canary::start(&mut stage, canary);
    }
    Ok(stage)
}

//! One file per operation: its input, its output, one function.

mod create_api;
mod create_authorizer;
mod create_deployment;
mod create_integration;
mod create_route;
mod create_stage;
mod delete_access_log_settings;
mod delete_api;
mod delete_authorizer;
mod delete_cors_configuration;
mod delete_deployment;
mod delete_integration;
mod delete_route;
mod delete_route_settings;
mod delete_stage;
mod domain_names;
mod export_api;
mod get_api;
mod get_apis;
mod get_authorizer;
mod get_authorizers;
mod get_deployment;
mod get_deployments;
mod get_integration;
mod get_integrations;
mod get_route;
mod get_routes;
mod get_stage;
mod get_stages;
mod get_tags;
mod import_api;
mod reimport_api;
mod reset_authorizers_cache;
mod tag_resource;
mod untag_resource;
mod update_api;
mod update_authorizer;
mod update_deployment;
mod update_integration;
mod update_route;
mod update_stage;

use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::{HttpApi, HttpStage, Texts};
use pitbird_service::Builder;
use pitbird_store::Transaction;

use crate::find::Records;
use crate::tags::{self, Tagged};
use crate::{Error, State, deployment, domain_name, find};

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    domain_names::hang(builder)
        .operation("CreateApi", &[], create_api::run)
        .operation("CreateAuthorizer", &[], create_authorizer::run)
        .operation("CreateDeployment", &[], create_deployment::run)
        .operation("CreateIntegration", &[], create_integration::run)
        .operation("CreateRoute", &[], create_route::run)
        .operation("CreateStage", &[], create_stage::run)
        .operation("DeleteAccessLogSettings", &[], delete_access_log_settings::run)
        .operation("DeleteApi", &[], delete_api::run)
        .operation("DeleteAuthorizer", &[], delete_authorizer::run)
        .operation("DeleteCorsConfiguration", &[], delete_cors_configuration::run)
        .operation("DeleteDeployment", &[], delete_deployment::run)
        .operation("DeleteIntegration", &[], delete_integration::run)
        .operation("DeleteRoute", &[], delete_route::run)
        .operation("DeleteRouteSettings", &[], delete_route_settings::run)
        .operation("DeleteStage", &[], delete_stage::run)
        .operation("ExportApi", &[], export_api::run)
        .operation("GetApi", &[], get_api::run)
        .operation("GetApis", &[], get_apis::run)
        .operation("GetAuthorizer", &[], get_authorizer::run)
        .operation("GetAuthorizers", &[], get_authorizers::run)
        .operation("GetDeployment", &[], get_deployment::run)
        .operation("GetDeployments", &[], get_deployments::run)
        .operation("GetIntegration", &[], get_integration::run)
        .operation("GetIntegrations", &[], get_integrations::run)
        .operation("GetRoute", &[], get_route::run)
        .operation("GetRoutes", &[], get_routes::run)
        .operation("GetStage", &[], get_stage::run)
        .operation("GetStages", &[], get_stages::run)
        .operation("GetTags", &[], get_tags::run)
        .operation("ImportApi", &[], import_api::run)
        .operation("ReimportApi", &[], reimport_api::run)
        .operation("ResetAuthorizersCache", &[], reset_authorizers_cache::run)
        .operation("TagResource", &[], tag_resource::run)
        .operation("UntagResource", &[], untag_resource::run)
        .operation("UpdateApi", &[], update_api::run)
        .operation("UpdateAuthorizer", &[], update_authorizer::run)
        .operation("UpdateDeployment", &[], update_deployment::run)
        .operation("UpdateIntegration", &[], update_integration::run)
        .operation("UpdateRoute", &[], update_route::run)
        .operation("UpdateStage", &[], update_stage::run)
}

/// Lets a stage serve the deployment that a caller names; one that deploys by itself can't be told to.
fn aim(
    records: &impl Records,
    api: &HttpApi,
    stage: &mut HttpStage,
    deployment_id: Option<String>,
) -> Result<(), Error> {
    let Some(id) = deployment_id.filter(|id| !id.is_empty()) else { return Ok(()) };
    if stage.auto_deploy {
        return Err(Error::DeploymentOfAutoStage);
    }
    deployment::move_to(stage, &find::deployment(records, api, &id)?.id);
    Ok(())
}

/// Changes the tags of an API, a stage or a domain.
async fn change_tags(
    state: &Arc<State>,
    scope: Scope,
    arn: &str,
    change: impl FnOnce(&mut Texts) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let tagged = tags::parse(arn, &scope)?;
    let change = move |tx: &mut Transaction<'_>| {
        match tagged {
            Tagged::Api(id) => {
                let mut api = find::api(tx, &scope, &id)?;
                change(&mut api.tags)?;
                tx.put(&api)?;
            }
            Tagged::Stage { api_id, name } => {
                let api = find::api(tx, &scope, &api_id)?;
                let mut stage = find::stage(tx, &api, &name)?;
                change(&mut stage.tags)?;
                tx.put(&stage)?;
            }
            Tagged::DomainName(name) => {
                let mut domain = domain_name::find(tx, &scope, &name)?;
                change(&mut domain.tags)?;
                tx.put(&domain)?;
            }
        }
        Ok(())
    };
    state.store.write(change).await
}

//! One file per operation: its input, its output, one function.

mod api_keys;
mod authorizers;
mod client_certificates;
mod create_deployment;
mod create_resource;
mod create_rest_api;
mod create_stage;
mod delete_deployment;
mod delete_integration;
mod delete_integration_response;
mod delete_method;
mod delete_method_response;
mod delete_resource;
mod delete_rest_api;
mod delete_stage;
mod documentation;
mod domain_names;
mod flush_stage_authorizers_cache;
mod flush_stage_cache;
mod gateway_responses;
mod get_account;
mod get_deployment;
mod get_deployments;
mod get_export;
mod get_integration;
mod get_integration_response;
mod get_method;
mod get_method_response;
mod get_resource;
mod get_resources;
mod get_rest_api;
mod get_rest_apis;
mod get_stage;
mod get_stages;
mod get_tags;
mod import_rest_api;
mod models;
mod private;
mod put_integration;
mod put_integration_response;
mod put_method;
mod put_method_response;
mod put_rest_api;
mod request_validators;
mod tag_resource;
mod test_invoke_method;
mod untag_resource;
mod update_account;
mod update_deployment;
mod update_integration;
mod update_integration_response;
mod update_method;
mod update_method_response;
mod update_resource;
mod update_rest_api;
mod update_stage;
mod usage_plans;

use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::Texts;
use pitbird_service::Builder;
use pitbird_store::Transaction;

use crate::{Error, State, tags};

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    let builder = api_keys::hang(builder);
    let builder = authorizers::hang(builder);
    let builder = client_certificates::hang(builder);
    let builder = documentation::hang(builder);
    let builder = domain_names::hang(builder);
    let builder = gateway_responses::hang(builder);
    let builder = models::hang(builder);
    let builder = private::hang(builder);
    let builder = request_validators::hang(builder);
    let builder = usage_plans::hang(builder);
    builder
        .operation("CreateDeployment", &[], create_deployment::run)
        .operation("CreateResource", &[], create_resource::run)
        .operation("CreateRestApi", &[], create_rest_api::run)
        .operation("CreateStage", &[], create_stage::run)
        .operation("DeleteDeployment", &[], delete_deployment::run)
        .operation("DeleteIntegration", &[], delete_integration::run)
        .operation("DeleteIntegrationResponse", &[], delete_integration_response::run)
        .operation("DeleteMethod", &[], delete_method::run)
        .operation("DeleteMethodResponse", &[], delete_method_response::run)
        .operation("DeleteResource", &[], delete_resource::run)
        .operation("DeleteRestApi", &[], delete_rest_api::run)
        .operation("DeleteStage", &[], delete_stage::run)
        .operation("FlushStageAuthorizersCache", &[], flush_stage_authorizers_cache::run)
        .operation("FlushStageCache", &[], flush_stage_cache::run)
        .operation("GetAccount", &[], get_account::run)
        .operation("GetDeployment", &[], get_deployment::run)
        .operation("GetDeployments", &[], get_deployments::run)
        .operation("GetExport", &[], get_export::run)
        .operation("GetIntegration", &[], get_integration::run)
        .operation("GetIntegrationResponse", &[], get_integration_response::run)
        .operation("GetMethod", &[], get_method::run)
        .operation("GetMethodResponse", &[], get_method_response::run)
        .operation("GetResource", &[], get_resource::run)
        .operation("GetResources", &[], get_resources::run)
        .operation("GetRestApi", &[], get_rest_api::run)
        .operation("GetRestApis", &[], get_rest_apis::run)
        .operation("GetStage", &[], get_stage::run)
        .operation("GetStages", &[], get_stages::run)
        .operation("GetTags", get_tags::HARMLESS, get_tags::run)
        .operation("ImportRestApi", &[], import_rest_api::run)
        .operation("PutIntegration", &[], put_integration::run)
        .operation("PutIntegrationResponse", &[], put_integration_response::run)
        .operation("PutMethod", &[], put_method::run)
        .operation("PutMethodResponse", &[], put_method_response::run)
        .operation("PutRestApi", &[], put_rest_api::run)
        .operation("TagResource", &[], tag_resource::run)
        .operation("TestInvokeMethod", &[], test_invoke_method::run)
        .operation("UntagResource", &[], untag_resource::run)
        .operation("UpdateAccount", &[], update_account::run)
        .operation("UpdateDeployment", &[], update_deployment::run)
        .operation("UpdateIntegration", &[], update_integration::run)
        .operation("UpdateIntegrationResponse", &[], update_integration_response::run)
        .operation("UpdateMethod", &[], update_method::run)
        .operation("UpdateMethodResponse", &[], update_method_response::run)
        .operation("UpdateResource", &[], update_resource::run)
        .operation("UpdateRestApi", &[], update_rest_api::run)
        .operation("UpdateStage", &[], update_stage::run)
}

/// Does a caller ask for this part of the answer?
fn embeds(asked: Option<&[String]>, part: &str) -> bool {
    asked.unwrap_or_default().iter().any(|asked| asked.eq_ignore_ascii_case(part))
}

/// Changes the tags of what an ARN names.
async fn change_tags(
    state: &Arc<State>,
    scope: Scope,
    arn: &str,
    change: impl FnOnce(&mut Texts) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let tagged = tags::parse(arn, &scope)?;
    let change = move |tx: &mut Transaction<'_>| tags::change(tx, &scope, &tagged, change);
    state.store.write(change).await
}

//! One file per operation: its input, its output, one function.

mod absent_code_signing_config;
mod absent_event_source_mapping;
mod add_permission;
mod create_alias;
mod create_event_source_mapping;
mod create_function;
mod create_function_url_config;
mod delete_alias;
mod delete_function;
mod delete_function_concurrency;
mod delete_function_event_invoke_config;
mod delete_function_url_config;
mod delete_layer_version;
mod delete_provisioned_concurrency_config;
mod get_account_settings;
mod get_alias;
mod get_function;
mod get_function_code_signing_config;
mod get_function_concurrency;
mod get_function_configuration;
mod get_function_event_invoke_config;
mod get_function_recursion_config;
mod get_function_url_config;
mod get_layer_version;
mod get_layer_version_by_arn;
mod get_policy;
mod get_provisioned_concurrency_config;
mod get_runtime_management_config;
mod invoke;
mod invoke_async;
mod invoke_with_response_stream;
mod list_aliases;
mod list_code_signing_configs;
mod list_event_source_mappings;
mod list_function_event_invoke_configs;
mod list_function_url_configs;
mod list_functions;
mod list_layer_versions;
mod list_layers;
mod list_provisioned_concurrency_configs;
mod list_tags;
mod list_versions_by_function;
mod publish_layer_version;
mod publish_version;
mod put_function_concurrency;
mod put_function_event_invoke_config;
mod put_function_recursion_config;
mod put_provisioned_concurrency_config;
mod put_runtime_management_config;
mod remove_permission;
mod tag_resource;
mod untag_resource;
mod update_alias;
mod update_function_code;
mod update_function_configuration;
mod update_function_event_invoke_config;
mod update_function_url_config;

use std::sync::Arc;

use pitbird_names::{VersionId, arn};
use pitbird_records::function::WholeFunction;
use pitbird_service::{Builder, Caller};
use pitbird_store::{Store, Transaction};

use crate::{Error, State, Target, find};

/// Hangs all operations in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("AddPermission", &[], add_permission::run)
        .operation("CreateAlias", &[], create_alias::run)
        .operation(
            "CreateEventSourceMapping",
            create_event_source_mapping::HARMLESS,
            create_event_source_mapping::run,
        )
        .operation("CreateFunction", &[], create_function::run)
        .operation("CreateFunctionUrlConfig", &[], create_function_url_config::run)
        .operation("DeleteAlias", &[], delete_alias::run)
        .operation(
            "DeleteEventSourceMapping",
            absent_event_source_mapping::HARMLESS,
            absent_event_source_mapping::run,
        )
        .operation("DeleteFunction", &[], delete_function::run)
        .operation("DeleteFunctionConcurrency", &[], delete_function_concurrency::run)
        .operation("DeleteFunctionEventInvokeConfig", &[], delete_function_event_invoke_config::run)
        .operation("DeleteFunctionUrlConfig", &[], delete_function_url_config::run)
        .operation("DeleteLayerVersion", &[], delete_layer_version::run)
        .operation("DeleteProvisionedConcurrencyConfig", &[], delete_provisioned_concurrency_config::run)
        .operation("GetAccountSettings", &[], get_account_settings::run)
        .operation("GetAlias", &[], get_alias::run)
        .operation("GetCodeSigningConfig", &[], absent_code_signing_config::run)
        .operation(
            "GetEventSourceMapping",
            absent_event_source_mapping::HARMLESS,
            absent_event_source_mapping::run,
        )
        .operation("GetFunction", &[], get_function::run)
        .operation("GetFunctionCodeSigningConfig", &[], get_function_code_signing_config::run)
        .operation("GetFunctionConcurrency", &[], get_function_concurrency::run)
        .operation("GetFunctionConfiguration", &[], get_function_configuration::run)
        .operation("GetFunctionEventInvokeConfig", &[], get_function_event_invoke_config::run)
        .operation("GetFunctionRecursionConfig", &[], get_function_recursion_config::run)
        .operation("GetFunctionUrlConfig", &[], get_function_url_config::run)
        .operation("GetLayerVersion", &[], get_layer_version::run)
        .operation("GetLayerVersionByArn", &[], get_layer_version_by_arn::run)
        .operation("GetPolicy", &[], get_policy::run)
        .operation("GetProvisionedConcurrencyConfig", &[], get_provisioned_concurrency_config::run)
        .operation("GetRuntimeManagementConfig", &[], get_runtime_management_config::run)
        .operation("Invoke", &[], invoke::run)
        .operation("InvokeAsync", &[], invoke_async::run)
        .streaming_operation("InvokeWithResponseStream", &[], invoke_with_response_stream::run)
        .operation("ListAliases", &[], list_aliases::run)
        .operation(
            "ListCodeSigningConfigs",
            list_code_signing_configs::HARMLESS,
            list_code_signing_configs::run,
        )
        .operation(
            "ListEventSourceMappings",
            list_event_source_mappings::HARMLESS,
            list_event_source_mappings::run,
        )
        .operation("ListFunctionEventInvokeConfigs", &[], list_function_event_invoke_configs::run)
        .operation("ListFunctionUrlConfigs", &[], list_function_url_configs::run)
        .operation("ListFunctions", &[], list_functions::run)
        .operation(
            "ListFunctionsByCodeSigningConfig",
            absent_code_signing_config::HARMLESS,
            absent_code_signing_config::run,
        )
        .operation("ListLayerVersions", &[], list_layer_versions::run)
        .operation("ListLayers", &[], list_layers::run)
        .operation("ListProvisionedConcurrencyConfigs", &[], list_provisioned_concurrency_configs::run)
        .operation("ListTags", &[], list_tags::run)
        .operation("ListVersionsByFunction", &[], list_versions_by_function::run)
        .operation("PublishLayerVersion", &[], publish_layer_version::run)
        .operation("PublishVersion", &[], publish_version::run)
        .operation("PutFunctionConcurrency", &[], put_function_concurrency::run)
        .operation("PutFunctionEventInvokeConfig", &[], put_function_event_invoke_config::run)
        .operation("PutFunctionRecursionConfig", &[], put_function_recursion_config::run)
        .operation("PutProvisionedConcurrencyConfig", &[], put_provisioned_concurrency_config::run)
        .operation("PutRuntimeManagementConfig", &[], put_runtime_management_config::run)
        .operation("RemovePermission", &[], remove_permission::run)
        .operation("TagResource", &[], tag_resource::run)
        .operation("UntagResource", &[], untag_resource::run)
        .operation("UpdateAlias", &[], update_alias::run)
        .operation(
            "UpdateEventSourceMapping",
            absent_event_source_mapping::HARMLESS,
            absent_event_source_mapping::run,
        )
        .operation("UpdateFunctionCode", &[], update_function_code::run)
        .operation("UpdateFunctionConfiguration", &[], update_function_configuration::run)
        .operation("UpdateFunctionEventInvokeConfig", &[], update_function_event_invoke_config::run)
        .operation("UpdateFunctionUrlConfig", &[], update_function_url_config::run)
}

/// Does the caller know the latest revision, if he cares?
fn check_revision(asked: Option<&str>, found: &str) -> Result<(), Error> {
    match asked {
        Some(asked) if asked != found => Err(Error::Revision("GetFunction/GetAlias")),
        _ => Ok(()),
    }
}

/// A version's place in lists: `$LATEST`, then by number.
fn version_key(version: VersionId) -> String {
    match version {
        VersionId::Latest => format!("{:020}", 0),
        VersionId::Number(number) => format!("{number:020}"),
    }
}

/// The function that an ARN for tags names. There is nothing else that has tags, such as event source mappings.
fn tagged(store: &Store, caller: &Caller, operation: &'static str, arn: &str) -> Result<Target, Error> {
    let is_function = arn::parse(arn).is_some_and(|arn| arn.resource.starts_with("function:"));
    if !is_function {
        return Err(Error::UnknownResource);
    }
    let target = Target::parse(store, caller, operation, arn, None)?;
    if target.qualifier.is_some() { Err(Error::TagsOnQualified) } else { Ok(target) }
}

/// Changes what belongs to a function as a whole.
async fn change_whole(
    state: &Arc<State>,
    target: Target,
    change: impl FnOnce(&mut WholeFunction) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let change = move |tx: &mut Transaction<'_>| {
        let mut head = find::head(tx, &target)?;
        change(head.function.get_or_insert_default())?;
        tx.put(&head)?;
        Ok(())
    };
    state.store.write(change).await
}

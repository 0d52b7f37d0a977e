//! Custom domains and what is reached under them.

mod create_base_path_mapping;
mod create_domain_name;
mod delete_base_path_mapping;
mod delete_domain_name;
mod get_base_path_mapping;
mod get_base_path_mappings;
mod get_domain_name;
mod get_domain_names;
mod update_base_path_mapping;
mod update_domain_name;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CreateBasePathMapping", &[], create_base_path_mapping::run)
        .operation("CreateDomainName", &[], create_domain_name::run)
        .operation("DeleteBasePathMapping", &[], delete_base_path_mapping::run)
        .operation("DeleteDomainName", &[], delete_domain_name::run)
        .operation("GetBasePathMapping", &[], get_base_path_mapping::run)
        .operation("GetBasePathMappings", &[], get_base_path_mappings::run)
        .operation("GetDomainName", &[], get_domain_name::run)
        .operation("GetDomainNames", &[], get_domain_names::run)
        .operation("UpdateBasePathMapping", &[], update_base_path_mapping::run)
        .operation("UpdateDomainName", &[], update_domain_name::run)
}

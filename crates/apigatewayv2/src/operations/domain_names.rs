//! Custom domains, what is mapped under them, and rules that are asked before.

mod create_api_mapping;
mod create_domain_name;
mod create_routing_rule;
mod delete_api_mapping;
mod delete_domain_name;
mod delete_routing_rule;
mod get_api_mapping;
mod get_api_mappings;
mod get_domain_name;
mod get_domain_names;
mod get_routing_rule;
mod list_routing_rules;
mod put_routing_rule;
mod update_api_mapping;
mod update_domain_name;

use pitbird_service::Builder;

use crate::State;

/// What the service says of a domain's configuration and callers send back as they got it; it is never theirs to set.
const SAID_BY_THE_SERVICE: &[&str] = &[
    "DomainNameConfigurations.0.ApiGatewayDomainName",
    "DomainNameConfigurations.0.CertificateUploadDate",
    "DomainNameConfigurations.0.DomainNameStatus",
    "DomainNameConfigurations.0.DomainNameStatusMessage",
    "DomainNameConfigurations.0.HostedZoneId",
];

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CreateApiMapping", &[], create_api_mapping::run)
        .operation("CreateDomainName", SAID_BY_THE_SERVICE, create_domain_name::run)
        .operation("CreateRoutingRule", &[], create_routing_rule::run)
        .operation("DeleteApiMapping", &[], delete_api_mapping::run)
        .operation("DeleteDomainName", &[], delete_domain_name::run)
        .operation("DeleteRoutingRule", &[], delete_routing_rule::run)
        .operation("GetApiMapping", &[], get_api_mapping::run)
        .operation("GetApiMappings", &[], get_api_mappings::run)
        .operation("GetDomainName", &[], get_domain_name::run)
        .operation("GetDomainNames", &[], get_domain_names::run)
        .operation("GetRoutingRule", &[], get_routing_rule::run)
        .operation("ListRoutingRules", &[], list_routing_rules::run)
        .operation("PutRoutingRule", &[], put_routing_rule::run)
        .operation("UpdateApiMapping", &[], update_api_mapping::run)
        .operation("UpdateDomainName", SAID_BY_THE_SERVICE, update_domain_name::run)
}

//! Private connections, of which there are none here: their lists are empty, and making one answers that it is not implemented.

mod get_domain_name_access_associations;
mod get_vpc_link;
mod get_vpc_links;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("GetDomainNameAccessAssociations", &[], get_domain_name_access_associations::run)
        .operation("GetVpcLink", &[], get_vpc_link::run)
        .operation("GetVpcLinks", &[], get_vpc_links::run)
}

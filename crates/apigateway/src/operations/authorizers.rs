//! Authorizers of REST APIs.

mod create_authorizer;
mod delete_authorizer;
mod get_authorizer;
mod get_authorizers;
mod test_invoke_authorizer;
mod update_authorizer;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CreateAuthorizer", &[], create_authorizer::run)
        .operation("DeleteAuthorizer", &[], delete_authorizer::run)
        .operation("GetAuthorizer", &[], get_authorizer::run)
        .operation("GetAuthorizers", &[], get_authorizers::run)
        .operation("TestInvokeAuthorizer", &[], test_invoke_authorizer::run)
        .operation("UpdateAuthorizer", &[], update_authorizer::run)
}

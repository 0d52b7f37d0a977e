//! Request validators of REST APIs.

mod create_request_validator;
mod delete_request_validator;
mod get_request_validator;
mod get_request_validators;
mod update_request_validator;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CreateRequestValidator", &[], create_request_validator::run)
        .operation("DeleteRequestValidator", &[], delete_request_validator::run)
        .operation("GetRequestValidator", &[], get_request_validator::run)
        .operation("GetRequestValidators", &[], get_request_validators::run)
        .operation("UpdateRequestValidator", &[], update_request_validator::run)
}

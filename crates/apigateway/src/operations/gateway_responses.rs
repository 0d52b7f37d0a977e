//! Answers that the gateway gives itself.

mod delete_gateway_response;
mod get_gateway_response;
mod get_gateway_responses;
mod put_gateway_response;
mod update_gateway_response;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("DeleteGatewayResponse", &[], delete_gateway_response::run)
        .operation("GetGatewayResponse", &[], get_gateway_response::run)
        .operation("GetGatewayResponses", get_gateway_responses::HARMLESS, get_gateway_responses::run)
        .operation("PutGatewayResponse", &[], put_gateway_response::run)
        .operation("UpdateGatewayResponse", &[], update_gateway_response::run)
}

//! API keys.

mod create_api_key;
mod delete_api_key;
mod get_api_key;
mod get_api_keys;
mod import_api_keys;
mod update_api_key;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CreateApiKey", create_api_key::HARMLESS, create_api_key::run)
        .operation("DeleteApiKey", &[], delete_api_key::run)
        .operation("GetApiKey", &[], get_api_key::run)
        .operation("GetApiKeys", &[], get_api_keys::run)
        .operation("ImportApiKeys", &[], import_api_keys::run)
        .operation("UpdateApiKey", &[], update_api_key::run)
}

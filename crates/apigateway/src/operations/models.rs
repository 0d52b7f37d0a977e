//! Models of REST APIs.

mod create_model;
mod delete_model;
mod get_model;
mod get_model_template;
mod get_models;
mod update_model;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CreateModel", &[], create_model::run)
        .operation("DeleteModel", &[], delete_model::run)
        .operation("GetModel", &[], get_model::run)
        .operation("GetModelTemplate", &[], get_model_template::run)
        .operation("GetModels", &[], get_models::run)
        .operation("UpdateModel", &[], update_model::run)
}

//! Usage plans, the keys in them and what these have used.

mod create_usage_plan;
mod create_usage_plan_key;
mod delete_usage_plan;
mod delete_usage_plan_key;
mod get_usage;
mod get_usage_plan;
mod get_usage_plan_key;
mod get_usage_plan_keys;
mod get_usage_plans;
mod update_usage;
mod update_usage_plan;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CreateUsagePlan", &[], create_usage_plan::run)
        .operation("CreateUsagePlanKey", &[], create_usage_plan_key::run)
        .operation("DeleteUsagePlan", &[], delete_usage_plan::run)
        .operation("DeleteUsagePlanKey", &[], delete_usage_plan_key::run)
        .operation("GetUsage", &[], get_usage::run)
        .operation("GetUsagePlan", &[], get_usage_plan::run)
        .operation("GetUsagePlanKey", &[], get_usage_plan_key::run)
        .operation("GetUsagePlanKeys", &[], get_usage_plan_keys::run)
        .operation("GetUsagePlans", &[], get_usage_plans::run)
        .operation("UpdateUsage", &[], update_usage::run)
        .operation("UpdateUsagePlan", &[], update_usage_plan::run)
}

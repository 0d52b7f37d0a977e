use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::Deserialize;

use crate::{State, domain_name, routing_rule, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    domain_name: String,
    routing_rule_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RoutingRule, Fault> {
    let Call { caller, input, .. } = call;
    let domain = domain_name::find(&state.store, &caller.scope, &input.domain_name)?;
    Ok(routing_rule::find(&state.store, &domain, &input.routing_rule_id)?.into())
}

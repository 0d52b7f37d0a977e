use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::routing_rule::{self, Action, Condition, Said};
use crate::{Error, State, domain_name, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    actions: Vec<Action>,
    conditions: Vec<Condition>,
    domain_name: String,
    priority: i64,
    routing_rule_id: String,
}

/// Puts a rule in another's place; it keeps its id.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RoutingRule, Fault> {
    let Call { caller, input, .. } = call;
    let put = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::find(tx, &caller.scope, &input.domain_name)?;
        let id = routing_rule::find(tx, &domain, &input.routing_rule_id)?.id;
        let Input { actions, conditions, priority, .. } = input;
        let rule = Said { actions, conditions, priority }.parse(&domain, id, tx)?;
        tx.put(&rule)?;
        Ok::<_, Error>(rule)
    };
    Ok(state.store.write(put).await?.into())
}

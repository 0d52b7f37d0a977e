use std::sync::Arc;

use pitbird_names::short_id;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::routing_rule::{Action, Condition, RULES_MAX, Said};
use crate::{Error, State, domain_name, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    actions: Vec<Action>,
    conditions: Vec<Condition>,
    domain_name: String,
    priority: i64,
}

/// Makes a rule that is asked before the domain's mappings, in the order of priorities.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::RoutingRule, Fault> {
    let Call { caller, input, .. } = call;
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::find(tx, &caller.scope, &input.domain_name)?;
        if domain.routing_mode == "BASE_PATH_MAPPING_ONLY" {
            return Err(Error::RulesUnused);
        }
        let present = domain_name::rules(tx, &domain)?;
        if present.len() >= RULES_MAX {
            return Err(Error::TooMany { what: "routing rules for this domain name", limit: RULES_MAX });
        }
        let mut id = short_id(entropy(), 6);
        while present.iter().any(|other| other.id == id) {
            id = short_id(entropy(), 6);
        }
        let Input { actions, conditions, priority, .. } = input;
        let rule = Said { actions, conditions, priority }.parse(&domain, id, tx)?;
        tx.put(&rule)?;
        Ok(rule)
    };
    Ok(state.store.write(create).await?.into())
}

use std::sync::Arc;

use pitbird_records::{Record, RoutingRule};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, domain_name, routing_rule};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    domain_name: String,
    routing_rule_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::find(tx, &caller.scope, &input.domain_name)?;
        let rule = routing_rule::find(tx, &domain, &input.routing_rule_id)?;
        tx.delete::<RoutingRule>(&rule.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

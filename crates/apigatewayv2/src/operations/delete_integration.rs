use std::sync::Arc;

use pitbird_records::{HttpIntegration, HttpRoute, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, deployment, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    integration_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let entropy = state.entropy;
    let Call { caller, input, now_ms, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let integration = find::integration(tx, &api, &input.integration_id)?;
        if integration.is_managed {
            return Err(Error::ManagedIntegration);
        }
        let routes = find::routes(tx, &api)?;
        let leads_here = |route: &&HttpRoute| route.integration_id.as_ref() == Some(&integration.id);
        let users: Vec<&str> = routes.iter().filter(leads_here).map(|route| route.id.as_str()).collect();
        if !users.is_empty() {
            return Err(Error::IntegrationInUse(users.join(", ")));
        }
        tx.delete::<HttpIntegration>(&integration.key())?;
        deployment::settle(tx, &api, entropy, now_ms)
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

use std::sync::Arc;

use pitbird_records::{HttpAuthorizer, HttpRoute, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, deployment, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    api_id: String,
    authorizer_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let entropy = state.entropy;
    let Call { caller, input, now_ms, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let api = find::api(tx, &caller.scope, &input.api_id)?;
        let authorizer = find::authorizer(tx, &api, &input.authorizer_id)?;
        let routes = find::routes(tx, &api)?;
        let asks_it = |route: &&HttpRoute| route.authorizer_id.as_ref() == Some(&authorizer.id);
        let users: Vec<&str> = routes.iter().filter(asks_it).map(|route| route.id.as_str()).collect();
        if !users.is_empty() {
            return Err(Error::AuthorizerInUse(users.join(", ")));
        }
        tx.delete::<HttpAuthorizer>(&authorizer.key())?;
        deployment::settle(tx, &api, entropy, now_ms)
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

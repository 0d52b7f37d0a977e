use std::sync::Arc;

use pitbird_records::{Authorizer, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, authorizer, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    authorizer_id: String,
}

/// Deletes an authorizer that no method asks.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let record: Authorizer =
            find::child(tx, scope, api_id, &input.authorizer_id, || Error::UnknownAuthorizer)?;
        authorizer::check_unused(&record, &find::resources(tx, scope, api_id)?)?;
        tx.delete::<Authorizer>(&record.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

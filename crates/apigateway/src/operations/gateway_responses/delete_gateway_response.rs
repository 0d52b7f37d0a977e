use std::sync::Arc;

use pitbird_records::{GatewayResponse, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    response_type: String,
}

/// Goes back to the default.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let record: GatewayResponse =
            find::child(tx, scope, api_id, &input.response_type, || Error::UnknownGatewayResponse)?;
        tx.delete::<GatewayResponse>(&record.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

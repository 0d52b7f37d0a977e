use std::sync::Arc;

use pitbird_records::{Record, RequestValidator};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::shape::Nothing;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    request_validator_id: String,
}

/// Deletes a validator that no method names.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (&caller.scope, &input.rest_api_id);
        let record: RequestValidator =
            find::child(tx, scope, api_id, &input.request_validator_id, || Error::UnknownRequestValidator)?;
        for resource in find::resources(tx, scope, api_id)? {
            for (verb, method) in &resource.methods {
                if method.request_validator_id.as_ref() == Some(&record.id) {
                    let name = record.name.unwrap_or(record.id);
                    return Err(Error::RequestValidatorUsed {
                        name,
                        at: format!("{}/{verb}", resource.path),
                    });
                }
            }
        }
        tx.delete::<RequestValidator>(&record.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

use std::sync::Arc;

use pitbird_records::Authorizer;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::authorizer::{self, AUTHORIZERS_MAX};
use crate::{Error, State, find, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "providerARNs")]
    provider_arns: Option<Vec<String>>,
    auth_type: Option<String>,
    authorizer_uri: Option<String>,
    authorizer_credentials: Option<String>,
    identity_source: Option<String>,
    identity_validation_expression: Option<String>,
    authorizer_result_ttl_in_seconds: Option<i64>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::Authorizer, Fault> {
    let Call { caller, input, .. } = call;
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        let (scope, api_id) = (caller.scope, input.rest_api_id);
        // The service says so, whatever it means by it.
        let unknown_api = |error| match error {
            Error::UnknownApi { .. } => Error::ConcurrentModification,
            error => error,
        };
        let others: Vec<Authorizer> = find::children(tx, &scope, &api_id).map_err(unknown_api)?;
        if others.len() >= AUTHORIZERS_MAX {
            return Err(Error::TooMany { what: "authorizers for this API", limit: AUTHORIZERS_MAX });
        }
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let mut authorizer = Authorizer {
            id: find::unused_id::<Authorizer>(tx, &scope, &[&api_id], 6, entropy)?,
            scope,
            api_id,
            name: input.name,
            kind: input.kind,
            provider_arns: input.provider_arns.unwrap_or_default(),
            auth_type: given(input.auth_type),
            uri: given(input.authorizer_uri),
            credentials: given(input.authorizer_credentials),
            identity_source: given(input.identity_source),
            identity_validation_expression: given(input.identity_validation_expression),
            result_ttl_s: input.authorizer_result_ttl_in_seconds.map(authorizer::ttl_s).transpose()?,
        };
        authorizer::settle(&mut authorizer, &others)?;
        tx.put(&authorizer)?;
        Ok(authorizer)
    };
    Ok(state.store.write(create).await?.into())
}

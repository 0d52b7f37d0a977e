use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::patch::{self, PatchOperation};
use crate::{Error, State, domain_name, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    domain_name: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::DomainName, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let mut domain = domain_name::domain(tx, &caller.scope, &input.domain_name)?;
        let operations = input.patch_operations.as_deref();
        patch::each(operations, |patch| domain_name::apply(&mut domain, patch, now_ms))?;
        domain_name::check(&domain)?;
        tx.put(&domain)?;
        Ok::<_, Error>(domain)
    };
    Ok(state.store.write(update).await?.into())
}

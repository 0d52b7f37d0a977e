use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::domain_name::{self, base_path};
use crate::patch::{self, PatchOperation};
use crate::{Error, State, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    domain_name: String,
    base_path: String,
    patch_operations: Option<Vec<PatchOperation>>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::BasePathMapping, Fault> {
    let Call { caller, input, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::domain(tx, &caller.scope, &input.domain_name)?;
        let mut mapping = base_path::find(tx, &domain.scope, &domain.name, &input.base_path)?;
        let operations = input.patch_operations.as_deref();
        patch::each(operations, |patch| base_path::apply(&mut mapping, patch))?;
        base_path::check(&mapping, tx)?;
        tx.put(&mapping)?;
        Ok::<_, Error>(mapping)
    };
    Ok(state.store.write(update).await?.into())
}

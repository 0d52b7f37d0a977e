use std::sync::Arc;

use pitbird_records::{DomainMapping, Record};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::domain_name::{self, base_path};
use crate::shape::Nothing;
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    domain_name: String,
    base_path: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let domain = domain_name::domain(tx, &caller.scope, &input.domain_name)?;
        let mapping = base_path::find(tx, &domain.scope, &domain.name, &input.base_path)?;
        tx.delete::<DomainMapping>(&mapping.key())?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

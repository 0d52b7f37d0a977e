use std::sync::Arc;

use pitbird_records::{ClientCertificate, Record, Stage, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::find::Records;
use crate::shape::Nothing;
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    client_certificate_id: String,
}

/// Deletes a certificate that no stage shows.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let found = find::client_certificate(tx, &caller.scope, &input.client_certificate_id)?;
        let mut stages = Records::list::<Stage>(tx, &prefix(&found.scope, &[]))?.into_iter();
        if stages.any(|stage| stage.client_certificate_id.as_ref() == Some(&found.id)) {
            return Err(Error::ClientCertificateUsed(found.id));
        }
        tx.delete::<ClientCertificate>(&found.key())?;
        Ok(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

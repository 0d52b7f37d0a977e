use std::sync::Arc;

use pitbird_records::{ClientCertificate, Texts, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::client_certificate::{self, CERTIFICATES_MAX};
use crate::{Error, State, find, shape, tags};

#[derive(Debug, Deserialize)]
pub struct Input {
    description: Option<String>,
    tags: Option<Texts>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::ClientCertificate, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let entropy = state.entropy;
    let (certificate_pem, private_key_pem) = client_certificate::generate(entropy(), now_ms)?;
    let create = move |tx: &mut Transaction<'_>| {
        if tx.count::<ClientCertificate>(&prefix(&caller.scope, &[]))? >= CERTIFICATES_MAX {
            let what = "client certificates for this account";
            return Err(Error::TooMany { what, limit: CERTIFICATES_MAX });
        }
        let certificate = ClientCertificate {
            id: find::unused_id::<ClientCertificate>(tx, &caller.scope, &[], 6, entropy)?,
            scope: caller.scope,
            description: input.description.filter(|text| !text.is_empty()),
            certificate_pem,
            private_key_pem,
            created_ms: now_ms,
            expires_ms: client_certificate::expires_ms(now_ms),
            tags: input.tags.unwrap_or_default(),
        };
        tags::check(&certificate.tags)?;
        tx.put(&certificate)?;
        Ok(certificate)
    };
    Ok(state.store.write(create).await?.into())
}

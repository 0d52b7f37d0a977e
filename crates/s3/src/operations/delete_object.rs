use std::sync::Arc;

use pitbird_records::Object;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::condition::Conditions;
use crate::find::named;
use crate::{Error, State, plain};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    key: String,
    version_id: Option<String>,
    if_match: Option<String>,
    expected_bucket_owner: Option<String>,
}

/// Deletes an object. That there is none is no error.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let Input { key, version_id, if_match, .. } = call.input;
    plain::check_version(version_id.as_deref())?;
    let delete = move |tx: &mut Transaction<'_>| {
        named.find(tx)?;
        let conditions = Conditions { if_match, ..Conditions::default() };
        conditions.check_write(&key, named.held(tx, &key)?.as_ref())?;
        tx.delete::<Object>(&Object::key_of(&named.bucket, &key))?;
        Ok::<(), Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

use std::sync::Arc;

use pitbird_records::Object;
use pitbird_service::{Call, Fault, Told};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::find::named;
use crate::{Error, State, plain};

/// Objects of one call. Source: S3 API reference.
const OBJECTS_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    bucket: String,
    delete: Delete,
    expected_bucket_owner: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    objects: Vec<Identifier>,
    quiet: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Identifier {
    key: String,
    version_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    deleted: Vec<Deleted>,
    errors: Vec<Failed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Deleted {
    key: String,
    version_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    key: String,
    version_id: Option<String>,
    code: String,
    message: String,
}

/// Deletes many objects, all of them in one change.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let named = named!(call);
    let Delete { objects, quiet } = call.input.delete;
    if !(1..=OBJECTS_MAX).contains(&objects.len()) {
        return Err(Error::MalformedXml.into());
    }
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for Identifier { key, version_id } in objects {
        match plain::check_version(version_id.as_deref()) {
            Ok(()) => deleted.push(Deleted { key, version_id }),
            Err(error) => {
                let Told { code, message, .. } = Fault::from(error).into_told();
                errors.push(Failed { key, version_id, code: code.into_owned(), message });
            }
        }
    }
    let keys: Vec<String> = deleted.iter().map(|found| Object::key_of(&named.bucket, &found.key)).collect();
    let delete = move |tx: &mut Transaction<'_>| {
        named.find(tx)?;
        for key in &keys {
            tx.delete::<Object>(key)?;
        }
        Ok::<(), Error>(())
    };
    state.store.write(delete).await?;
    if quiet == Some(true) {
        deleted.clear();
    }
    Ok(Output { deleted, errors })
}

use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;

use super::{Nothing, OfObject};
use crate::find::named;
use crate::{Error, State, plain};

/// Takes all tags from an object.
pub async fn run(state: Arc<State>, call: Call<OfObject>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let OfObject { key, version_id, .. } = call.input;
    plain::check_version(version_id.as_deref())?;
    let untag = move |tx: &mut Transaction<'_>| {
        let mut object = named.object(tx, &key)?;
        object.description.tags.clear();
        tx.put(&object)?;
        Ok::<(), Error>(())
    };
    state.store.write(untag).await?;
    Ok(Nothing {})
}

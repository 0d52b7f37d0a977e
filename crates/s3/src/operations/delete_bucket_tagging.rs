use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;

use super::{Nothing, OfBucket};
use crate::find::named;
use crate::{Error, State};

/// Takes all tags from a bucket.
pub async fn run(state: Arc<State>, call: Call<OfBucket>) -> Result<Nothing, Fault> {
    let named = named!(call);
    let untag = move |tx: &mut Transaction<'_>| {
        let mut bucket = named.find(tx)?;
        bucket.tags.clear();
        tx.put(&bucket)?;
        Ok::<(), Error>(())
    };
    state.store.write(untag).await?;
    Ok(Nothing {})
}

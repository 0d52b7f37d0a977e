//! What is set of a bucket as a whole.

use pitbird_records::BucketSettings;
use pitbird_store::Transaction;

use crate::find::Named;
use crate::{Error, State};

/// Changes a bucket's settings.
pub async fn change(
    state: &State,
    named: Named,
    change: impl FnOnce(&mut BucketSettings) + Send + 'static,
) -> Result<(), Error> {
    let change = move |tx: &mut Transaction<'_>| {
        let mut bucket = named.find(tx)?;
        change(&mut bucket.settings);
        tx.put(&bucket)?;
        Ok::<(), Error>(())
    };
    state.store.write(change).await
}

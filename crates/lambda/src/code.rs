//! A function's zip on its way into the store.

use bytes::Bytes;
use pitbird_names::{Scope, limits};
use pitbird_records::function::Code;
use pitbird_service::Fault;

use crate::{Error, State};

/// The code of all versions in one account and region, bytes. Source: Lambda quotas.
pub const STORAGE_BYTES_MAX: u64 = 80_530_636_800;

/// A zip that can be unpacked, not stored yet.
pub struct Checked {
    zip: Bytes,
}

/// Checks a zip as thoroughly as unpacking it would.
pub async fn check(state: &State, zip: Option<Bytes>) -> Result<Checked, Error> {
    let zip = zip.ok_or(Error::NoCode)?;
    if zip.is_empty() {
        return Err(Error::EmptyZip);
    }
    if zip.len() > limits::ZIP_BYTES {
        return Err(Error::ZippedSize);
    }
    let (run, bytes) = (state.run.clone(), zip.clone());
    let checked = tokio::task::spawn_blocking(move || run.check(&bytes)).await;
    checked.map_err(|ended| Error::told(Fault::internal(ended)))??;
    Ok(Checked { zip })
}

impl Checked {
    pub fn size_bytes(&self) -> u64 {
        self.zip.len() as u64
    }

    /// What the stored code will be called.
    pub fn code(&self) -> Code {
        use sha2::{Digest, Sha256};
        let sha256_hex = Sha256::digest(&self.zip).iter().map(|byte| format!("{byte:02x}")).collect();
        Code { sha256_hex, size_bytes: self.size_bytes() }
    }

    /// Keeps the zip; durable when it returns.
    pub async fn store(self, state: &State) -> Result<Code, Error> {
        let size_bytes = self.size_bytes();
        let sha256_hex = state.store.put_blob(self.zip).await?;
        Ok(Code { sha256_hex, size_bytes })
    }
}

/// The code of all versions in one account and region, bytes.
pub fn stored_bytes(state: &State, scope: &Scope) -> u64 {
    let snapshot = state.store.snapshot();
    let functions = snapshot.functions().filter(|function| function.scope == *scope);
    functions
        .flat_map(|function| function.versions.values())
        .map(|version| version.record.code.size_bytes)
        .sum()
}

/// Is there room for more code?
pub fn check_room(state: &State, scope: &Scope, more_bytes: u64) -> Result<(), Error> {
    let total = stored_bytes(state, scope).saturating_add(more_bytes);
    if total > STORAGE_BYTES_MAX { Err(Error::CodeStorage) } else { Ok(()) }
}

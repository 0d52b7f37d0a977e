//! A zip of a function or a layer on its way into the store.

use bytes::Bytes;
use pitbird_names::{Scope, limits};
use pitbird_records::function::Code;
use pitbird_service::Fault;
use sha2::{Digest, Sha256};
use tokio::sync::SemaphorePermit;

use crate::{Error, State, layer};

/// The code of all versions in one account and region, bytes. Source: Lambda quotas.
pub const STORAGE_BYTES_MAX: u64 = 80_530_636_800;

/// A zip as a caller sent it.
pub struct Upload {
    zip: Bytes,
    pub code: Code,
    /// The room that a package from a bucket takes.
    held: Option<SemaphorePermit<'static>>,
}

impl Upload {
    /// Looks at the size only; [`Self::store`] and [`Self::check`] look inside.
    pub fn parse(zip: Option<Bytes>) -> Result<Upload, Error> {
        let zip = zip.ok_or(Error::NoCode)?;
        if zip.len() > limits::ZIP_BYTES {
            return Err(Error::ZippedSize);
        }
        Upload::of(zip, None)
    }

    /// A package from a bucket, which may be larger than one in a call, and the room that it takes.
    pub fn held(zip: Bytes, held: SemaphorePermit<'static>) -> Result<Upload, Error> {
        Upload::of(zip, Some(held))
    }

    fn of(zip: Bytes, held: Option<SemaphorePermit<'static>>) -> Result<Upload, Error> {
        if zip.is_empty() {
            return Err(Error::EmptyZip);
        }
        let sha256_hex = Sha256::digest(&zip).iter().map(|byte| format!("{byte:02x}")).collect();
        let code = Code { sha256_hex, size_bytes: zip.len() as u64, unpacked_bytes: 0 };
        Ok(Upload { zip, code, held })
    }

    /// Checks the zip as thoroughly as unpacking it would, and keeps nothing.
    pub async fn check(self, state: &State) -> Result<Code, Error> {
        let run = state.run.clone();
        let Upload { zip, code, held } = self;
        let checked = tokio::task::spawn_blocking(move || run.check(&zip)).await;
        drop(held);
        let unpacked_bytes = checked.map_err(|ended| Error::told(Fault::internal(ended)))??;
        Ok(Code { unpacked_bytes, ..code })
    }

    /// Unpacks the zip to where it will be run, and keeps it; durable when it returns.
    pub async fn store(self, state: &State) -> Result<Code, Error> {
        let unpacked_bytes = state.run.admit(&self.code.sha256_hex, self.zip.clone()).await?;
        state.store.put_blob(self.zip).await?;
        Ok(Code { unpacked_bytes, ..self.code })
    }
}

/// The code of all versions of functions and layers in one account and region, bytes.
pub fn stored_bytes(state: &State, scope: &Scope) -> Result<u64, Error> {
    let snapshot = state.store.snapshot();
    let functions = snapshot.functions().filter(|function| function.scope == *scope);
    let functions: u64 = functions
        .flat_map(|function| function.versions.values())
        .map(|version| version.record.code.size_bytes)
        .sum();
    Ok(functions + layer::stored_bytes(state, scope)?)
}

/// Is there room for more code?
pub fn check_room(state: &State, scope: &Scope, more_bytes: u64) -> Result<(), Error> {
    let total = stored_bytes(state, scope)?.saturating_add(more_bytes);
    if total > STORAGE_BYTES_MAX { Err(Error::CodeStorage) } else { Ok(()) }
}

//! Bytes on their way into the store and out of it.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use pitbird_names::limits;
use pitbird_records::object::Content;
use pitbird_wire::checksum::Algorithm;
use tokio::sync::OwnedSemaphorePermit;

use crate::checksum::{self, Claims, Examined};
use crate::{Error, State};

const MIB: u64 = 1024 * 1024;
/// All contents that are held in memory on their way out, MiB together.
pub const ROOM_MIB: usize = 1024;
/// How long an answer waits for room among the others.
const ROOM_TIMEOUT: Duration = Duration::from_secs(30);

/// An object, or a part of one, may have so many bytes.
pub fn check_size(size: u64) -> Result<(), Error> {
    let limit = limits::OBJECT_BYTES as u64;
    if size > limit { Err(Error::EntityTooLarge { size, limit }) } else { Ok(()) }
}

/// Holds bytes against what is claimed of them and keeps them; durable when it returns.
pub async fn store(
    state: &State,
    bytes: Bytes,
    claims: Claims,
    wanted: Option<Algorithm>,
) -> Result<(Content, Examined), Error> {
    let size_bytes = bytes.len() as u64;
    check_size(size_bytes)?;
    let examined = {
        let bytes = bytes.clone();
        blocking(move || checksum::examine(&bytes, claims, wanted)).await?
    };
    let sha256_hex = state.store.put_blob(bytes).await?;
    Ok((Content { sha256_hex, size_bytes }, examined))
}

/// Reads all of a content, checked against its hash, or some of it. The bytes keep their room until the last clone is gone.
pub async fn read(state: &State, content: &Content, range: Option<Range<u64>>) -> Result<Bytes, Error> {
    let range = range.unwrap_or(0..content.size_bytes);
    let length = range.end - range.start;
    let is_whole = length == content.size_bytes;
    let room = room(state, length).await?;
    let (store, name) = (state.store.clone(), content.sha256_hex.clone());
    let bytes = blocking(move || {
        Ok(match is_whole {
            true => store.blob(&name)?,
            false => store.blob_slice(&name, range.start, usize::try_from(length).unwrap_or(usize::MAX))?,
        })
    });
    Ok(Bytes::from_owner(Held { bytes: bytes.await?, _room: room }))
}

struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

async fn room(state: &State, length: u64) -> Result<OwnedSemaphorePermit, Error> {
    let mib = u32::try_from(length.div_ceil(MIB)).unwrap_or(u32::MAX);
    let room = state.room.clone().acquire_many_owned(mib);
    match tokio::time::timeout(ROOM_TIMEOUT, room).await {
        Ok(Ok(room)) => Ok(room),
        _ => Err(Error::SlowDown),
    }
}

/// Runs what takes long where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(ended) => Err(pitbird_store::Error::Panicked(ended.to_string()).into()),
    }
}

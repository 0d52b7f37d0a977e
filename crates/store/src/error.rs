use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

/// Why a read or a write failed. Cheap to clone: one failed commit answers many changes.
#[derive(Debug, Clone, Error)]
pub enum Error {
    /// Somebody else changed the record first.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    #[error("the disk is full")]
    DiskFull,
    #[error("the database can't be read or written: {0}")]
    Database(Arc<rusqlite::Error>),
    #[error("the file {} can't be read or written: {source}", .path.display())]
    File { path: PathBuf, source: Arc<io::Error> },
    /// The stored text doesn't make the record; at a write, the record's own text doesn't.
    #[error("the record {table} {key} is unreadable: {source}")]
    Unreadable { table: &'static str, key: String, source: Arc<serde_json::Error> },
    #[error("the record {table} {key} has {bytes} bytes, more than {}", crate::RECORD_BYTES_MAX)]
    TooLarge { table: &'static str, key: String, bytes: usize },
    #[error("no blob has the name {0:?}")]
    NoSuchBlob(String),
    #[error("the blob {0} no longer has the content it is named after")]
    BlobDamaged(String),
    /// The change panicked; it was rolled back, the writer goes on.
    #[error("a change panicked: {0}")]
    Panicked(String),
    /// The database gave a transaction up without a reason of its own, as after a change that meddled with it.
    #[error("the transaction was given up")]
    Aborted,
    /// The writer has ended.
    #[error("the store is closed")]
    Closed,
}

/// A compare-and-set that found another revision than it expected; 0 stands for no record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the record {table} {key} has revision {found}, not {expected}")]
pub struct Conflict {
    pub table: &'static str,
    pub key: String,
    pub expected: u64,
    pub found: u64,
}

/// Why a data directory can't be used.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("the data directory {} can't be used: {source}", .path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("the data directory {} is in use by {}", .path.display(), holder(.pid))]
    Locked { path: PathBuf, pid: Option<u32> },
    #[error("{} is damaged or not a database: {detail}", .path.display())]
    Damaged { path: PathBuf, detail: String },
    #[error("{} is another program's database", .path.display())]
    Foreign { path: PathBuf },
    #[error("{} has format {found}, written by a newer pitbird; this one knows up to {known}", .path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{} can't be opened: {source}", .path.display())]
    Database { path: PathBuf, source: Error },
}

fn holder(pid: &Option<u32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}

impl Error {
    pub(crate) fn file(path: &std::path::Path, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull,
            _ => Error::File { path: path.to_owned(), source: Arc::new(source) },
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Error::DiskFull,
            _ => Error::Database(Arc::new(error)),
        }
    }
}

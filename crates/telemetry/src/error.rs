use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// What can go wrong when telemetry is opened, written or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    #[error("{} is in use by another process", .path.display())]
    Locked { path: PathBuf },
    #[error("{} is corrupt: {cause}", .path.display())]
    Corrupt { path: PathBuf, cause: String },
    #[error("{} has format {found}; this program knows up to {known}", .path.display())]
    Format { path: PathBuf, found: i64, known: i64 },
    #[error("storage at {}: {cause}", .path.display())]
    Storage { path: PathBuf, cause: String },
    #[error("telemetry is closed")]
    Closed,
    #[error("log stream exists already")]
    StreamExists,
    #[error("no such log stream")]
    NoStream,
    #[error("not a position that was handed out")]
    InvalidToken,
    #[error("{asked} datapoints asked for; at most {limit} are answered")]
    TooManyDatapoints { asked: u64, limit: u64 },
    #[error("{limit} metrics exist already")]
    TooManyMetrics { limit: usize },
    #[error("period {0} is not 1, 5, 10, 20, 30 or a multiple of 60 seconds up to 86400")]
    Period(u32),
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Error {
        let path = path.to_path_buf();
        let cause = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Corrupt { path, cause },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Locked { path },
            _ => Error::Storage { path, cause },
        }
    }

    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Error {
        Error::Storage { path: path.to_path_buf(), cause: error.to_string() }
    }

    pub(crate) fn corrupt(path: &Path, cause: &str) -> Error {
        Error::Corrupt { path: path.to_path_buf(), cause: cause.to_owned() }
    }
}

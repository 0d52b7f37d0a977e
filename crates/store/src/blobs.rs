//! Content-addressed files.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::Error;

/// The start of the names of files that aren't whole yet.
const UNFINISHED: &str = "unfinished-";

/// What is read at a time when blobs are joined, bytes.
const PIECE_BYTES: usize = 1024 * 1024;

/// What a removal of unused blobs has freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    pub blobs: u64,
    pub bytes: u64,
}

/// The folder of blobs, each named by the SHA-256 of its content in lower-case hex.
#[derive(Debug)]
pub struct Blobs {
    directory: PathBuf,
    /// Held while a blob is found, brought in or removed, never while content is written: so that none is removed
    /// between "it is there" and the answer.
    entries: Mutex<()>,
    unfinished: AtomicU64,
}

impl Blobs {
    /// Opens the folder and clears away what an earlier process left unfinished.
    pub fn open(directory: PathBuf) -> io::Result<Blobs> {
        if !directory.is_dir() {
            fs::create_dir_all(&directory)?;
            let parent = directory.parent().expect("the folder lies in the data directory");
            File::open(parent)?.sync_all()?;
        }
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Blobs { directory, entries: Mutex::default(), unfinished: AtomicU64::default() })
    }

    /// Keeps content and answers its name; durable when it returns. What is there already is only marked as new.
    pub fn put(&self, content: &[u8]) -> Result<String, Error> {
        let name = hex(&Sha256::digest(content));
        let path = self.directory.join(&name);
        if !self.renew(&path, content.len() as u64)? {
            self.bring_in(&path, content)?;
        }
        // Also for a blob that was there: whoever put it may not have come this far yet.
        sync_directory(&self.directory)?;
        Ok(name)
    }

    /// Marks a blob as put just now; `false` if it isn't there with its whole length.
    fn renew(&self, path: &Path, bytes: u64) -> Result<bool, Error> {
        let _entries = self.lock();
        let file = match File::options().write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::file(path, error)),
        };
        let is_whole = file.metadata().map_err(|error| Error::file(path, error))?.len() == bytes;
        if is_whole {
            file.set_modified(SystemTime::now()).map_err(|error| Error::file(path, error))?;
        }
        Ok(is_whole)
    }

    /// Writes the whole file under another name, syncs it and only then gives it its own, so that a blob is there
    /// entirely or not at all.
    fn bring_in(&self, path: &Path, content: &[u8]) -> Result<(), Error> {
        let unfinished = self.unfinished();
        let written = write_durably(&unfinished, content).and_then(|()| {
            let _entries = self.lock();
            fs::rename(&unfinished, path)
        });
        written.map_err(|error| {
            // The next opening clears it away if this doesn't.
            let _ = fs::remove_file(&unfinished);
            Error::file(path, error)
        })
    }

    fn unfinished(&self) -> PathBuf {
        let number = self.unfinished.fetch_add(1, Ordering::Relaxed);
        self.directory.join(format!("{UNFINISHED}{number}"))
    }

    /// Keeps what several blobs hold one after the other as one more, and shows each piece of it on the way. Holds one
    /// piece in memory at a time.
    pub fn join(&self, names: &[String], mut see: impl FnMut(&[u8])) -> Result<String, Error> {
        let unfinished = self.unfinished();
        let joined = self.write_joined(&unfinished, names, &mut see).and_then(|name| {
            let path = self.path(&name);
            let entries = self.lock();
            fs::rename(&unfinished, &path).map_err(|error| Error::file(&path, error))?;
            drop(entries);
            sync_directory(&self.directory)?;
            Ok(name)
        });
        if joined.is_err() {
            // The next opening clears it away if this doesn't.
            let _ = fs::remove_file(&unfinished);
        }
        joined
    }

    fn write_joined(
        &self,
        unfinished: &Path,
        names: &[String],
        see: &mut impl FnMut(&[u8]),
    ) -> Result<String, Error> {
        let failed = |error| Error::file(unfinished, error);
        let mut file = File::create(unfinished).map_err(failed)?;
        let mut whole = Sha256::new();
        let mut piece = vec![0; PIECE_BYTES];
        for name in names {
            let mut part = self.file(name)?;
            let mut own = Sha256::new();
            loop {
                let read = part.read(&mut piece).map_err(|error| Error::file(&self.path(name), error))?;
                if read == 0 {
                    break;
                }
                let read = &piece[..read];
                own.update(read);
                whole.update(read);
                see(read);
                file.write_all(read).map_err(failed)?;
            }
            if hex(&own.finalize()) != *name {
                return Err(Error::BlobDamaged(name.clone()));
            }
        }
        file.sync_all().map_err(failed)?;
        Ok(hex(&whole.finalize()))
    }

    fn file(&self, name: &str) -> Result<File, Error> {
        let path = self.path(name);
        File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::NoSuchBlob(name.to_owned()),
            _ => Error::file(&path, error),
        })
    }

    /// Some of a blob's bytes. Unlike the whole they can't be checked against the name.
    pub fn slice(&self, name: &str, from: u64, length: usize) -> Result<Bytes, Error> {
        let mut file = self.file(name)?;
        let mut slice = vec![0; length];
        let mut read = || {
            file.seek(io::SeekFrom::Start(from))?;
            file.read_exact(&mut slice)
        };
        match read() {
            Ok(()) => Ok(slice.into()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Error::BlobDamaged(name.to_owned()))
            }
            Err(error) => Err(Error::file(&self.path(name), error)),
        }
    }

    /// Where a blob lies. A text that isn't a blob's name leads to a path where there is never anything.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(if is_name(name) { name } else { "no-such-blob" })
    }

    /// A blob's content, checked against its name.
    pub fn get(&self, name: &str) -> Result<Bytes, Error> {
        let path = self.path(name);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NoSuchBlob(name.to_owned()));
            }
            Err(error) => return Err(Error::file(&path, error)),
        };
        if hex(&Sha256::digest(&content)) != name {
            return Err(Error::BlobDamaged(name.to_owned()));
        }
        Ok(content.into())
    }

    /// Removes the blobs that are not in `live` and were last put before `put_before`.
    pub fn remove_unused(&self, live: &HashSet<String>, put_before: SystemTime) -> Result<Removed, Error> {
        let failed = |error| Error::file(&self.directory, error);
        let mut removed = Removed::default();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name.to_str().is_none_or(|name| !is_name(name) || live.contains(name)) {
                continue;
            }
            let _entries = self.lock();
            let metadata = entry.metadata().map_err(failed)?;
            if metadata.modified().map_err(failed)? < put_before {
                fs::remove_file(entry.path()).map_err(failed)?;
                removed.blobs += 1;
                removed.bytes += metadata.len();
            }
        }
        Ok(removed)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes the names in a directory durable.
fn sync_directory(directory: &Path) -> Result<(), Error> {
    let sync = || File::open(directory)?.sync_all();
    sync().map_err(|error| Error::file(directory, error))
}

pub(crate) fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

#[cfg(test)]
mod tests;

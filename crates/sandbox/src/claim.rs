//! Directories that belong to one running launcher: locked (flock) while it lives, so that what a crash left can be told.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::FlockOperation;

/// Makes and locks a launcher's directory. It stays locked until the result is dropped, or the process dies.
pub fn claim(directory: &Path) -> io::Result<OwnedFd> {
    for _ in 0..8 {
        match std::fs::create_dir(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let lock = match std::fs::File::open(directory) {
            Ok(file) => OwnedFd::from(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        rustix::fs::flock(&lock, FlockOperation::LockExclusive)?;
        // Another launcher that starts now may have swept it before it was locked.
        if directory.is_dir() {
            return Ok(lock);
        }
    }
    Err(io::Error::other("the directory keeps vanishing"))
}

/// Whether nobody holds a launcher's directory any more.
pub fn is_abandoned(directory: &Path) -> bool {
    let Ok(file) = std::fs::File::open(directory) else { return false };
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

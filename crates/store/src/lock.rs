use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::OpenError;

/// Holds a data directory for this process until dropped. The kernel lets go of it when the process ends, however it
/// ends, so that nothing stale stays behind.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Locks `lock` in `directory` and leaves this process's id there for others to read.
    pub fn acquire(directory: &Path) -> Result<DirectoryLock, OpenError> {
        let failed = |source| OpenError::Directory { path: directory.to_owned(), source };
        let path = directory.join("lock");
        let options = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked { path: directory.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        leave_name(&mut file).map_err(failed)?;
        Ok(DirectoryLock { _file: file })
    }
}

fn leave_name(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

/// The holder's process id; `None` while it is just about to write it.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

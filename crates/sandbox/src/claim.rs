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

/// Locks a launcher's directory that nobody holds any more; none while somebody does. Who removes it keeps the lock until it is gone:
/// a launcher that starts now and made the directory, but hadn't locked it, waits for that and makes it anew.
pub fn claim_abandoned(directory: &Path) -> Option<OwnedFd> {
    let file = OwnedFd::from(std::fs::File::open(directory).ok()?);
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{claim, claim_abandoned};

    #[test]
    fn what_is_claimed_is_not_swept_by_one_that_starts_at_the_same_time() {
        let above = tempfile::tempdir().unwrap();
        let directory = above.path().join("launcher");
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let sweeper = scope.spawn(|| {
                let mut swept = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let Some(_lock) = claim_abandoned(&directory) else { continue };
                    std::fs::remove_dir(&directory).unwrap();
                    swept += 1;
                }
                swept
            });
            let (mut claimed, mut lost) = (0, 0);
            for _ in 0..5_000 {
                // A sweeper that never rests may be faster each time.
                let Ok(lock) = claim(&directory) else { continue };
                std::thread::yield_now();
                claimed += 1;
                lost += u32::from(!directory.is_dir());
                drop(lock);
            }
            is_over.store(true, Ordering::Relaxed);
            let swept = sweeper.join().unwrap();
            assert!(lost == 0 && claimed > 0 && swept > 0, "{lost} lost of {claimed}, {swept} swept");
        });
    }
}

//! Guests' private directories, at the levels where no mount of their own takes the place of `/tmp`.

use std::fs::DirBuilder;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::cgroup::PREFIX;
use crate::claim::{claim, claim_abandoned};
use crate::error::{At, Fault, Step};

/// How often a directory that others take away is made again.
const TRIES: usize = 8;

/// One launcher's directory of directories, locked while its spawner lives.
pub struct PrivateDirectories {
    above: PathBuf,
    path: PathBuf,
    _lock: OwnedFd,
}

impl PrivateDirectories {
    /// Makes this launcher's directory below `above`, and removes those that launchers which are no more have left there.
    pub fn new(above: &Path, name: &str) -> Result<PrivateDirectories, Fault> {
        let path = above.join(name);
        for _ in 0..TRIES {
            trusted(above)?;
            sweep(above);
            match claim(&path) {
                Ok(lock) => return Ok(PrivateDirectories { above: above.to_owned(), path, _lock: lock }),
                // Another launcher that just ended was the last to use the directory above, and has taken it away.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).at(Step::Tmp),
            }
        }
        Err(Fault::new(Step::Tmp, libc::ENOENT))
    }

    /// Makes one guest's directory. `user` is its own user, if it has one.
    pub fn create(&self, sandbox: u64, user: Option<u32>) -> Result<PathBuf, Fault> {
        let directory = self.path.join(sandbox.to_string());
        DirBuilder::new().mode(0o700).create(&directory).at(Step::Tmp)?;
        if user.is_some() {
            std::os::unix::fs::chown(&directory, user, user).at(Step::Tmp)?;
        }
        Ok(directory)
    }

    /// Removes all of them, and the one above if no other launcher uses it.
    pub fn remove(self) {
        let _ = std::fs::remove_dir_all(&self.path);
        let _ = std::fs::remove_dir(&self.above);
    }
}

/// Makes the directory above all launchers', or finds it. It may lie where others can write too, so it is not trusted unless
/// it is this user's and nobody else can change it.
fn trusted(above: &Path) -> Result<(), Fault> {
    DirBuilder::new().recursive(true).mode(0o711).create(above).at(Step::Tmp)?;
    let found = match std::fs::symlink_metadata(above) {
        // Taken away again; so will be found who claims a place in it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.at(Step::Tmp)?,
    };
    let is_ours = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0;
    if found.is_dir() && is_ours { Ok(()) } else { Err(Fault::new(Step::Tmp, libc::EPERM)) }
}

fn sweep(above: &Path) {
    let entries = std::fs::read_dir(above).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for path in ours.map(|entry| entry.path()) {
        let Some(_lock) = claim_abandoned(&path) else { continue };
        let _: io::Result<()> = std::fs::remove_dir_all(path);
    }
}

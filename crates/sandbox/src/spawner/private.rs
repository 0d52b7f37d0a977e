//! Guests' private directories, at the levels where no mount of their own takes the place of `/tmp`.

use std::fs::DirBuilder;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::cgroup::PREFIX;
use crate::claim::{claim, is_abandoned};
use crate::error::{At, Fault, Step};

/// One launcher's directory of directories, locked while its spawner lives.
pub struct PrivateDirectories {
    above: PathBuf,
    path: PathBuf,
    _lock: OwnedFd,
}

impl PrivateDirectories {
    /// Makes this launcher's directory below `above`, and removes those that launchers which are no more have left there.
    pub fn new(above: &Path, name: &str) -> Result<PrivateDirectories, Fault> {
        DirBuilder::new().recursive(true).mode(0o711).create(above).at(Step::Tmp)?;
        let found = std::fs::symlink_metadata(above).at(Step::Tmp)?;
        // It may lie where others can write too, so it is not trusted unless it is this user's and nobody else can change it.
        let is_ours = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0;
        if !found.is_dir() || !is_ours {
            return Err(Fault::new(Step::Tmp, libc::EPERM));
        }
        sweep(above);
        let path = above.join(name);
        let lock = claim(&path).at(Step::Tmp)?;
        Ok(PrivateDirectories { above: above.to_owned(), path, _lock: lock })
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

fn sweep(above: &Path) {
    let entries = std::fs::read_dir(above).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for path in ours.map(|entry| entry.path()).filter(|path| is_abandoned(path)) {
        let _: io::Result<()> = std::fs::remove_dir_all(path);
    }
}

//! Zips from strangers: what is in them is checked entirely before it is believed, and bounded while it is unpacked.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Cursor, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use pitbird_names::limits;
use thiserror::Error;
use zip::ZipArchive;

/// Most files, directories and links in one zip.
pub const ENTRIES_MAX: usize = 100_000;
/// Longest path in a zip, bytes.
const PATH_BYTES_MAX: usize = 1024;
/// Longest name in a path, bytes (`NAME_MAX`).
const NAME_BYTES_MAX: usize = 255;
/// Longest symbolic link's target, bytes.
const LINK_BYTES_MAX: u64 = 1024;

/// What a zip holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZipFacts {
    pub entries: usize,
    pub unpacked_bytes: u64,
}

/// Why a zip is no function's code.
#[derive(Debug, Error)]
pub enum ZipError {
    #[error("cannot be unzipped: {0}")]
    Malformed(String),
    #[error("has more than {ENTRIES_MAX} entries")]
    TooManyEntries,
    #[error("has more than {} bytes when unpacked", limits::UNZIPPED_BYTES)]
    TooLarge,
    #[error("cannot be written: {0}")]
    Disk(#[source] io::Error),
}

impl ZipError {
    /// Lambda's words for it; `None` when the zip is not to blame.
    pub fn message(&self) -> Option<&'static str> {
        match self {
            ZipError::Malformed(_) | ZipError::TooManyEntries => {
                Some("Could not unzip uploaded file. Please check your file, then try to upload again.")
            }
            ZipError::TooLarge => Some("Unzipped size must be smaller than 262144000 bytes"),
            ZipError::Disk(_) => None,
        }
    }
}

/// Checks a zip as thoroughly as unpacking it would, and writes nothing.
pub fn check_zip(zip: &[u8]) -> Result<ZipFacts, ZipError> {
    let mut archive = open(zip)?;
    let plan = Plan::of(&mut archive)?;
    let mut left = limits::UNZIPPED_BYTES;
    for file in &plan.files {
        copy(&mut archive, file.index, &mut io::sink(), &mut left)?;
    }
    Ok(plan.facts(left))
}

/// Unpacks a zip into `directory`, which must exist, be empty and be nobody else's. Directories become 0755, files 0644,
/// or 0755 where the zip lets anybody execute them.
pub fn unpack(zip: &[u8], directory: &Path) -> Result<ZipFacts, ZipError> {
    let mut archive = open(zip)?;
    let plan = Plan::of(&mut archive)?;
    let mut made = HashSet::new();
    for path in &plan.directories {
        make_directories(directory, path, &mut made)?;
    }
    let mut left = limits::UNZIPPED_BYTES;
    for file in &plan.files {
        make_directories(directory, file.path.parent().unwrap_or(Path::new("")), &mut made)?;
        let mode = if file.is_executable { 0o755 } else { 0o644 };
        let options = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).clone();
        let mut target = options.open(directory.join(&file.path)).map_err(collision)?;
        target.set_permissions(Permissions::from_mode(mode)).map_err(ZipError::Disk)?;
        copy(&mut archive, file.index, &mut target, &mut left)?;
    }
    // Links come last: until here nothing leads anywhere else.
    for link in &plan.links {
        make_directories(directory, link.path.parent().unwrap_or(Path::new("")), &mut made)?;
        symlink(&link.target, directory.join(&link.path)).map_err(collision)?;
    }
    Ok(plan.facts(left))
}

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

fn open(zip: &[u8]) -> Result<Archive<'_>, ZipError> {
    let archive = ZipArchive::new(Cursor::new(zip)).map_err(malformed)?;
    if archive.len() > ENTRIES_MAX {
        return Err(ZipError::TooManyEntries);
    }
    Ok(archive)
}

/// What is to be made, every path known to stay inside.
#[derive(Default)]
struct Plan {
    directories: Vec<PathBuf>,
    files: Vec<PlannedFile>,
    links: Vec<PlannedLink>,
}

struct PlannedFile {
    index: usize,
    path: PathBuf,
    is_executable: bool,
}

struct PlannedLink {
    path: PathBuf,
    target: PathBuf,
}

impl Plan {
    fn of(archive: &mut Archive<'_>) -> Result<Plan, ZipError> {
        let mut plan = Plan::default();
        let mut declared: u64 = 0;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(malformed)?;
            let Some(path) = inside(entry.name_raw())? else { continue };
            declared = declared.saturating_add(entry.size());
            if declared > limits::UNZIPPED_BYTES {
                return Err(ZipError::TooLarge);
            }
            if entry.is_dir() {
                plan.directories.push(path);
            } else if entry.is_symlink() {
                let mut target = Vec::new();
                let read = (&mut entry).take(LINK_BYTES_MAX + 1).read_to_end(&mut target);
                read.map_err(malformed)?;
                let target = link_target(&path, &target)?;
                plan.links.push(PlannedLink { path, target });
            } else {
                let is_executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
                plan.files.push(PlannedFile { index, path, is_executable });
            }
        }
        plan.check_ancestors()?;
        Ok(plan)
    }

    /// Nothing lies below a file or a link.
    fn check_ancestors(&self) -> Result<(), ZipError> {
        let files = self.files.iter().map(|file| file.path.as_path());
        let links = self.links.iter().map(|link| link.path.as_path());
        let leaves: HashSet<&Path> = files.clone().chain(links.clone()).collect();
        let directories = self.directories.iter().map(PathBuf::as_path);
        if let Some(path) = directories.clone().find(|path| leaves.contains(path)) {
            return Err(ZipError::Malformed(format!("{} is a directory and is none", path.display())));
        }
        for path in files.chain(links).chain(directories) {
            if path.ancestors().skip(1).any(|ancestor| leaves.contains(ancestor)) {
                return Err(ZipError::Malformed(format!(
                    "{} lies below what is no directory",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    fn facts(&self, left: u64) -> ZipFacts {
        let entries = self.directories.len() + self.files.len() + self.links.len();
        ZipFacts { entries, unpacked_bytes: limits::UNZIPPED_BYTES - left }
    }
}

/// An entry's path, relative and without detours; `None` for the root itself.
fn inside(name: &[u8]) -> Result<Option<PathBuf>, ZipError> {
    let refuse = |why: &str| {
        let name = String::from_utf8_lossy(&name[..name.len().min(PATH_BYTES_MAX)]);
        ZipError::Malformed(format!("{name:?} {why}"))
    };
    if name.len() > PATH_BYTES_MAX {
        return Err(refuse("is too long a path"));
    }
    if name.contains(&0) {
        return Err(refuse("contains NUL"));
    }
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(part) if part.len() > NAME_BYTES_MAX => {
                return Err(refuse("has a name that is too long"));
            }
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            _ => return Err(refuse("leads outside")),
        }
    }
    Ok((!path.as_os_str().is_empty()).then_some(path))
}

/// A link's target, if following it ends inside the code whatever other links there are: relative, `..` only at the
/// beginning and not more often than the link lies deep. (A `..` behind a name would climb from where another link leads.)
fn link_target(link: &Path, target: &[u8]) -> Result<PathBuf, ZipError> {
    let refuse = || ZipError::Malformed(format!("the link {} leads outside", link.display()));
    if target.is_empty() || target.len() as u64 > LINK_BYTES_MAX || target.contains(&0) {
        return Err(refuse());
    }
    let target = Path::new(OsStr::from_bytes(target));
    let mut ups_left = link.components().count() - 1;
    let mut is_climbing = true;
    for component in target.components() {
        match component {
            Component::ParentDir if is_climbing && ups_left > 0 => ups_left -= 1,
            Component::Normal(_) => is_climbing = false,
            Component::CurDir => {}
            _ => return Err(refuse()),
        }
    }
    Ok(target.to_owned())
}

fn make_directories(root: &Path, path: &Path, made: &mut HashSet<PathBuf>) -> Result<(), ZipError> {
    if path.as_os_str().is_empty() || made.contains(path) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directories(root, parent, made)?;
    }
    let full = root.join(path);
    match fs::DirBuilder::new().mode(0o755).create(&full) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(ZipError::Disk(error)),
        _ => {}
    }
    fs::set_permissions(&full, Permissions::from_mode(0o755)).map_err(ZipError::Disk)?;
    made.insert(path.to_owned());
    Ok(())
}

/// Copies one file, taking its bytes from what is `left`: sizes in a zip may lie.
fn copy(
    archive: &mut Archive<'_>,
    index: usize,
    target: &mut impl Write,
    left: &mut u64,
) -> Result<(), ZipError> {
    let mut entry = archive.by_index(index).map_err(malformed)?;
    let mut buffer = [0; 32 * 1024];
    loop {
        let count = entry.read(&mut buffer).map_err(malformed)?;
        if count == 0 {
            return Ok(());
        }
        *left = left.checked_sub(count as u64).ok_or(ZipError::TooLarge)?;
        target.write_all(&buffer[..count]).map_err(ZipError::Disk)?;
    }
}

fn malformed(error: impl std::error::Error) -> ZipError {
    ZipError::Malformed(error.to_string())
}

/// Two entries that are one on this file system, or a disk that fails.
fn collision(error: io::Error) -> ZipError {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => malformed(error),
        _ => ZipError::Disk(error),
    }
}

#[cfg(test)]
mod tests;

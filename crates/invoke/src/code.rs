//! Functions' code and layers, unpacked once per content and kept for every environment to see read-only.

pub mod archive;
mod jars;
mod layers;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use pitbird_records::FunctionVersion;
use pitbird_records::function::LayerUse;
use pitbird_store::Store;
use thiserror::Error;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use archive::{ZipError, ZipFacts};
pub use jars::{Jars, LAYER_JARS, PACKAGE_JARS};

/// Names of directories that aren't whole yet, or are about to go.
const UNFINISHED: &str = "unfinished-";
/// Where the boot is noted in which the directories were written.
const BOOT_FILE: &str = "boot-id";

/// Why a version's code can't be shown to an environment.
#[derive(Debug, Clone, Error)]
pub enum CodeError {
    #[error("the code {sha256_hex} {source}")]
    Zip { sha256_hex: String, source: Arc<ZipError> },
    #[error("the code {sha256_hex} is not in the store")]
    Store { sha256_hex: String, source: Arc<pitbird_store::Error> },
    #[error("the code cache can't be written")]
    Disk(#[source] Arc<io::Error>),
}

/// One zip's content on disk. It stays as long as anybody holds this.
#[derive(Debug)]
pub struct CodeDirectory {
    pub path: PathBuf,
    unpacked_bytes: u64,
    has_libraries: OnceLock<bool>,
    has_native_libraries: OnceLock<bool>,
    /// As a package, and as layers.
    jars: [OnceLock<Jars>; 2],
}

/// What a version's environments see of its own: `/var/task`, and `/opt` where it has layers.
#[derive(Debug, Clone)]
pub struct Files {
    pub code: Arc<CodeDirectory>,
    pub layers: Option<Arc<CodeDirectory>>,
}

impl Files {
    /// Whether `LD_LIBRARY_PATH` leads to anything here that an interpreter may be linked to when it starts.
    pub fn has_libraries(&self) -> bool {
        [Some(&self.code), self.layers.as_ref()].into_iter().flatten().any(|files| files.has_libraries())
    }

    /// The same for a runtime whose own libraries lie in that folder, too.
    pub fn has_native_libraries(&self) -> bool {
        let all = [Some(&self.code), self.layers.as_ref()];
        all.into_iter().flatten().any(|files| files.has_native_libraries())
    }

    /// The jars of the code and of the layers. The first call reads them from the disk.
    pub fn jars(&self) -> [&Jars; 2] {
        static NONE: Jars = Jars { names: Vec::new(), has_client: false };
        let layers = self
            .layers
            .as_ref()
            .map_or(&NONE, |layers| layers.jars[1].get_or_init(|| Jars::read(&layers.path, LAYER_JARS)));
        [self.code.jars[0].get_or_init(|| Jars::read(&self.code.path, PACKAGE_JARS)), layers]
    }
}

impl CodeDirectory {
    fn new(path: PathBuf, unpacked_bytes: u64) -> CodeDirectory {
        CodeDirectory {
            path,
            unpacked_bytes,
            has_libraries: OnceLock::new(),
            has_native_libraries: OnceLock::new(),
            jars: Default::default(),
        }
    }

    /// Shared libraries, beside the code or in their folder, where there may be others.
    fn has_native_libraries(&self) -> bool {
        *self.has_native_libraries.get_or_init(|| {
            let places = [self.path.clone(), self.path.join("lib")];
            let mut entries = places.iter().flat_map(fs::read_dir).flatten().flatten();
            entries.any(|entry| entry.file_name().to_string_lossy().contains(".so"))
        })
    }

    /// A folder for shared libraries, or one of them beside the code.
    fn has_libraries(&self) -> bool {
        *self.has_libraries.get_or_init(|| {
            let is_library = |name: &str| name == "lib" || (name.starts_with("lib") && name.contains(".so"));
            let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
            entries.into_iter().any(|entry| is_library(&entry.file_name().to_string_lossy()))
        })
    }
}

/// All unpacked code, by the SHA-256 of its zip.
#[derive(Debug)]
pub struct CodeCache {
    directory: PathBuf,
    /// Beyond this the directories that nobody uses go, the oldest first.
    limit_bytes: u64,
    known: Mutex<HashMap<String, Known>>,
    number: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    cell: Arc<OnceCell<Arc<CodeDirectory>>>,
    /// Grows with every use of any code.
    used: u64,
}

impl CodeCache {
    /// Opens the directory and clears away what an earlier process left unfinished. What was written before the
    /// machine last started goes too: it was never synced, and is unpacked again when it is needed.
    pub fn open(directory: PathBuf, limit_bytes: u64) -> io::Result<CodeCache> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot_file = directory.join(BOOT_FILE);
        if fs::read_to_string(&boot_file).is_ok_and(|noted| noted != boot || boot.is_empty()) {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        fs::write(boot_file, boot)?;
        let directory = fs::canonicalize(directory)?;
        Ok(CodeCache { directory, limit_bytes, known: Mutex::default(), number: AtomicU64::new(0) })
    }

    /// A version's code and layers, unpacked from the store's blobs if nobody did before.
    pub async fn files(
        self: &Arc<Self>,
        store: &Store,
        record: &FunctionVersion,
    ) -> Result<Files, CodeError> {
        let layers = &record.settings.layers;
        let (code, layers) = tokio::join!(self.get(store, &record.code.sha256_hex), async {
            if layers.is_empty() { Ok(None) } else { self.get_layers(store, layers.clone()).await.map(Some) }
        });
        Ok(Files { code: code?, layers: layers? })
    }

    /// The directory with a zip's content.
    async fn get(self: &Arc<Self>, store: &Store, sha256_hex: &str) -> Result<Arc<CodeDirectory>, CodeError> {
        let (store, name) = (store.clone(), sha256_hex.to_owned());
        let unpack = move |cache: &CodeCache| {
            let zip = store
                .blob(&name)
                .map_err(|source| CodeError::Store { sha256_hex: name.clone(), source: Arc::new(source) })?;
            cache.unpack(&name, &zip).map(|(directory, _)| directory)
        };
        self.get_or(sha256_hex, unpack).await
    }

    async fn get_layers(
        self: &Arc<Self>,
        store: &Store,
        layers: Vec<LayerUse>,
    ) -> Result<Arc<CodeDirectory>, CodeError> {
        let name = layers::name(&layers);
        let (store, key) = (store.clone(), name.clone());
        self.get_or(&name, move |cache| layers::unpack(cache, &store, &key, &layers)).await
    }

    /// The directory of a name: who knows it has it, who doesn't finds it on the disk, or else unpacks it.
    async fn get_or(
        self: &Arc<Self>,
        name: &str,
        unpack: impl FnOnce(&CodeCache) -> Result<Arc<CodeDirectory>, CodeError> + Send + 'static,
    ) -> Result<Arc<CodeDirectory>, CodeError> {
        let cell = self.cell(name);
        let unpack = async || {
            let (cache, name) = (self.clone(), name.to_owned());
            let unpacked = spawn_blocking(move || match cache.found(&name)? {
                Some(found) => Ok(found),
                None => unpack(&cache),
            });
            unpacked.await.unwrap_or_else(|ended| Err(disk(io::Error::other(ended))))
        };
        let directory = cell.get_or_try_init(unpack).await.cloned();
        drop(cell);
        self.trim();
        directory
    }

    /// Unpacks a zip that is about to be stored, so that its first environment finds it there.
    pub async fn admit(self: &Arc<Self>, sha256_hex: &str, zip: Bytes) -> Result<ZipFacts, CodeError> {
        let (cache, name) = (self.clone(), sha256_hex.to_owned());
        let unpacked = spawn_blocking(move || cache.unpack(&name, &zip)).await;
        let (directory, facts) = unpacked.unwrap_or_else(|ended| Err(disk(io::Error::other(ended))))?;
        let _ = self.cell(sha256_hex).set(directory);
        self.trim();
        Ok(facts)
    }

    fn cell(&self, sha256_hex: &str) -> Arc<OnceCell<Arc<CodeDirectory>>> {
        let used = self.number.fetch_add(1, Ordering::Relaxed);
        let mut known = self.lock();
        let known = known.entry(sha256_hex.to_owned()).or_default();
        known.used = used;
        known.cell.clone()
    }

    /// What an earlier process of this boot unpacked.
    fn found(&self, sha256_hex: &str) -> Result<Option<Arc<CodeDirectory>>, CodeError> {
        let path = self.directory.join(sha256_hex);
        if !path.is_dir() {
            return Ok(None);
        }
        let unpacked_bytes = size_of(&path).map_err(disk)?;
        Ok(Some(Arc::new(CodeDirectory::new(path, unpacked_bytes))))
    }

    /// Unpacks beside its place and then moves it there, so that a directory is there entirely or not at all.
    fn unpack(&self, sha256_hex: &str, zip: &[u8]) -> Result<(Arc<CodeDirectory>, ZipFacts), CodeError> {
        let unfinished = self.unfinished();
        fs::create_dir(&unfinished).map_err(disk)?;
        let unpacked = archive::unpack(zip, &unfinished);
        let facts = match unpacked {
            Ok(facts) => facts,
            Err(source) => {
                remove(&unfinished);
                return Err(CodeError::Zip { sha256_hex: sha256_hex.to_owned(), source: Arc::new(source) });
            }
        };
        Ok((self.finish(&unfinished, sha256_hex, facts.unpacked_bytes)?, facts))
    }

    /// Gives a directory that is whole its name.
    fn finish(
        &self,
        unfinished: &Path,
        name: &str,
        unpacked_bytes: u64,
    ) -> Result<Arc<CodeDirectory>, CodeError> {
        let path = self.directory.join(name);
        match show(unfinished, &path) {
            Ok(()) => {}
            // Somebody else was faster; the content is the same.
            Err(_) if path.is_dir() => remove(unfinished),
            Err(error) => {
                remove(unfinished);
                return Err(disk(error));
            }
        }
        Ok(Arc::new(CodeDirectory::new(path, unpacked_bytes)))
    }

    fn unfinished(&self) -> PathBuf {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.directory.join(format!("{UNFINISHED}{number}"))
    }

    /// Removes what nobody uses, the oldest first, until the rest is within the limit.
    fn trim(&self) {
        let mut known = self.lock();
        let size = |known: &Known| known.cell.get().map_or(0, |directory| directory.unpacked_bytes);
        let mut total: u64 = known.values().map(size).sum();
        while total > self.limit_bytes {
            let unused = known.iter().filter(|(_, known)| {
                // Whoever takes either count up does so through the map, which is locked.
                let is_held = known.cell.get().is_none_or(|directory| Arc::strong_count(directory) > 1);
                !is_held && Arc::strong_count(&known.cell) == 1
            });
            let Some(name) = unused.min_by_key(|(_, known)| known.used).map(|(name, _)| name.clone()) else {
                return;
            };
            let gone = known.remove(&name).expect("it was found just now");
            total -= size(&gone);
            let unfinished = self.unfinished();
            if fs::rename(self.directory.join(&name), &unfinished).is_ok() {
                // Whatever runs this has better things to do than to unlink thousands of files.
                std::thread::spawn(move || remove(&unfinished));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets others look into a directory, and gives it its name.
fn show(unfinished: &Path, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(unfinished, fs::Permissions::from_mode(0o755))?;
    fs::rename(unfinished, path)
}

fn remove(directory: &Path) {
    if let Err(error) = fs::remove_dir_all(directory) {
        tracing::warn!(path = %directory.display(), %error, "unused code stays behind");
    }
}

fn size_of(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

fn disk(error: io::Error) -> CodeError {
    CodeError::Disk(Arc::new(error))
}

#[cfg(test)]
mod tests;

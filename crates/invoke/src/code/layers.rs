//! Layers, unpacked over each other into one directory: what a function sees as `/opt`.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use pitbird_records::function::LayerUse;
use pitbird_store::Store;
use sha2::{Digest, Sha256};

use super::{CodeCache, CodeDirectory, CodeError, archive, disk, remove, size_of};

/// The name of the directory in which these layers lie over each other. One alone is its zip's.
pub fn name(layers: &[LayerUse]) -> String {
    if let [alone] = layers {
        return alone.code.sha256_hex.clone();
    }
    let mut hash = Sha256::new();
    for layer in layers {
        hash.update(&layer.code.sha256_hex);
        hash.update("\n");
    }
    let mut name = String::with_capacity(64);
    for byte in hash.finalize() {
        write!(name, "{byte:02x}").expect("a String takes everything");
    }
    name
}

/// Unpacks layers from the store's blobs, each over those before it.
pub fn unpack(
    cache: &CodeCache,
    store: &Store,
    name: &str,
    layers: &[LayerUse],
) -> Result<Arc<CodeDirectory>, CodeError> {
    let all = cache.unfinished();
    fs::create_dir(&all).map_err(disk)?;
    let laid = layers.iter().try_for_each(|layer| {
        let sha256_hex = &layer.code.sha256_hex;
        let zip = store.blob(sha256_hex).map_err(|source| CodeError::Store {
            sha256_hex: sha256_hex.clone(),
            source: Arc::new(source),
        })?;
        let one = cache.unfinished();
        fs::create_dir(&one).map_err(disk)?;
        let unpacked = archive::unpack(&zip, &one)
            .map_err(|source| CodeError::Zip { sha256_hex: sha256_hex.clone(), source: Arc::new(source) });
        let laid = unpacked.and_then(|_| lay_over(&one, &all).map_err(disk));
        remove(&one);
        laid
    });
    let size = laid.and_then(|()| size_of(&all).map_err(disk));
    match size {
        Ok(unpacked_bytes) => cache.finish(&all, name, unpacked_bytes),
        Err(error) => {
            remove(&all);
            Err(error)
        }
    }
}

/// Moves what is in `upper` into `lower`. Directories are joined; anything else takes the place of what has its name.
/// Links are moved as they are and never followed.
fn lay_over(upper: &Path, lower: &Path) -> io::Result<()> {
    for entry in fs::read_dir(upper)? {
        let entry = entry?;
        let place = lower.join(entry.file_name());
        let is_directory = entry.file_type()?.is_dir();
        match fs::symlink_metadata(&place) {
            Ok(there) if there.is_dir() && is_directory => {
                lay_over(&entry.path(), &place)?;
                continue;
            }
            Ok(there) if there.is_dir() => fs::remove_dir_all(&place)?,
            Ok(_) => fs::remove_file(&place)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        fs::rename(entry.path(), &place)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_later_lies_over_the_earlier() {
        let directory = tempfile::tempdir().unwrap();
        let (lower, upper, outside) =
            (directory.path().join("l"), directory.path().join("u"), directory.path().join("o"));
        put(&lower.join("both/lower"), "lower");
        put(&lower.join("both/same"), "lower");
        put(&lower.join("was_directory/a"), "lower");
        put(&lower.join("was_file"), "lower");
        put(&outside.join("secret"), "outside");
        symlink(&outside, lower.join("link")).unwrap();
        put(&upper.join("both/upper"), "upper");
        put(&upper.join("both/same"), "upper");
        put(&upper.join("was_directory"), "upper");
        put(&upper.join("was_file/a"), "upper");
        put(&upper.join("link/secret"), "upper");
        lay_over(&upper, &lower).unwrap();
        let read = |path: &str| fs::read_to_string(lower.join(path)).unwrap();
        assert_eq!(read("both/lower"), "lower");
        for path in ["both/upper", "both/same", "was_directory", "was_file/a", "link/secret"] {
            assert_eq!(read(path), "upper", "{path}");
        }
        assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), "outside", "no link is followed");
    }
}

//! Price lists in files, for whoever takes `--prices FILE`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pitbird_prices::PriceList;
use thiserror::Error;

/// Bytes of a file that are read; a list has no more than a MiB, and more than that is refused by it.
const BYTES_MAX: u64 = (1 << 20) + 1;

/// Why a file has no prices.
#[derive(Debug, Error)]
pub enum PricesError {
    #[error("can't read the prices in {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is no price list: {source}", .path.display())]
    NoList { path: PathBuf, source: pitbird_prices::Error },
}

/// Reads a file of prices.
///
/// # Errors
/// When it can't be read, or has no list: see [`PriceList::parse`].
pub fn read_prices(path: &Path) -> Result<PriceList, PricesError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text));
    read.map_err(|source| PricesError::Unreadable { path: path.to_owned(), source })?;
    PriceList::parse(&text).map_err(|source| PricesError::NoList { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_prices_is_read_or_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path
        };
        let embedded = file("own.toml", PriceList::EMBEDDED);
        assert_eq!(read_prices(&embedded).expect("a list"), *PriceList::embedded());
        let error = |path: &Path| read_prices(path).expect_err("no list").to_string();
        let none = folder.path().join("none");
        assert!(error(&none).starts_with(&format!("can't read the prices in {}: ", none.display())));
        let wrong = file("wrong.toml", "as_of = 1");
        assert!(error(&wrong).starts_with(&format!("{} is no price list: ", wrong.display())));
        let long = file("long.toml", &" ".repeat(BYTES_MAX as usize + 5));
        assert!(error(&long).contains("it has more than 1048576 bytes"), "{}", error(&long));
    }
}

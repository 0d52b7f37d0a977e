//! The demo function's code package: this very binary as `bootstrap`, and a file that says which release it is.

use std::io::{Cursor, Write};

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Above this a binary (a debug build, with its symbols) has to be compressed to fit into a call: 160 MB become 40.
const STORED_BYTES_MAX: usize = 40 << 20;

/// The zip of a release. Stored where it fits, since it never leaves this machine and packing costs a second.
pub fn zipped(release: &str) -> Result<Vec<u8>> {
    let binary = std::fs::read("/proc/self/exe").context("can't read the running binary")?;
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let options = match binary.len() {
        0..=STORED_BYTES_MAX => stored,
        _ => stored.compression_method(CompressionMethod::Deflated).compression_level(Some(4)),
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(binary.len() + 1024)));
    zip.start_file("bootstrap", options.unix_permissions(0o755))?;
    zip.write_all(&binary)?;
    zip.start_file("release", options.unix_permissions(0o644))?;
    writeln!(zip, "{release}")?;
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_says_its_release() {
        let package = zipped("v9").unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(package)).unwrap();
        assert_eq!(std::io::read_to_string(zip.by_name("release").unwrap()).unwrap(), "v9\n");
        assert_eq!(zip.by_name("bootstrap").unwrap().unix_mode().map(|mode| mode & 0o777), Some(0o755));
    }
}

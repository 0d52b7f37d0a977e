use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

/// A zip of these files, name and content, each executable.
pub fn zipped(files: &[(&str, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut package = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        package
            .start_file(*name, SimpleFileOptions::default().unix_permissions(0o755))
            .expect("a file's name");
        package.write_all(content.as_ref()).expect("memory can be written");
    }
    package.finish().expect("memory can be written").into_inner()
}

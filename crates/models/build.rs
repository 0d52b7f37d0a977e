//! Deflates the models, and takes from each the line of its metadata.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names a folder"));
    println!("cargo::rerun-if-changed={}", models.display());
    for entry in std::fs::read_dir(&models).expect("the folder of the models") {
        let path = entry.expect("a file").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let Some(key) = name.strip_suffix(".json").filter(|key| !key.contains('.')) else { continue };
        let text = std::fs::read_to_string(&path).expect("a model");
        let line = text.lines().find_map(|line| line.strip_prefix("\"metadata\":"));
        let metadata = line.unwrap_or_else(|| panic!("{name} has its metadata on a line of its own"));
        let metadata = metadata.strip_suffix(',').unwrap_or(metadata);
        std::fs::write(out.join(format!("{key}.metadata.json")), metadata).expect("a file");
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
        deflated.write_all(text.as_bytes()).expect("memory");
        let deflated = deflated.finish().expect("memory");
        std::fs::write(out.join(format!("{key}.json.deflate")), deflated).expect("a file");
    }
}

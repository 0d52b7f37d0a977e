//! Releases driven by `pitbird-aws` on this server, as it would drive them on AWS: by the public endpoint and nothing else.

use std::path::Path;

use pitbird_testkit::{Server, python};

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");

#[test]
fn releases_by_aws_own_apis_end_as_they_should() {
    let Some(python) = python() else { return };
    let program = Path::new(BINARY).with_file_name("pitbird-aws");
    if !program.is_file() {
        eprintln!("SKIPPED: pitbird-aws isn't built; `cargo build -p pitbird-aws` does it");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws/tests/python/releases.py");
    let text = |path: &Path| path.to_str().expect("a path of text").to_owned();
    let (program, journal) = (text(&program), text(folder.path()));
    let stories = ["bad_alias", "good_alias", "bad_stage", "good_stage"];
    let arguments: Vec<&str> = [program.as_str(), &journal, "pitbird"].into_iter().chain(stories).collect();
    python.check(&Server::start(BINARY), &script, &arguments);
}

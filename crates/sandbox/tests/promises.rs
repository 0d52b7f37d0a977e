//! docs/sandbox.md names the tests that try to break its promises; they must be there.

use std::path::Path;

#[test]
fn every_promise_has_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../../docs/sandbox.md")).expect("docs/sandbox.md");
    let named: Vec<(&str, &str)> =
        page.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    assert!(named.len() > 20, "the page names its tests as `file::test`");
    for (file, test) in named {
        let path = root.join(format!("tests/isolation/{file}.rs"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.contains(&format!("fn {test}(")), "{file}.rs has no test {test}");
    }
}

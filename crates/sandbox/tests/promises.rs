//! docs/sandbox.md names the tests that try to break its promises; they must be there, for each promise, and must run.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/sandbox.md")).expect("docs/sandbox.md")
}

/// What stands between backticks.
fn names(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The texts of all Rust files in a folder and those below it.
fn sources(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut texts = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            texts.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(std::fs::read_to_string(&path).expect("a text"));
        }
    }
    texts
}

/// Is there a test of this name that is run whenever the others are?
fn has_test(text: &str, test: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begins = |line: &&str| line.contains(&format!("fn {test}("));
    let Some(at) = lines.iter().position(begins) else { return false };
    let mut attributes =
        lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    // That none is left out by an attribute is a rule of the house's own.
    attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

/// A test as `file::test` of this crate's, or one of its name in a crate that is named beside it.
fn check(name: &str, places: &[&str]) {
    let found = match name.split_once("::") {
        Some((file, test)) => {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/isolation/{file}.rs"));
            let text = std::fs::read_to_string(&path);
            has_test(&text.unwrap_or_else(|error| panic!("{}: {error}", path.display())), test)
        }
        None => places.iter().any(|place| {
            ["src", "tests"].iter().any(|part| {
                let folder = root().join(place).join(part);
                folder.is_dir() && sources(&folder).iter().any(|text| has_test(text, name))
            })
        }),
    };
    assert!(found, "there is no test {name}");
}

#[test]
fn every_promise_has_its_tests() {
    let page = page();
    let (_, table) = page.split_once("\n| promise |").expect("the table of promises");
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        let [_, promise, _, tests, _] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let (places, tests): (Vec<_>, Vec<_>) =
            names(tests).into_iter().partition(|name| name.starts_with("crates/"));
        assert!(!tests.is_empty(), "nothing tries to break this:{promise}");
        tests.into_iter().for_each(|test| check(test, &places));
    }
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let page = page();
    let named: Vec<&str> = names(&page).into_iter().filter(|name| name.contains("::")).collect();
    assert!(named.len() > 20, "the page names its tests as `file::test`");
    named.into_iter().for_each(|name| check(name, &[]));
    let scripts: Vec<&str> = names(&page).into_iter().filter(|name| name.ends_with(".py")).collect();
    assert!(!scripts.is_empty(), "those of the whole server are scripts");
    let runners = sources(&root().join("crates/server/tests"));
    for script in scripts {
        assert!(root().join(script).is_file(), "there is no {script}");
        let file = script.rsplit('/').next().expect("a name");
        assert!(runners.iter().any(|runner| runner.contains(file)), "nothing runs {script}");
    }
}

//! Paths of requests and the templates that they are held against.

use pitbird_paths::{Router, Template, decode};

use crate::Target;

/// A line per template; what is read as one is asked for as a path too.
pub const PATHS: Target = Target {
    name: "paths",
    pieces: &[
        "/", "//", "{a}", "{b+}", "{", "}", "+", "a", "b", "%2F", "%zz", "*", ".", "..", "\n", "/{a}",
        "/{p+}", "\u{e9}",
    ],
    seeds: &[b"/a/{b}/c", b"/{p+}", b"/\n/a\n/{a}\n/a/{p+}"],
    reads: |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut router = Router::new();
        for line in text.lines() {
            if let Ok(template) = Template::parse(line) {
                let _ = router.insert(&template, ());
            }
        }
        for line in text.lines() {
            let path = decode(line);
            if let Some(found) = router.find(&path) {
                assert!(found.captures().all(|(_, value)| path.contains(value)));
            }
            // Nothing fits, so that every way is tried.
            assert!(router.find_where(&path, |_| false).is_none());
        }
        !router.is_empty()
    },
};

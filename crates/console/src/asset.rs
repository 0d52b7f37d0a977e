//! The page's own files, embedded as they lie in `assets/`.

use std::hash::{DefaultHasher, Hash, Hasher};

use http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use http::request::Parts;
use http::{Response, StatusCode};

use crate::answer::{self, Answer};

/// Pages of the console: each is the one document, which looks at its own address. `metrics` is Prometheus' address.
const PAGES: &[&str] = &["", "releases", "apis", "functions", "charts", "logs", "query", "alarms"];

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

macro_rules! assets {
    ($($name:literal: $kind:expr),* $(,)?) => {
        /// Name below `assets/`, type, content.
        const ASSETS: &[(&str, &str, &str)] =
            &[$(($name, $kind, include_str!(concat!("../assets/", $name)))),*];
    };
}

assets! {
    "index.html": HTML,
    "console.css": STYLE,
    "bird.svg": PICTURE,
    "main.js": SCRIPT,
    "alarms.js": SCRIPT,
    "apis.js": SCRIPT,
    "chart.js": SCRIPT,
    "function.js": SCRIPT,
    "metrics.js": SCRIPT,
    "query.js": SCRIPT,
    "functions.js": SCRIPT,
    "calls.js": SCRIPT,
    "dom.js": SCRIPT,
    "words.js": SCRIPT,
    "live.js": SCRIPT,
    "logs.js": SCRIPT,
    "measured.js": SCRIPT,
    "releases.js": SCRIPT,
    "release.js": SCRIPT,
    "report.js": SCRIPT,
}

/// The file or page below the console's root.
pub fn answer(below: &str, parts: &Parts) -> Response<Answer> {
    let found = match below.strip_prefix("assets/") {
        Some(name) => ASSETS.iter().find(|(known, ..)| *known == name),
        None if PAGES.contains(&below.split('/').next().unwrap_or_default()) => ASSETS.first(),
        None => None,
    };
    let Some((_, kind, content)) = found else {
        return answer::refused(StatusCode::NOT_FOUND, "Path", "there is nothing at this path");
    };
    let tag = tag(content);
    let is_known = parts.headers.get(IF_NONE_MATCH).is_some_and(|known| *known == tag);
    let mut response = match is_known {
        true => answer::body(StatusCode::NOT_MODIFIED, kind, ""),
        false => answer::body(StatusCode::OK, kind, *content),
    };
    // Kept, but asked for each time: another binary may have another page.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.headers_mut().insert(ETAG, tag);
    response
}

fn tag(content: &str) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    HeaderValue::from_str(&format!("\"{:016x}\"", hasher.finish())).expect("digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that the page may add to the binary.
    const BYTES_MAX: usize = 150 << 10;

    #[test]
    fn the_page_is_small() {
        let bytes: usize = ASSETS.iter().map(|(_, _, content)| content.len()).sum();
        assert!(bytes <= BYTES_MAX, "{bytes} bytes");
    }

    #[test]
    fn every_file_is_embedded_and_every_import_is_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(ASSETS.iter().any(|(known, ..)| *known == name), "{name} isn't embedded");
        }
        for (name, _, content) in ASSETS {
            for imported in content.split(" from \"./").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert!(ASSETS.iter().any(|(known, ..)| *known == imported), "{name} imports {imported}");
            }
        }
    }

    #[test]
    fn nothing_becomes_markup() {
        for (name, _, content) in ASSETS {
            for word in [
                "innerHTML",
                "outerHTML =",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                " style=\"",
                "onclick=",
            ] {
                assert!(!content.contains(word), "{name} has {word}");
            }
        }
    }
}

//! A path, a NUL, and a body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pitbird_mapping::jsonpath::JsonPath;

fuzz_target!(|text: &str| {
    let (path, body) = text.split_once('\0').unwrap_or((text, r#"{"a":[1,{"b":"c"}],"d":"e"}"#));
    let Ok(path) = JsonPath::parse(path) else { return };
    let _ = path.read_json(body);
    let _ = path.read_text(body);
});

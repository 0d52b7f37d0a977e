//! JSON written piece by piece into a byte buffer.

/// Writes a string with its quotes and escapes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a Vec takes every byte");
}

/// Writes a string, or `null`.
pub(crate) fn string_or_null(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => raw(out, "null"),
    }
}

/// Writes what is JSON already.
pub(crate) fn raw(out: &mut Vec<u8>, json: &str) {
    out.extend_from_slice(json.as_bytes());
}

/// Writes an object of strings, or `null` if there is no member.
pub(crate) fn object<'t>(out: &mut Vec<u8>, members: impl Iterator<Item = (&'t str, &'t str)>) {
    let mut lead = b'{';
    for (name, value) in members {
        out.push(lead);
        lead = b',';
        string(out, name);
        out.push(b':');
        string(out, value);
    }
    raw(out, if lead == b',' { "}" } else { "null" });
}

//! What `$util` does with texts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// `URLEncoder.encode` leaves these, and makes a plus of a blank.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

pub fn url_encode(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string().replace(' ', "+")
}

/// Bytes that are no UTF-8 become U+FFFD; what is no `%XX` stays.
pub fn url_decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

pub fn base64_encode(text: &str) -> String {
    STANDARD.encode(text)
}

/// `None` for what isn't base64. Bytes that are no UTF-8 become U+FFFD.
pub fn base64_decode(text: &str) -> Option<String> {
    let bytes = STANDARD.decode(text.trim()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether [`escape_javascript`] leaves a text as it is.
pub fn is_plain_javascript(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\' | b'/'))
}

/// Apache Commons' `escapeJavaScript`: quotes, backslashes and slashes get a backslash, control characters and everything beyond ASCII
/// an escape. AWS's page says that single quotes come out as `\'`, which JSON doesn't know, and to undo them with
/// `.replaceAll("\\'","'")`.
pub fn escape_javascript(text: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '"' | '\'' | '\\' | '/' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\u{8}' => escaped.push_str("\\b"),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\u{c}' => escaped.push_str("\\f"),
            '\r' => escaped.push_str("\\r"),
            ' '..='~' => escaped.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing to a string can't fail.
                    let _ = write!(escaped, "\\u{unit:04X}");
                }
            }
        }
    }
    escaped
}

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

/// Apache Commons' `escapeJavaScript`, written behind what is there: quotes, backslashes and slashes get a backslash, control
/// characters and everything beyond ASCII an escape. AWS's page says that single quotes come out as `\'`, which JSON doesn't know, and to
/// undo them with `.replaceAll("\\'","'")`.
pub fn escape_javascript(text: &str, out: &mut String) {
    use std::fmt::Write;
    let mut rest = text;
    loop {
        let plain = plain_javascript(rest);
        out.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let mut letters = rest.chars();
        let Some(letter) = letters.next() else { return };
        rest = letters.as_str();
        match letter {
            '"' | '\'' | '\\' | '/' => {
                out.push('\\');
                out.push(letter);
            }
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing to a string can't fail.
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
        }
    }
}

/// How many bytes at a text's beginning [`escape_javascript`] leaves as they are.
pub fn plain_javascript(text: &str) -> usize {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\' | b'/');
    text.bytes().position(|byte| !is_plain(&byte)).unwrap_or(text.len())
}

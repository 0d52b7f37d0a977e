//! JSON written piece by piece into a byte buffer.

/// Writes a string with its quotes and escapes. Events are mostly short strings without escapes, so those are found
/// eight bytes at a time and copied whole.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(plain) = first_escape(rest) {
        out.extend_from_slice(&rest[..plain]);
        escape(out, rest[plain]);
        rest = &rest[plain + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Where the first byte is that JSON wants escaped: a quote, a backslash, or one below a space.
fn first_escape(bytes: &[u8]) -> Option<usize> {
    let (words, tail) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let marks = escapes(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(8 * at + marks.trailing_zeros() as usize / 8);
        }
    }
    // The last eight bytes once more; those that were looked at have no mark.
    match bytes.last_chunk::<8>() {
        Some(word) if !tail.is_empty() => {
            let marks = escapes(u64::from_le_bytes(*word));
            (marks != 0).then(|| bytes.len() - 8 + marks.trailing_zeros() as usize / 8)
        }
        Some(_) => None,
        None => tail.iter().position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\'),
    }
}

/// The high bit of each byte that wants an escape. Borrows may mark a byte above one that is rightly marked, so only the
/// lowest mark counts, and it is right.
fn escapes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & (ONES << 7);
    let equals = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    below(word, b' ') | equals(b'"') | equals(b'\\')
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', DIGITS[high], DIGITS[low]]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[test]
    fn each_byte_is_escaped_wherever_it_stands() {
        for odd in (0..128).map(char::from).chain(['é', '\u{2028}', '\u{10ffff}']) {
            for lead in 0..20 {
                let text = format!("{}{odd}tail", "x".repeat(lead));
                let mut out = Vec::new();
                super::string(&mut out, &text);
                assert_eq!(out, serde_json::to_vec(&text).unwrap(), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_string_reads_back(text in "(.|[\\x00-\\x7f]){0,40}") {
            let mut out = Vec::new();
            super::string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}

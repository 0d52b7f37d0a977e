use smallvec::SmallVec;

/// The spelling of header names as a function sees it: the caller's own where the head's bytes are known, else each
/// word's first letter in upper case, as API Gateway has it for common headers.
pub(crate) struct NamesShown<'a> {
    given: SmallVec<[&'a str; 24]>,
}

impl<'a> NamesShown<'a> {
    pub fn read(raw_head: &'a [u8]) -> NamesShown<'a> {
        let mut given = SmallVec::new();
        let mut rest = raw_head;
        while let Some(newline) = memchr::memchr(b'\n', rest) {
            rest = &rest[newline + 1..];
            if rest.starts_with(b"\r\n") {
                break;
            }
            let line_end_or_colon = memchr::memchr2(b':', b'\n', rest).unwrap_or(rest.len());
            let name = &rest[..line_end_or_colon];
            given.extend(std::str::from_utf8(name).ok().filter(|name| !name.is_empty()));
        }
        NamesShown { given }
    }

    /// How to show the header that HTTP calls `name` (in lower case).
    pub fn shown<'n>(&self, name: &'n str) -> &'n str
    where
        'a: 'n,
    {
        self.listed(name).unwrap_or(name)
    }

    fn listed(&self, name: &str) -> Option<&'a str> {
        let listed = self.given.iter().chain(&USUAL);
        listed.copied().find(|listed| listed.eq_ignore_ascii_case(name))
    }
}

/// Whether `name` is how a header is shown that HTTP calls so, but for its letters. Who asks for one name reads no others.
pub(crate) fn is_shown(raw_head: &[u8], name: &str) -> bool {
    let usual = || USUAL.iter().map(|usual| usual.as_bytes()).find(|usual| is_same(usual, name));
    match given(raw_head, name).or_else(usual) {
        Some(listed) => listed == name.as_bytes(),
        None => !name.bytes().any(|byte| byte.is_ascii_uppercase()),
    }
}

/// The name as the head has it.
fn given<'a>(raw_head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut lines = memchr::memchr_iter(b'\n', raw_head).map(|newline| newline + 1);
    let mut start = lines.next()?;
    loop {
        let rest = &raw_head[start..];
        if rest.starts_with(b"\r\n") {
            return None;
        }
        if rest.get(name.len()) == Some(&b':') && is_same(&rest[..name.len()], name) {
            return Some(&rest[..name.len()]);
        }
        start = lines.next()?;
    }
}

fn is_same(given: &[u8], name: &str) -> bool {
    given.eq_ignore_ascii_case(name.as_bytes())
}

/// Usual spellings, for heads whose bytes are unknown (HTTP/2, pipelined requests).
const USUAL: [&str; 16] = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cache-Control",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Host",
    "If-Match",
    "If-None-Match",
    "Origin",
    "Referer",
    "User-Agent",
    "X-Amzn-Trace-Id",
    "X-Forwarded-For",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_spelling_is_kept() {
        let head = b"GET / HTTP/1.1\r\nhOST: a\r\nX-ODD: 1\r\n\r\nx-body: 2";
        let names = NamesShown::read(head);
        assert_eq!(names.shown("host"), "hOST");
        assert_eq!(names.shown("x-odd"), "X-ODD");
        assert_eq!(names.shown("x-body"), "x-body");
        assert_eq!(names.shown("user-agent"), "User-Agent");
        let shown = ["hOST", "Host", "X-ODD", "x-odd", "User-Agent", "user-agent", "x-body", "X-Body"];
        let is_shown = shown.map(|name| is_shown(head, name));
        assert_eq!(is_shown, [true, false, true, false, true, false, true, false]);
    }

    #[test]
    fn odd_bytes_are_passed_over() {
        for head in [&b""[..], b"\n\n\n", b"GET\r\n:\r\n\xff\xfe: 1\r\n", b"no line"] {
            assert_eq!(NamesShown::read(head).shown("x-a"), "x-a");
            assert!(is_shown(head, "x-a") && !is_shown(head, "X-A"));
        }
    }
}

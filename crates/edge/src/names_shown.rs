use smallvec::SmallVec;

/// The spelling of header names as a function sees it: the caller's own where the head's bytes are known, else each
/// word's first letter in upper case, as API Gateway has it for common headers.
pub(crate) struct NamesShown<'a> {
    given: SmallVec<[&'a str; 24]>,
}

impl<'a> NamesShown<'a> {
    pub fn read(raw_head: &'a [u8]) -> NamesShown<'a> {
        let mut given = SmallVec::new();
        let end = memchr::memmem::find(raw_head, b"\r\n\r\n").unwrap_or(raw_head.len());
        for line in raw_head[..end].split(|byte| *byte == b'\n').skip(1) {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
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

    /// Whether `name` is how a header is shown that HTTP calls so, but for its letters.
    pub fn is_shown(&self, name: &str) -> bool {
        match self.listed(name) {
            Some(listed) => listed == name,
            None => !name.bytes().any(|byte| byte.is_ascii_uppercase()),
        }
    }

    fn listed(&self, name: &str) -> Option<&'a str> {
        let listed = self.given.iter().chain(&USUAL);
        listed.copied().find(|listed| listed.eq_ignore_ascii_case(name))
    }
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
        let names = NamesShown::read(b"GET / HTTP/1.1\r\nhOST: a\r\nX-ODD: 1\r\n\r\nx-body: 2");
        assert_eq!(names.shown("host"), "hOST");
        assert_eq!(names.shown("x-odd"), "X-ODD");
        assert_eq!(names.shown("x-body"), "x-body");
        assert_eq!(names.shown("user-agent"), "User-Agent");
        let is_shown = ["hOST", "Host", "X-ODD", "x-odd", "User-Agent", "user-agent", "x-body", "X-Body"];
        let is_shown = is_shown.map(|name| names.is_shown(name));
        assert_eq!(is_shown, [true, false, true, false, true, false, true, false]);
    }

    #[test]
    fn odd_bytes_are_passed_over() {
        for head in [&b""[..], b"\n\n\n", b"GET\r\n:\r\n\xff\xfe: 1\r\n", b"no line"] {
            assert_eq!(NamesShown::read(head).shown("x-a"), "x-a");
        }
    }
}

//! The one form in which client and server write a request down before they hash it.

use crate::Request;
use crate::identity::is_s3;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use std::fmt::Write;

/// All but the unreserved characters of RFC 3986.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const RESERVED_IN_PATH: AsciiSet = RESERVED.remove(b'/');

/// The canonical request. `signed` are header names in lower case, in the order of the signature; `payload` is the hash
/// in hexadecimal, or the word that stands for it.
pub(crate) fn request(path: &str, request: &Request<'_>, signed: &[&str], payload: &str) -> Vec<u8> {
    let mut out = format!("{}\n{path}\n{}\n", request.method, query(request)).into_bytes();
    for name in signed {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        for (at, value) in request.values(name).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            push_trimmed(&mut out, value);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(signed.join(";").as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload.as_bytes());
    out
}

/// The canonical forms of a path, the likely one first. S3 signs the path encoded once. The others sign it as it is on
/// the wire, encoded once more, with dot segments and double slashes taken out; some clients leave those in.
pub(crate) fn paths(wire: &str, service: &str) -> Vec<String> {
    let wire = if wire.is_empty() { "/" } else { wire };
    if is_s3(service) {
        let bytes: Vec<u8> = percent_decode_str(wire).collect();
        return vec![percent_encode(&bytes, &RESERVED_IN_PATH).to_string()];
    }
    let encode = |path: &str| percent_encode(path.as_bytes(), &RESERVED_IN_PATH).to_string();
    let normal = normalized(wire);
    if normal == wire { vec![encode(wire)] } else { vec![encode(&normal), encode(wire)] }
}

/// RFC 3986 §5.2.4, and no empty segments.
fn normalized(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let tail = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{tail}", segments.join("/"))
}

/// All parameters but the signature itself, decoded, encoded anew and sorted.
fn query(request: &Request<'_>) -> String {
    let encode = |bytes: &[u8]| percent_encode(bytes, &RESERVED).to_string();
    let mut pairs: Vec<(String, String)> = request
        .parameters()
        .filter(|(name, _)| &**name != b"X-Amz-Signature")
        .map(|(name, value)| (encode(&name), encode(&value)))
        .collect();
    pairs.sort_unstable();
    let mut out = String::with_capacity(request.query.len() + 16);
    for (at, (name, value)) in pairs.iter().enumerate() {
        let lead = if at > 0 { "&" } else { "" };
        write!(out, "{lead}{name}={value}").expect("a String takes all text");
    }
    out
}

/// Encodes a value for a query string.
pub(crate) fn encoded(text: &str) -> String {
    percent_encode(text.as_bytes(), &RESERVED).to_string()
}

/// Writes a header's value without space at its ends and with single spaces inside.
fn push_trimmed(out: &mut Vec<u8>, value: &[u8]) {
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_encoded_twice_but_once_for_s3() {
        for (wire, service, want) in [
            ("", "lambda", &["/"][..]),
            ("/", "lambda", &["/"]),
            ("/functions/f%3Alive", "lambda", &["/functions/f%253Alive"]),
            ("/functions/f:live", "lambda", &["/functions/f%3Alive"]),
            ("/a/./b/../c", "iam", &["/a/c", "/a/./b/../c"]),
            ("//a//b/", "execute-api", &["/a/b/", "//a//b/"]),
            ("/..", "iam", &["/", "/.."]),
            ("/b//k%20y%2B~!", "s3", &["/b//k%20y%2B~%21"]),
            ("/b/k%c3%a9/..", "s3", &["/b/k%C3%A9/.."]),
        ] {
            assert_eq!(paths(wire, service), want, "{wire} {service}");
        }
    }

    #[test]
    fn a_query_is_sorted_as_encoded() {
        for (wire, want) in [
            ("", ""),
            ("b=2&a=1&b=1", "a=1&b=1&b=2"),
            ("flag&A=x%2fy", "A=x%2Fy&flag="),
            ("a=b=c&&x=~-._", "a=b%3Dc&x=~-._"),
            ("q=a+b%20c%2B", "q=a%20b%20c%2B"),
            ("aa=1&a=2&a%2D=3", "a=2&a-=3&aa=1"),
            ("X-Amz-Signature=no&k=v", "k=v"),
        ] {
            let found = query(&Request { method: "GET", path: "/", query: wire, headers: &[] });
            assert_eq!(found, want, "{wire}");
        }
    }

    #[test]
    fn headers_are_trimmed_and_joined() {
        let headers: &[(&str, &[u8])] = &[("My-Header", b"  a   b\tc "), ("host", b"h"), ("my-header", b"d")];
        let plain = Request { method: "GET", path: "/", query: "", headers };
        let text = String::from_utf8(request("/", &plain, &["host", "my-header", "none"], "hash")).unwrap();
        assert_eq!(text, "GET\n/\n\nhost:h\nmy-header:a b c,d\nnone:\n\nhost;my-header;none\nhash");
    }
}

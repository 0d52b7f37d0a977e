//! What functions bring: their answers and their packages.

use bytes::Bytes;
use pitbird_event::{MediaTypes, http_reply, http_reply_1, reply, stream_prelude};
use pitbird_invoke::check_zip;

use crate::Target;

pub const REPLY: Target = Target {
    name: "reply",
    pieces: &[
        "{\"statusCode\":",
        "200",
        "\"404\"",
        "99999",
        ",\"headers\":{\"a\":\"b\",\"Set-Cookie\":1}",
        ",\"multiValueHeaders\":{\"a\":[\"b\",true]}",
        ",\"cookies\":[\"a=b\"]",
        ",\"body\":\"aGk=\"",
        ",\"body\":{}",
        ",\"isBase64Encoded\":true",
        "\"\\ud800\"",
        "\"\\n\"",
        "null",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
    ],
    seeds: &[
        b"{\"statusCode\":200,\"headers\":{\"A\":\"b\"},\"multiValueHeaders\":{\"c\":[\"d\"]},\"body\":\"aGk=\",\"isBase64Encoded\":true}",
        b"{\"statusCode\":\"201\",\"cookies\":[\"a=b; Secure\"],\"body\":\"x\"}",
        b"\"text\"",
    ],
    reads: |bytes| {
        let payload = Bytes::copy_from_slice(bytes);
        let types = ["image/*".to_owned(), "*/*".to_owned()];
        let by_rest = reply(&payload, Some(b"image/png, */*;q=0.1"), MediaTypes(&types)).is_ok();
        let _ = stream_prelude(bytes, "text/plain");
        by_rest | http_reply(&payload, "text/plain").is_ok() | http_reply_1(&payload, "text/plain").is_ok()
    },
};

/// Empty, and one file without compression.
const ZIPS: &[&[u8]] = &[
    b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0\x83\x16\xdc\x8c\x01\0\0\0\x01\0\0\0\x01\0\0\0axPK\x01\x02\x1e\x03\x0a\0\0\0\0\0\0\0\x21\0\x83\x16\xdc\x8c\x01\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\xa4\x81\0\0\0\0aPK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0\x20\0\0\0\0\0",
];

pub const ZIP: Target = Target {
    name: "zip",
    pieces: &[
        "PK\u{3}\u{4}",
        "PK\u{1}\u{2}",
        "PK\u{5}\u{6}",
        "PK\u{6}\u{6}",
        "PK\u{6}\u{7}",
        "../",
        "/etc/passwd",
        "a/./b",
        "\u{0}\u{0}\u{0}\u{0}",
        "\u{8}\u{0}",
        "\\",
        "a",
    ],
    seeds: ZIPS,
    reads: |bytes| check_zip(bytes).is_ok(),
};

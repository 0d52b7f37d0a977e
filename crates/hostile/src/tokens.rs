//! What says who is calling.

use pitbird_jwt::{KeySet, Rules, claimed_issuer, verify as verify_token};
use pitbird_sigv4::{Expected, Framing, Payload, Request, Secret, parse_identity, unframe, verify};

use crate::Target;

/// The last line is the token, what is before it the keys.
pub const JWT: Target = Target {
    name: "jwt",
    pieces: &[
        "{\"keys\":[", "{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"", "\",\"e\":\"AQAB\"}", "]}", "\n", ".", "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ",
        "eyJpc3MiOiJpIiwiYXVkIjoiYSIsImV4cCI6OTk5OTk5OTk5OX0", "eyJhbGciOiJub25lIn0", "AAAA", "_-", "=", "Bearer ", "e30", "W10",
    ],
    seeds: &[
        b"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQkhslANGRUZmdTOQ5qTRsLAt6BTYuyvVRdhS8exSZEy_c4gs_7svlJJQ4H9_NxsiIoLwAEk7-Q3UXERGYw_75IDrGA84-lA_-Ct4eTlXHBIY2EaV7t7LjJaynVJCpkv4LKjTTAumiGUIuQhrNhZLuF_RJLqHpM2kgWFLU7-VTdL1VbC2tejvcI2BlMkEpk1BzBZI0KQB0GaDWFLN-aEAw3vRw\",\"e\":\"AQAB\"}]}\neyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJpIiwiYXVkIjoiYSIsImV4cCI6OTk5OTk5OTk5OX0.AAAA",
        b"{\"keys\":[]}\na.b.c",
    ],
    reads: |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (keys, token) = text.rsplit_once('\n').unwrap_or(("{\"keys\":[]}", &text));
        let has_issuer = claimed_issuer(token).is_some();
        let Ok(keys) = KeySet::parse(keys.as_bytes()) else { return has_issuer };
        let audience = ["a".to_owned()];
        let rules = Rules { issuer: "i", audience: Some(&audience), algorithm: None };
        let _ = verify_token(token, &keys, &rules, 1_700_000_000);
        true
    },
};

/// The first line is the path, with a query string perhaps; those after it headers.
pub const SIGNATURE: Target = Target {
    name: "signature",
    pieces: &[
        "/a?", "\n", "authorization:", "AWS4-HMAC-SHA256 ", "Credential=AKID/20230101/us-east-1/lambda/aws4_request", "SignedHeaders=host;x-amz-date",
        "Signature=", "abc123", ", ", "x-amz-date:20230101T000000Z", "x-amz-content-sha256:", "UNSIGNED-PAYLOAD", "x-amz-security-token:t",
        "host:a", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "&X-Amz-Credential=", "&X-Amz-Date=20230101T000000Z", "&X-Amz-Expires=60",
        "&X-Amz-SignedHeaders=host", "&X-Amz-Signature=00", "%2F", "/", ";", "=", "+",
    ],
    seeds: &[
        b"/a/b?c=d&c\nauthorization:AWS4-HMAC-SHA256 Credential=AKID/20230101/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=abc123\nhost:a\nx-amz-date:20230101T000000Z",
        b"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20230101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20230101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00\nhost:a",
    ],
    reads: |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split('\n');
        let (path, query) = lines.next().map_or(("/", ""), |line| line.split_once('?').unwrap_or((line, "")));
        let headers: Vec<(&str, &[u8])> =
            lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.as_bytes())).collect();
        let request = Request { method: "POST", path, query, headers: &headers };
        let secret = Secret { secret_access_key: "secret".to_owned(), session: None };
        let payload = Payload::Bytes(b"body");
        // Midnight of the seeds' day.
        let verified = verify(&request, &payload, 1_672_531_200, &Expected::default(), |_| Some(secret));
        assert!(verified.is_err(), "nobody knows how to sign this");
        parse_identity(&request).is_ok()
    },
};

pub const FRAMES: Target = Target {
    name: "frames",
    pieces: &[
        "0",
        "5",
        "a",
        "ffffffffffffffff",
        "\r\n",
        ";chunk-signature=",
        "x-amz-checksum-crc32:",
        "x-amz-trailer-signature:",
        "hello",
        ":",
    ],
    seeds: &[b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"],
    reads: |bytes| {
        let framings = [Framing::Unsigned, Framing::Signed, Framing::SignedWithTrailers];
        framings.map(|framing| unframe(bytes, framing, None).is_ok()).contains(&true)
    },
};

use super::*;
use crate::{Request, Secret, seal};
use proptest::prelude::*;

/// The example of the S3 API reference: 66 560 times `a`, in frames of 64 KiB.
const KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
     SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class, \
     Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
const SIGNATURES: [&str; 3] = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];

fn example_seal() -> Seal {
    let headers: [(&str, &[u8]); 2] =
        [("authorization", AUTHORIZATION.as_bytes()), ("x-amz-date", b"20130524T000000Z")];
    let request = Request { method: "PUT", path: "/chunkObject.txt", query: "", headers: &headers };
    let secret = Secret { secret_access_key: KEY.to_owned(), session: None };
    seal(&request, &secret).expect("a claim")
}

fn example(signatures: [&str; 3]) -> Vec<u8> {
    let mut framed = Vec::new();
    for (length, signature) in [65_536, 1024, 0].into_iter().zip(signatures) {
        framed.extend_from_slice(format!("{length:x};chunk-signature={signature}\r\n").as_bytes());
        framed.extend(std::iter::repeat_n(b'a', length));
        framed.extend_from_slice(b"\r\n");
    }
    framed
}

#[test]
fn the_references_example_is_unframed_and_proven() {
    let unframed = unframe(&example(SIGNATURES), Framing::Signed, Some(&example_seal())).expect("right");
    assert_eq!(unframed, Unframed { body: vec![b'a'; 66_560], trailers: Vec::new() });
}

#[test]
fn a_changed_byte_or_a_wrong_signature_is_found() {
    let seal = example_seal();
    let mut changed = example(SIGNATURES);
    changed[66_000] = b'b';
    let mut swapped = SIGNATURES;
    swapped.swap(0, 1);
    for framed in [changed, example(swapped)] {
        assert_eq!(unframe(&framed, Framing::Signed, Some(&seal)), Err(FrameError::Signature));
        assert!(unframe(&framed, Framing::Signed, None).is_ok(), "nobody asks");
    }
}

#[test]
fn signed_trailers_are_proven_too() {
    let seal = example_seal();
    let mut before = seal.signature.clone();
    let sign = |before: &mut String, what: &str, covered: &[&[u8]]| {
        let mut text = format!("AWS4-HMAC-SHA256-{what}\n{}\n{}\n{before}", seal.signed, seal.scope);
        covered.iter().for_each(|part| text += &format!("\n{}", hex(&Sha256::digest(part))));
        use hmac::Mac;
        *before = hex(&key::mac(&seal.key, &text).finalize().into_bytes());
        before.clone()
    };
    let first = sign(&mut before, "PAYLOAD", &[b"", b"abc"]);
    let last = sign(&mut before, "PAYLOAD", &[b"", b""]);
    let trailer = sign(&mut before, "TRAILER", &[b"x-amz-checksum-crc32:NSRBwg==\n"]);
    let framed = |trailer: &str| {
        format!(
            "3;chunk-signature={first}\r\nabc\r\n0;chunk-signature={last}\r\nx-amz-checksum-crc32:NSRBwg==\r\n\
             x-amz-trailer-signature:{trailer}\r\n\r\n"
        )
    };
    let unframed = unframe(framed(&trailer).as_bytes(), Framing::SignedWithTrailers, Some(&seal));
    assert_eq!(unframed.expect("right").trailers, [("x-amz-checksum-crc32".into(), "NSRBwg==".into())]);
    let wrong = unframe(framed(&first).as_bytes(), Framing::SignedWithTrailers, Some(&seal));
    assert_eq!(wrong, Err(FrameError::Signature));
}

#[test]
fn what_is_no_frame_is_refused() {
    let malformed = |words| Err(FrameError::Malformed(words));
    let number = "a frame's length is no number";
    for (framed, expected) in [
        (&b""[..], Err(FrameError::Incomplete)),
        (b"5\r\nabc", Err(FrameError::Incomplete)),
        (b"3\r\nabc0\r\n\r\n", malformed("a frame is not closed")),
        (b"+3\r\nabc\r\n0\r\n\r\n", malformed(number)),
        (b"\r\n", malformed(number)),
        (b"fffffffff\r\n", malformed(number)),
        (b"0\r\nno colon\r\n\r\n", malformed("a trailer has no colon")),
        (b"\xff\r\n", malformed("a line is no text")),
        (&[b'1'; 2000][..], malformed("a line is too long")),
    ] {
        assert_eq!(unframe(framed, Framing::Unsigned, None), expected, "{}", framed.escape_ascii());
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_body_back(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8)) {
        let mut framed = Vec::new();
        for part in &parts {
            framed.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
            framed.extend_from_slice(part);
            framed.extend_from_slice(b"\r\n");
        }
        framed.extend_from_slice(b"0\r\nX-Amz-Checksum-Crc32: AAAAAA==\r\n\r\n");
        let unframed = unframe(&framed, Framing::Unsigned, None).expect("well framed");
        prop_assert_eq!(unframed.body, parts.concat());
        prop_assert_eq!(unframed.trailers, [("x-amz-checksum-crc32".to_owned(), "AAAAAA==".to_owned())]);
    }

    #[test]
    fn no_bytes_make_it_panic(framed in prop::collection::vec(any::<u8>(), 0..200)) {
        let _whatever = unframe(&framed, Framing::SignedWithTrailers, Some(&example_seal()));
    }
}

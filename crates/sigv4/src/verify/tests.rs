use super::*;
use crate::{Credentials, Kind, Session, parse_identity, presign, sign};
use proptest::prelude::*;

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z.
const NOW: u64 = 1_440_938_160;
const ANY: Expected<'static> = Expected { service: None, region: None };
const CREDENTIALS: Credentials<'static> =
    Credentials { access_key_id: KEY_ID, secret_access_key: SECRET, session_token: None };

/// A request that owns its parts, to be bent in tests.
#[derive(Debug, Clone, PartialEq)]
struct Call {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Call {
    fn new(method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Call {
        let headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        Call { method: method.into(), path: path.into(), query: query.into(), headers, body: body.into() }
    }

    /// A small Lambda call, signed.
    fn signed() -> Call {
        let mut call =
            Call::new("POST", "/2015-03-31/functions/f/invocations", "a=1", &[("Host", "localhost")], "{}");
        call.sign(&CREDENTIALS, "lambda");
        call
    }

    fn presigned(service: &str, expires_s: u64) -> Call {
        let mut call = Call::new("GET", "/b/k", "a=1", &[("Host", "localhost")], "");
        call.query =
            call.with(|request, _| presign(request, &CREDENTIALS, "us-east-1", service, NOW, expires_s));
        call
    }

    fn sign(&mut self, credentials: &Credentials<'_>, service: &str) {
        let added =
            self.with(|request, payload| sign(request, payload, credentials, "us-east-1", service, NOW));
        self.headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
    }

    fn with<R>(&self, act: impl FnOnce(&Request<'_>, &Payload<'_>) -> R) -> R {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let Call { method, path, query, .. } = self;
        act(&Request { method, path, query, headers: &headers }, &Payload::Bytes(&self.body))
    }

    fn verify_as(&self, now: u64, expected: &Expected<'_>, secret: Secret) -> Result<Identity, Error> {
        self.with(|request, payload| {
            verify(request, payload, now, expected, |id| (id == KEY_ID).then_some(secret))
        })
    }

    fn verify(&self) -> Result<Identity, Error> {
        self.verify_as(NOW, &ANY, long_term())
    }

    fn header(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.headers.iter_mut().find(|(held, _)| held.eq_ignore_ascii_case(name)).unwrap().1
    }

    fn bend(mut self, name: &str, from: &str, to: &str) -> Call {
        let value = self.header(name);
        let text = String::from_utf8(value.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        *value = text.replace(from, to).into_bytes();
        self
    }
}

fn long_term() -> Secret {
    Secret { secret_access_key: SECRET.into(), session: None }
}

/// AWS General Reference: IAM ListUsers, with the signature that the documentation gives.
#[test]
fn the_documented_iam_example_verifies() {
    let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
        SignedHeaders=content-type;host;x-amz-date, \
        Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("Host", "iam.amazonaws.com"),
        ("X-Amz-Date", "20150830T123600Z"),
        ("Authorization", authorization),
    ];
    let call = Call::new("GET", "/", "Action=ListUsers&Version=2010-05-08", &headers, "");
    let identity = call.verify().unwrap();
    assert_eq!((&*identity.service, &*identity.region, &*identity.date), ("iam", "us-east-1", "20150830"));
}

/// S3 API reference: GET Object with a range, and a presigned URL, with the signatures that the documentation gives.
#[test]
fn the_documented_s3_examples_verify() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let authorization = "AWS4-HMAC-SHA256 \
        Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
        SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
        Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let host = ("Host", "examplebucket.s3.amazonaws.com");
    let headers = [
        host,
        ("Range", "bytes=0-9"),
        ("x-amz-content-sha256", empty),
        ("x-amz-date", "20130524T000000Z"),
        ("Authorization", authorization),
    ];
    let presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    for call in [
        Call::new("GET", "/test.txt", "", &headers, ""),
        Call::new("GET", "/test.txt", presigned, &[host], ""),
    ] {
        let secret =
            Secret { secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(), session: None };
        let found = call.with(|request, payload| {
            verify(request, payload, 1_369_353_600, &ANY, |id| {
                (id == "AKIAIOSFODNN7EXAMPLE").then_some(secret)
            })
        });
        assert_eq!(found.unwrap().service, "s3");
    }
}

#[test]
fn time_is_kept() {
    let call = Call::signed();
    let at = |now: u64| call.verify_as(now, &ANY, long_term()).map_err(|error| error.to_string());
    assert!(at(NOW + 300).is_ok() && at(NOW - 300).is_ok());
    assert_eq!(
        at(NOW + 301).unwrap_err(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    assert_eq!(
        at(NOW - 301).unwrap_err(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    );
    let mut s3 = Call::new("GET", "/b", "", &[("Host", "localhost")], "");
    s3.sign(&CREDENTIALS, "s3");
    assert!(s3.verify_as(NOW + 900, &ANY, long_term()).is_ok());
    assert!(s3.verify_as(NOW + 901, &ANY, long_term()).is_err());
}

#[test]
fn a_presigned_url_lives_as_long_as_it_says() {
    for service in ["s3", "sts"] {
        let call = Call::presigned(service, 60);
        assert!(call.verify_as(NOW + 60, &ANY, long_term()).unwrap().is_presigned);
        let late = call.verify_as(NOW + 61, &ANY, long_term()).unwrap_err();
        assert!(matches!(late, Error::SignatureExpired { is_presigned: true, allowed_s: 60, .. }), "{late}");
        let early = call.verify_as(NOW - 901, &ANY, long_term()).unwrap_err();
        assert!(matches!(early, Error::SignatureNotYetCurrent { .. }), "{early}");
    }
    for (expires, words) in [
        ("604801", "X-Amz-Expires must be less than a week"),
        ("-1", "X-Amz-Expires must be non-negative"),
        ("soon", "X-Amz-Expires should be a number"),
        ("99999999999999999999", "X-Amz-Expires should be a number"),
    ] {
        let mut call = Call::presigned("sts", 60);
        call.query = call.query.replace("X-Amz-Expires=60", &format!("X-Amz-Expires={expires}"));
        let error = call.verify().unwrap_err();
        assert!(error.kind() == Kind::IncompleteSignature && error.to_string().starts_with(words), "{error}");
    }
}

#[test]
fn the_scope_must_be_right() {
    let call = Call::signed();
    let lambda = Expected { service: Some("lambda"), region: Some("us-east-1") };
    assert!(call.verify_as(NOW, &lambda, long_term()).is_ok());
    let check = |call: &Call, expected: &Expected<'_>, words: &str| {
        let error = call.verify_as(NOW, expected, long_term()).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.kind()), (words, Kind::InvalidSignature));
    };
    let service = Expected { service: Some("iam"), ..ANY };
    check(&call, &service, "Credential should be scoped to correct service: 'iam'.");
    let region = Expected { region: Some("eu-west-1"), ..ANY };
    check(&call, &region, "Credential should be scoped to a valid region.");
    let bent = Call::signed().bend("authorization", "/us-east-1/", "//");
    check(&bent, &ANY, "Credential should be scoped to a valid region.");
    let bent = Call::signed().bend("authorization", "aws4_request", "aws3");
    check(&bent, &ANY, "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3'.");
    let bent = Call::signed().bend("authorization", "/20150830/", "/20150831/");
    check(
        &bent,
        &ANY,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != \
         '20150830', from '20150830T123600Z'.",
    );
}

#[test]
fn a_session_needs_its_own_token_in_time() {
    let mut call = Call::new("GET", "/", "", &[("Host", "localhost")], "");
    call.sign(&Credentials { session_token: Some("token"), ..CREDENTIALS }, "sts");
    let session = |token: &str, expires_epoch_s: u64| Secret {
        session: Some(Session { token: token.into(), expires_epoch_s }),
        ..long_term()
    };
    let check = |call: &Call, secret: Secret| {
        call.verify_as(NOW, &ANY, secret).map(|identity| identity.session_token)
    };
    assert_eq!(check(&call, session("token", NOW + 1)), Ok(Some("token".into())));
    assert_eq!(check(&call, session("token", NOW)), Err(Error::ExpiredToken));
    assert_eq!(check(&call, session("other", NOW + 1)), Err(Error::UnrecognizedClient));
    assert_eq!(check(&call, long_term()), Err(Error::UnrecognizedClient));
    assert_eq!(check(&Call::signed(), session("token", NOW + 1)), Err(Error::UnrecognizedClient));
}

#[test]
fn an_unknown_key_is_unrecognized() {
    let call = Call::signed().bend("authorization", KEY_ID, "AKIDOTHER");
    assert_eq!(call.verify(), Err(Error::UnrecognizedClient));
}

#[test]
fn what_matters_must_be_signed() {
    let bent = Call::signed().bend("authorization", "SignedHeaders=host;", "SignedHeaders=");
    assert_eq!(bent.verify(), Err(Error::HostNotSigned));
    let mut call = Call::signed();
    call.headers.push(("X-Amz-Target".into(), b"Logs_20140328.DeleteLogGroup".to_vec()));
    assert_eq!(call.verify(), Err(Error::HeaderNotSigned { name: "x-amz-target".into() }));
    let mut call = Call::signed();
    call.headers.push(("X-Amzn-Trace-Id".into(), b"Root=1".to_vec()));
    call.headers.push(("accept".into(), b"*/*".to_vec()));
    assert!(call.verify().is_ok());
}

#[test]
fn a_hash_that_is_announced_is_checked() {
    let announcing = |service: &str, hash: &str| {
        let headers = [("Host", "localhost"), ("X-Amz-Content-Sha256", hash)];
        let mut call = Call::new("PUT", "/b/k", "", &headers, "body");
        call.sign(&CREDENTIALS, service);
        call.verify()
    };
    let zeros = "0".repeat(64);
    assert_eq!(announcing("lambda", &zeros), Err(Error::ContentSha256Mismatch));
    assert_eq!(announcing("lambda", "UNSIGNED-PAYLOAD"), Err(Error::ContentSha256Mismatch));
    assert_eq!(announcing("s3", &zeros), Err(Error::ContentSha256Mismatch));
    for framed in ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"] {
        // The signer here signs whole bodies only; what matters is that the form is no reason.
        let error = announcing("s3", framed).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidSignature, "{framed}");
    }
    let error = announcing("s3", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD").unwrap_err();
    assert_eq!(error.to_string(), "this server does not verify STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD");
    assert_eq!(error.kind(), Kind::Unsupported);
}

#[test]
fn a_body_may_come_as_its_hash() {
    use sha2::{Digest, Sha256};
    let call = Call::signed();
    let check = |body: &[u8]| {
        let payload = Payload::Sha256(Sha256::digest(body).into());
        call.with(|request, _| verify(request, &payload, NOW, &ANY, |_| Some(long_term())))
    };
    assert!(check(b"{}").is_ok());
    assert!(matches!(check(b"[]"), Err(Error::InvalidSignature { .. })));
}

#[test]
fn a_wrong_signature_shows_what_was_signed() {
    let call = Call::signed().bend("x-amz-date", "20150830T123600Z", "20150830T123601Z");
    let Err(error @ Error::InvalidSignature { .. }) = call.verify() else { panic!("{:?}", call.verify()) };
    assert!(
        error.to_string().starts_with("The request signature we calculated does not match the signature you")
    );
    let Error::InvalidSignature { canonical_request, string_to_sign } = error else { unreachable!() };
    assert!(
        canonical_request.starts_with("POST\n/2015-03-31/functions/f/invocations\na=1\nhost:localhost\n")
    );
    assert!(
        string_to_sign
            .starts_with("AWS4-HMAC-SHA256\n20150830T123601Z\n20150830/us-east-1/lambda/aws4_request\n")
    );
}

#[test]
fn secrets_are_not_printed() {
    let secret =
        Secret { session: Some(Session { token: "to-ken".into(), expires_epoch_s: 1 }), ..long_term() };
    let text = format!("{secret:?} {:?}", Credentials { session_token: Some("to-ken"), ..CREDENTIALS });
    assert!(!text.contains(SECRET) && !text.contains("to-ken"), "{text}");
}

fn a_call() -> impl Strategy<Value = Call> {
    let headers = prop::collection::vec(("[a-z][a-zA-Z-]{0,8}", "[ -~]{0,12}"), 0..4);
    let parts = (
        "GET|POST|PATCH",
        "(/([a-zA-Z0-9._~-]|%2F|%C3%A9|:| |/){0,8}){1,4}",
        "([a-c]=?[a-z+%&]{0,3}&?){0,4}",
    );
    (parts, headers, "[ -~]{0,20}").prop_map(|((method, path, query), headers, body)| {
        let mut call = Call::new(&method, &path, &query, &[("Host", "localhost:4566")], &body);
        call.headers.extend(headers.into_iter().map(|(name, value)| (name, value.into_bytes())));
        call.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
        call
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_signed_verifies(
        call in a_call(),
        service in "lambda|s3|execute-api",
        token in prop::option::of("[!-~]{1,20}"),
        is_presigned: bool,
    ) {
        let mut call = call;
        let credentials = Credentials { session_token: token.as_deref(), ..CREDENTIALS };
        if is_presigned {
            call.body.clear();
            call.query = call.with(|request, _| presign(request, &credentials, "us-east-1", &service, NOW, 60));
        } else {
            call.sign(&credentials, &service);
        }
        let session = token.clone().map(|token| Session { token, expires_epoch_s: NOW + 1 });
        let secret = Secret { session, ..long_term() };
        let identity = call.verify_as(NOW, &ANY, secret.clone());
        prop_assert!(identity.is_ok(), "{:?}", identity);
        let identity = identity.unwrap();
        prop_assert_eq!(call.with(|request, _| parse_identity(request)), Ok(identity));
        let wrong = Secret { secret_access_key: "wrong".into(), ..secret };
        prop_assert!(call.verify_as(NOW, &ANY, wrong).is_err());
    }

    /// One changed bit anywhere fails, unless the request still says the same.
    #[test]
    fn a_flipped_bit_fails(call in a_call(), place in any::<prop::sample::Index>(), bit in 0..7_u8) {
        let mut call = call;
        call.sign(&CREDENTIALS, "lambda");
        let before = call.clone();
        let parts = 3 + call.headers.len();
        let flip = |bytes: &mut Vec<u8>| {
            if !bytes.is_empty() {
                let at = place.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
        };
        let in_text = |text: &mut String| {
            let mut bytes = std::mem::take(text).into_bytes();
            flip(&mut bytes);
            *text = String::from_utf8_lossy(&bytes).into_owned();
        };
        match place.index(parts) {
            0 => in_text(&mut call.path),
            1 => in_text(&mut call.query),
            2 => flip(&mut call.body),
            header => flip(&mut call.headers[header - 3].1),
        }
        if says_the_same(&before, &call) {
            prop_assert!(call.verify().is_ok());
        } else {
            prop_assert!(call.verify().is_err(), "{:?}\n{:?}", before, call);
        }
    }

    #[test]
    fn no_request_makes_it_panic(
        query in ".{0,30}|X-Amz-(Algorithm|Credential|Signature|Date|Expires|SignedHeaders)=.{0,12}(&X-Amz-(Date|Credential)=[0-9TZ/]{0,20})?",
        path in ".{0,20}",
        headers in prop::collection::vec(("authorization|x-amz-date|host|.{0,5}", prop::collection::vec(any::<u8>(), 0..40)), 0..5),
        authorization in "AWS4-HMAC-SHA256 (Credential=[a/0-9]{0,12}|SignedHeaders=[a-z;]{0,6}|Signature=[0-9a-f]{0,4}|[,= ]){0,6}",
    ) {
        let mut call = Call::new("GET", &path, &query, &[("Host", "h"), ("x-amz-date", "20150830T123600Z")], "");
        call.headers.extend(headers);
        prop_assert!(call.verify_as(NOW, &ANY, long_term()).is_err());
        call.headers.push(("Authorization".into(), authorization.into_bytes()));
        prop_assert!(call.verify_as(NOW, &ANY, long_term()).is_err());
    }
}

/// Have two calls the same canonical request, identity and signature?
fn says_the_same(a: &Call, b: &Call) -> bool {
    let said = |call: &Call| {
        call.with(|request, payload| {
            let claim = Claim::parse(request).ok()?;
            let signed: Vec<&str> = claim.signed_headers.iter().map(String::as_str).collect();
            let path = canonical::paths(request.path, "lambda").swap_remove(0);
            let canonical = canonical::request(&path, request, &signed, &payload.sha256_hex());
            Some((canonical, claim.identity, claim.terminator, claim.signature, claim.signed))
        })
    };
    said(a) == said(b)
}

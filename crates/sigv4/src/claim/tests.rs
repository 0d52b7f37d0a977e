use super::*;
use crate::Kind;

const DATE: (&str, &[u8]) = ("X-Amz-Date", b"20150830T123600Z");
const WHOLE: &str = "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/lambda/aws4_request, \
    SignedHeaders=host;x-amz-date, Signature=abc";

fn claim(query: &str, headers: &[(&str, &[u8])]) -> Result<Claim, Error> {
    Claim::parse(&Request { method: "GET", path: "/", query, headers })
}

/// What is said of an `Authorization` header.
fn complaint(authorization: &str, headers: &[(&str, &[u8])]) -> String {
    let headers: Vec<_> =
        [("Authorization", authorization.as_bytes())].iter().chain(headers).copied().collect();
    let error = claim("", &headers).unwrap_err();
    assert_eq!(error.kind(), Kind::IncompleteSignature, "{error}");
    error.to_string()
}

#[test]
fn a_header_is_taken_apart() {
    for authorization in
        [WHOLE.to_owned(), WHOLE.replace(", ", ","), format!("{} ,", WHOLE.replace(", ", " ,  "))]
    {
        let claim = claim("", &[("authorization", authorization.as_bytes()), DATE]).unwrap();
        let identity = Identity {
            access_key_id: "AKID".into(),
            date: "20150830".into(),
            region: "us-east-1".into(),
            service: "lambda".into(),
            is_presigned: false,
            session_token: None,
        };
        assert_eq!(claim.identity, identity);
        assert_eq!(
            (claim.signed_headers.join(";").as_str(), claim.signature.as_str()),
            ("host;x-amz-date", "abc")
        );
        assert!(claim.has_right_terminator() && claim.expires_s.is_none());
    }
}

#[test]
fn the_date_header_serves_if_there_is_no_other() {
    let authorization = ("Authorization", WHOLE.as_bytes());
    let date: (&str, &[u8]) = ("Date", b"Sun, 30 Aug 2015 12:36:01 GMT");
    assert_eq!(claim("", &[authorization, date]).unwrap().signed.to_string(), "20150830T123601Z");
    assert_eq!(claim("", &[authorization, date, DATE]).unwrap().signed.to_string(), "20150830T123600Z");
}

#[test]
fn all_that_is_missing_is_named() {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let bare = "AWS4-HMAC-SHA256";
    assert_eq!(
        complaint(bare, &[]),
        format!(
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires \
             existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) \
             Authorization={}",
            hash(bare)
        )
    );
    let some = "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=x";
    assert_eq!(
        complaint(some, &[DATE]),
        format!(
            "Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) \
             Authorization={}",
            hash(some)
        )
    );
    assert!(
        complaint("AWS4-HMAC-SHA256 Credential", &[DATE])
            .starts_with("Invalid key=value pair (missing equal-sign)")
    );
    assert!(complaint("Bearer x", &[DATE]).starts_with("Unsupported AWS 'algorithm': 'Bearer'"));
    assert!(complaint("", &[DATE]).starts_with("Unsupported AWS 'algorithm': ''"));
    let short = WHOLE.replace("/lambda", "");
    assert_eq!(
        complaint(&short, &[DATE]),
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
         'AKID/20150830/us-east-1/aws4_request'"
    );
    assert!(
        complaint(WHOLE, &[("X-Amz-Date", b"today")]).starts_with("Date must be in ISO-8601 'basic format'.")
    );
    let many = WHOLE.replace("host;", &"h;".repeat(SIGNED_HEADERS_MAX));
    assert_eq!(complaint(&many, &[DATE]), "At most 128 headers can be signed.");
}

#[test]
fn a_query_string_is_taken_apart() {
    let query = "a=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20150830%2Fr%2Fs3%2Faws4_request\
        &X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=Host%3Bx&X-Amz-Security-Token=t%2B\
        &X-Amz-Signature=abc";
    let found = claim(query, &[]).unwrap();
    assert_eq!((&*found.identity.access_key_id, &*found.identity.service), ("AKID", "s3"));
    assert_eq!((found.expires_s, found.identity.session_token.as_deref()), (Some(60), Some("t+")));
    assert_eq!(found.signed_headers, ["host", "x"]);
    assert_eq!(
        claim("X-Amz-Signature=x", &[]).unwrap_err().to_string(),
        "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include \
         'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string \
         parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."
    );
    let both = claim(query, &[("Authorization", WHOLE.as_bytes())]).unwrap_err();
    assert!(both.to_string().starts_with("Found both 'X-Amz-Algorithm' as a query-string param"));
}

#[test]
fn what_is_not_signed_at_all_and_what_is_signed_otherwise() {
    assert_eq!(claim("a=1", &[DATE]).unwrap_err(), Error::MissingAuthenticationToken);
    let asymmetric: (&str, &[u8]) = ("Authorization", b"AWS4-ECDSA-P256-SHA256 Credential=x");
    let error = claim("", &[asymmetric]).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::Unsupported, "this server does not verify AWS4-ECDSA-P256-SHA256")
    );
}

#[test]
fn an_identity_is_read_without_proof() {
    let headers: &[(&str, &[u8])] =
        &[("Authorization", b"AWS4-HMAC-SHA256 Credential=000000000001/x/eu-west-1/sts/aws4_request")];
    let found = parse_identity(&Request { method: "GET", path: "/", query: "", headers }).unwrap();
    assert_eq!(
        (&*found.access_key_id, &*found.region, &*found.service),
        ("000000000001", "eu-west-1", "sts")
    );
    let nobody = parse_identity(&Request { method: "GET", path: "/", query: "", headers: &[] });
    assert_eq!(nobody, Err(Error::MissingAuthenticationToken));
}

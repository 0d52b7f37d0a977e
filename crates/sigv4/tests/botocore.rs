//! Requests that botocore signed (`vectors.py` wrote `vectors.json`): all of them verify, and signing the same request
//! gives the same signature.

use pitbird_sigv4::{Credentials, Error, Expected, Payload, Request, Secret, Session, presign, sign, verify};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    name: String,
    service: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    now_epoch_s: u64,
    expires_s: Option<u64>,
    method: String,
    path: String,
    query_before: String,
    query: String,
    headers_before: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body_hex: String,
}

impl Vector {
    fn all() -> Vec<Vector> {
        let vectors: Vec<Vector> = serde_json::from_str(include_str!("vectors.json")).expect("vectors");
        assert!(vectors.len() >= 40, "{} vectors", vectors.len());
        vectors
    }

    fn body(&self) -> Vec<u8> {
        let digits = self.body_hex.as_bytes().chunks_exact(2);
        let byte =
            |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("two digits");
        digits.map(byte).collect()
    }

    fn secret(&self) -> Secret {
        let session = self
            .session_token
            .as_ref()
            .map(|token| Session { token: token.clone(), expires_epoch_s: u64::MAX });
        Secret { secret_access_key: self.secret_access_key.clone(), session }
    }

    fn credentials(&self) -> Credentials<'_> {
        Credentials {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: self.session_token.as_deref(),
        }
    }
}

fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (&**name, value.as_bytes())).collect()
}

#[test]
fn what_botocore_signed_verifies() {
    for vector in Vector::all() {
        let headers = borrowed(&vector.headers);
        let body = vector.body();
        let request =
            Request { method: &vector.method, path: &vector.path, query: &vector.query, headers: &headers };
        let payload = Payload::Bytes(&body);
        let expected = Expected { service: Some(&vector.service), region: Some(&vector.region) };
        let check = |secret: Secret| {
            verify(&request, &payload, vector.now_epoch_s, &expected, |id| {
                (id == vector.access_key_id).then_some(secret)
            })
        };

        let identity = check(vector.secret()).unwrap_or_else(|error| panic!("{}: {error:?}", vector.name));
        assert_eq!(identity.access_key_id, vector.access_key_id, "{}", vector.name);
        assert_eq!(identity.is_presigned, vector.expires_s.is_some(), "{}", vector.name);
        assert_eq!(identity.session_token, vector.session_token, "{}", vector.name);

        let other = Secret { secret_access_key: "other".into(), ..vector.secret() };
        assert!(matches!(check(other), Err(Error::InvalidSignature { .. })), "{}", vector.name);
    }
}

#[test]
fn signing_gives_botocores_signature() {
    // botocore replaces a Date header by its own; we leave it and add x-amz-date. We always sign the payload.
    let others = ["header-date", "s3-unsigned-payload"];
    for vector in Vector::all().into_iter().filter(|vector| !others.contains(&&*vector.name)) {
        let headers = borrowed(&vector.headers_before);
        let body = vector.body();
        let request = Request {
            method: &vector.method,
            path: &vector.path,
            query: &vector.query_before,
            headers: &headers,
        };
        let credentials = vector.credentials();
        let (region, service, now) = (&vector.region, &vector.service, vector.now_epoch_s);
        let (ours, theirs) = match vector.expires_s {
            Some(expires_s) => {
                let query = presign(&request, &credentials, region, service, now, expires_s);
                (tail(&query), tail(&vector.query))
            }
            None => {
                let added = sign(&request, &Payload::Bytes(&body), &credentials, region, service, now);
                let ours = added.into_iter().find(|(name, _)| *name == "authorization").unwrap().1;
                let theirs = vector.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
                (ours, theirs.1.clone())
            }
        };
        assert_eq!(ours, theirs, "{}", vector.name);
    }
}

/// The signature at the end of a presigned query string.
fn tail(query: &str) -> String {
    query.rsplit_once("&X-Amz-Signature=").expect("a signature").1.to_owned()
}

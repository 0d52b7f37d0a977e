use crate::canonical::{self, encoded};
use crate::identity::{Identity, is_s3};
use crate::key::{self, ALGORITHM, TERMINATOR};
use crate::request::{Payload, Request, hex};
use crate::stamp::Stamp;
use hmac::Mac;
use std::fmt;

/// Longest life of a presigned URL, seconds: seven days.
pub const EXPIRES_S_MAX: u64 = EXPIRES_S_MAX_SIGNED.unsigned_abs();
pub(crate) const EXPIRES_S_MAX_SIGNED: i64 = 604_800;

/// Headers that those between client and server may change, and so are not signed.
const UNSIGNED_HEADERS: [&str; 6] =
    ["authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

/// A client's keys.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    pub access_key_id: &'a str,
    pub secret_access_key: &'a str,
    pub session_token: Option<&'a str>,
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Credentials<'_> {
    fn identity(&self, region: &str, service: &str, now: Stamp, is_presigned: bool) -> Identity {
        Identity {
            access_key_id: self.access_key_id.into(),
            date: now.date(),
            region: region.into(),
            service: service.into(),
            is_presigned,
            session_token: self.session_token.map(Into::into),
        }
    }
}

/// Signs a request that has its `Host` and gives the headers to add: `x-amz-date`, `authorization`, and where they apply
/// `x-amz-security-token` and `x-amz-content-sha256`. All headers are signed but those that proxies change.
pub fn sign(
    request: &Request<'_>,
    payload: &Payload<'_>,
    credentials: &Credentials<'_>,
    region: &str,
    service: &str,
    now_epoch_s: u64,
) -> Vec<(&'static str, String)> {
    let now = Stamp::new(now_epoch_s);
    let identity = credentials.identity(region, service, now, false);
    let hash = payload.sha256_hex();
    let mut added = vec![("x-amz-date", now.to_string())];
    if let Some(token) = credentials.session_token {
        added.push(("x-amz-security-token", token.to_owned()));
    }
    if is_s3(service) {
        added.push(("x-amz-content-sha256", hash.clone()));
    }
    let mut headers: Vec<(&str, &[u8])> = request.headers.to_vec();
    headers.retain(|(name, _)| !added.iter().any(|(own, _)| name.eq_ignore_ascii_case(own)));
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let whole = Request { headers: &headers, ..*request };
    let names = signed_names(&whole);
    let signature = signature(&whole, &names, &hash, &identity, credentials, now);
    let Identity { access_key_id, date, .. } = &identity;
    let authorization = format!(
        "{ALGORITHM} Credential={access_key_id}/{date}/{region}/{service}/{TERMINATOR}, SignedHeaders={}, \
         Signature={signature}",
        names.join(";")
    );
    added.push(("authorization", authorization));
    added
}

/// Signs a request for a URL that whoever holds it may use for `expires_s` seconds, [`EXPIRES_S_MAX`] at most, and gives
/// the query string to use. The headers of `request` must be sent as they are; `Host` alone is usual.
pub fn presign(
    request: &Request<'_>,
    credentials: &Credentials<'_>,
    region: &str,
    service: &str,
    now_epoch_s: u64,
    expires_s: u64,
) -> String {
    let now = Stamp::new(now_epoch_s);
    let identity = credentials.identity(region, service, now, true);
    let Identity { access_key_id, date, .. } = &identity;
    let names = signed_names(request);
    let scope = encoded(&format!("{access_key_id}/{date}/{region}/{service}/{TERMINATOR}"));
    let mut query = String::from(request.query);
    if !query.is_empty() {
        query.push('&');
    }
    query += &format!(
        "X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={scope}&X-Amz-Date={now}&X-Amz-Expires={}&\
         X-Amz-SignedHeaders={}",
        expires_s.clamp(1, EXPIRES_S_MAX),
        encoded(&names.join(";")),
    );
    if let Some(token) = credentials.session_token {
        query += &format!("&X-Amz-Security-Token={}", encoded(token));
    }
    let hash = if is_s3(service) { "UNSIGNED-PAYLOAD".to_owned() } else { Payload::Bytes(b"").sha256_hex() };
    let whole = Request { query: &query, ..*request };
    let signature = signature(&whole, &names, &hash, &identity, credentials, now);
    query + "&X-Amz-Signature=" + &signature
}

fn signed_names(request: &Request<'_>) -> Vec<String> {
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.retain(|name| !UNSIGNED_HEADERS.contains(&&**name));
    names.sort_unstable();
    names.dedup();
    names
}

fn signature(
    request: &Request<'_>,
    names: &[String],
    hash: &str,
    identity: &Identity,
    credentials: &Credentials<'_>,
    now: Stamp,
) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let path = canonical::paths(request.path, &identity.service).swap_remove(0);
    let canonical_request = canonical::request(&path, request, &names, hash);
    let string_to_sign = key::string_to_sign(now, identity, &canonical_request);
    hex(&key::signature(credentials.secret_access_key, identity, &string_to_sign).finalize().into_bytes())
}

use crate::Identity;
use crate::request::hex;
use crate::stamp::Stamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(crate) const TERMINATOR: &str = "aws4_request";

/// What is signed: the time, the scope, and the hash of the canonical request.
pub(crate) fn string_to_sign(signed: Stamp, identity: &Identity, canonical_request: &[u8]) -> String {
    let Identity { date, region, service, .. } = identity;
    let hash = hex(&Sha256::digest(canonical_request));
    format!("{ALGORITHM}\n{signed}\n{date}/{region}/{service}/{TERMINATOR}\n{hash}")
}

/// The signature's keyed hash, to be compared or written down.
pub(crate) fn signature(secret_access_key: &str, identity: &Identity, string_to_sign: &str) -> Hmac<Sha256> {
    mac(&signing(secret_access_key, identity), string_to_sign)
}

/// The key of a scope.
pub(crate) fn signing(secret_access_key: &str, identity: &Identity) -> [u8; 32] {
    let mut key = chain(format!("AWS4{secret_access_key}").as_bytes(), &identity.date);
    for step in [&*identity.region, &*identity.service, TERMINATOR] {
        key = chain(&key, step);
    }
    key
}

fn chain(key: &[u8], text: &str) -> [u8; 32] {
    mac(key, text).finalize().into_bytes().into()
}

pub(crate) fn mac(key: &[u8], text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac
}

/// Are two secrets the same? Takes as long wherever they differ.
pub(crate) fn is_same(a: &str, b: &str) -> bool {
    let tag = mac(&Sha256::digest(a.as_bytes()), a).finalize().into_bytes();
    mac(&Sha256::digest(a.as_bytes()), b).verify_slice(&tag).is_ok()
}

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{Algorithm, Claims, KeySet};

/// Longest token that is looked at, bytes; a request's headers have no more together.
pub const TOKEN_BYTES_MAX: usize = 10_240;

/// Whose tokens are taken.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    pub issuer: &'a str,
    /// One of these must be the token's `aud`, or its `client_id` where it has no `aud`. `None`: whoever calls judges that himself.
    pub audience: Option<&'a [String]>,
    /// How the issuer signs, where that is known whatever its keys say. `None`: any way by RSA that the key itself allows.
    pub algorithm: Option<Algorithm>,
}

/// Why a token isn't taken. The words are those of the `error_description` in `www-authenticate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejection {
    #[error("the token is malformed")]
    Malformed,
    #[error("signing method is invalid")]
    Algorithm,
    /// The set has no such key; an issuer that has changed its keys might have.
    #[error("unable to find the key that the token is signed with")]
    UnknownKey,
    #[error("the signature is invalid")]
    Signature,
    #[error("the token does not have a valid issuer")]
    Issuer,
    #[error("the token does not have a valid audience")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYet,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    /// Does it name extensions that must be understood (RFC 7515 §4.1.11)? None is.
    #[serde(default, deserialize_with = "is_there", rename = "crit")]
    has_extensions: bool,
}

/// Is there such a member, whatever it says, be it `null`?
fn is_there<'de, D: Deserializer<'de>>(member: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(member).map(|_| true)
}

/// What a token claims, if its signature is by a key of the set and the rules hold at `now_s`, seconds since 1970.
pub fn verify(token: &str, keys: &KeySet, rules: &Rules<'_>, now_s: i64) -> Result<Claims, Rejection> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Rejection::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(Rejection::Malformed)?;
    let (head, claims) = message.split_once('.').ok_or(Rejection::Malformed)?;
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Rejection::Malformed);
    let head: Head = serde_json::from_slice(&decoded(head)?).map_err(|_| Rejection::Malformed)?;
    let algorithm = Algorithm::parse(&head.alg).ok_or(Rejection::Algorithm)?;
    if rules.algorithm.is_some_and(|only| only != algorithm) {
        return Err(Rejection::Algorithm);
    }
    if head.has_extensions {
        return Err(Rejection::Malformed);
    }
    let signature = decoded(signature)?;
    let claims: Map<String, Value> =
        serde_json::from_slice(&decoded(claims)?).map_err(|_| Rejection::Malformed)?;
    let key_id = head.kid.ok_or(Rejection::UnknownKey)?;
    if !keys.has(&key_id) {
        return Err(Rejection::UnknownKey);
    }
    if !keys.verifies(token, &key_id, algorithm, (message.as_bytes(), &signature)) {
        return Err(Rejection::Signature);
    }
    check(&claims, rules, now_s)?;
    Ok(Claims(claims))
}

/// The issuer that a token names, which nothing vouches for yet: it only says whose keys to hold it against.
pub fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        iss: String,
    }
    let claims = token.split('.').nth(1).filter(|_| token.len() <= TOKEN_BYTES_MAX)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok().map(|named: Named| named.iss)
}

fn check(claims: &Map<String, Value>, rules: &Rules<'_>, now_s: i64) -> Result<(), Rejection> {
    if claims.get("iss").and_then(Value::as_str) != Some(rules.issuer) {
        return Err(Rejection::Issuer);
    }
    let is_taken = |value: &Value| {
        let taken =
            |audience: &[String]| value.as_str().is_some_and(|text| audience.iter().any(|one| one == text));
        rules.audience.is_none_or(taken)
    };
    let is_for_us = match (claims.get("aud"), claims.get("client_id")) {
        (Some(Value::Array(many)), _) => rules.audience.is_none() || many.iter().any(is_taken),
        (Some(one), _) => is_taken(one),
        (None, client) => rules.audience.is_none() || client.is_some_and(is_taken),
    };
    if !is_for_us {
        return Err(Rejection::Audience);
    }
    let now = now_s as f64;
    let time =
        |name: &str| claims.get(name).map(|value| value.as_f64().ok_or(Rejection::Malformed)).transpose();
    if time("exp")?.is_none_or(|exp| exp <= now) {
        return Err(Rejection::Expired);
    }
    let is_later = time("nbf")?.is_some_and(|nbf| nbf > now) || time("iat")?.is_some_and(|iat| iat > now);
    if is_later { Err(Rejection::NotYet) } else { Ok(()) }
}

#[cfg(test)]
mod tests;

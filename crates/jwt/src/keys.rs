use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::vouched::Vouched;

/// Longest key set that is read, bytes. Source: API Gateway developer guide, "JWT authorizers".
pub const KEY_SET_BYTES_MAX: usize = 150_000;
/// Keys of one set that are kept.
const KEYS_MAX: usize = 200;

/// An issuer's public keys (RFC 7517), of which only RSA's for signatures are kept.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    vouched: Vouched,
}

#[derive(Debug, Clone)]
struct Key {
    id: String,
    /// The one algorithm that the key is for, if it says one.
    algorithm: Option<Algorithm>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// How a token is signed: RSASSA-PKCS1-v1_5 with one of SHA-2's digests (RFC 7518 §3.3). There is no other, so that no token can
/// choose a weaker way than its key was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
}

/// Why bytes are no key set.
#[derive(Debug, Error)]
pub enum NoKeySet {
    #[error("a key set has at most {KEY_SET_BYTES_MAX} bytes")]
    TooLong,
    #[error("no JSON Web Key Set: {0}")]
    Malformed(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Wire {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct WireKey {
    kty: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    /// Reads a set. Keys of other kinds, and those that aren't well formed, are passed over (RFC 7517 §5): one bad key must not
    /// take the good ones away.
    pub fn parse(json: &[u8]) -> Result<KeySet, NoKeySet> {
        if json.len() > KEY_SET_BYTES_MAX {
            return Err(NoKeySet::TooLong);
        }
        let wire: Wire = serde_json::from_slice(json)?;
        let read = |key| serde_json::from_value(key).ok().and_then(WireKey::key);
        let keys = wire.keys.into_iter().filter_map(read).take(KEYS_MAX).collect();
        Ok(KeySet { keys, vouched: Vouched::default() })
    }

    /// Is there no key in it that could verify anything?
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn has(&self, key_id: &str) -> bool {
        self.keys.iter().any(|key| key.id == key_id)
    }

    /// Is a token, which says this of its key and whose parts these are, signed by a key of the set?
    pub(crate) fn verifies(
        &self,
        token: &str,
        key_id: &str,
        algorithm: Algorithm,
        (message, signature): (&[u8], &[u8]),
    ) -> bool {
        let fits = |key: &&Key| key.id == key_id && key.algorithm.is_none_or(|own| own == algorithm);
        self.vouched.or(token, || {
            self.keys.iter().filter(fits).any(|key| {
                let components = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
                components.verify(algorithm.parameters(), message, signature).is_ok()
            })
        })
    }
}

impl WireKey {
    fn key(self) -> Option<Key> {
        let is_for_signatures = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let verifies = |ops: &[String]| ops.iter().any(|op| op == "verify");
        let may_verify = self.key_ops.as_deref().is_none_or(verifies);
        if self.kty.as_deref() != Some("RSA") || !is_for_signatures || !may_verify {
            return None;
        }
        let algorithm = match self.alg.as_deref() {
            None => None,
            Some(name) => Some(Algorithm::parse(name)?),
        };
        let number = |text: Option<String>| {
            let bytes = URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Some(bytes[zeros..].to_vec())
        };
        Some(Key { id: self.kid?, algorithm, modulus: number(self.n)?, exponent: number(self.e)? })
    }
}

impl Algorithm {
    /// The name must be written as RFC 7518 writes it.
    pub fn parse(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "RS384" => Some(Algorithm::Rs384),
            "RS512" => Some(Algorithm::Rs512),
            _ => None,
        }
    }

    fn parameters(self) -> &'static RsaParameters {
        match self {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_for_signatures_by_rsa_are_kept() {
        let set = br#"{"keys":[
            {"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"b","n":"AQAB","e":"AQAB","use":"enc"},
            {"kty":"EC","kid":"c","x":"AQAB"},
            {"kty":"RSA","kid":"d","n":"!","e":"AQAB"},
            {"kty":"RSA","kid":"e","n":"AQAB","e":"AQAB","alg":"PS256"},
            {"kty":"RSA","kid":"f","n":"AQAB","e":"AQAB","alg":"RS512","use":"sig"},
            {"kty":"RSA","kid":7,"n":"AQAB","e":"AQAB"},
            "no key", null,
            {"kty":"RSA","kid":"g","n":"AQAB","e":"AQAB","key_ops":["encrypt"]},
            {"kty":"RSA","kid":"h","n":"AQAB==","e":"AQAB","key_ops":["verify"]},
            {"kty":"oct","kid":"i","k":"AQAB","alg":"HS256"},
            {"kty":"RSA","kid":"j","n":"AQAB","e":"AQAB","alg":"HS256"}
        ]}"#;
        let set = KeySet::parse(set).expect("a set");
        let named = ["a", "b", "c", "d", "e", "f", "7", "g", "h", "i", "j"];
        let kept: Vec<&str> = named.into_iter().filter(|id| set.has(id)).collect();
        assert_eq!(kept, ["a", "f", "h"]);
        // A key that is no key verifies nothing, whatever its numbers.
        assert!(!set.verifies("t", "a", Algorithm::Rs256, (b"x", b"y")));
    }

    #[test]
    fn a_set_has_a_bound() {
        let set = |spaces: usize| format!("{{\"keys\":[]{}}}", " ".repeat(spaces));
        let frame = set(0).len();
        assert!(KeySet::parse(set(KEY_SET_BYTES_MAX - frame).as_bytes()).is_ok());
        assert!(matches!(
            KeySet::parse(set(KEY_SET_BYTES_MAX - frame + 1).as_bytes()),
            Err(NoKeySet::TooLong)
        ));
        for bad in ["", "[]", "{}", "{\"keys\":1}", &"[".repeat(1000)] {
            assert!(KeySet::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}

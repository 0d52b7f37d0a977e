use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: i64 = 1_600_000_000;

struct Issuer {
    pair: KeyPair,
    keys: KeySet,
}

impl Issuer {
    fn new() -> Issuer {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        // RSAPublicKey (RFC 8017 §A.1.1) of 2048 bits: a sequence of two numbers, with heads of known lengths.
        let der = pair.public_key().as_ref();
        let (modulus, exponent) = (&der[9..265], &der[267..270]);
        let key = json!({
            "kty": "RSA", "kid": "k1", "use": "sig",
            "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent),
        });
        let keys = KeySet::parse(json!({"keys": [key]}).to_string().as_bytes()).expect("a set");
        Issuer { pair, keys }
    }

    fn sign(&self, head: &Value, claims: &Value, encoding: &'static dyn RsaEncoding) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = [part(head), part(claims)].join(".");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut signature).expect("signed");
        [message, URL_SAFE_NO_PAD.encode(signature)].join(".")
    }

    fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": "RS256", "kid": "k1"}), claims, &RSA_PKCS1_SHA256)
    }

    fn verify(&self, token: &str) -> Result<Claims, Rejection> {
        let audience = ["app".to_owned(), "other".to_owned()];
        verify(token, &self.keys, &Rules { issuer: "https://issuer", audience: Some(&audience) }, NOW)
    }
}

fn claims(more: Value) -> Value {
    let mut claims = json!({"iss": "https://issuer", "aud": "app", "exp": NOW + 60, "sub": "ada"});
    claims.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    claims
}

#[test]
fn a_good_token_says_what_it_claims() {
    let issuer = Issuer::new();
    let head = |algorithm: &str| json!({"alg": algorithm, "kid": "k1", "typ": "JWT"});
    let encodings: [(&str, &'static dyn RsaEncoding); 3] =
        [("RS256", &RSA_PKCS1_SHA256), ("RS384", &RSA_PKCS1_SHA384), ("RS512", &RSA_PKCS1_SHA512)];
    for (algorithm, encoding) in encodings {
        let token = issuer.sign(&head(algorithm), &claims(json!({})), encoding);
        let claims = issuer.verify(&token).expect(algorithm);
        assert_eq!(claims.text("sub").as_deref(), Some("ada"));
    }
    for more in
        [json!({"aud": ["x", "other"]}), json!({"nbf": NOW, "iat": NOW}), json!({"exp": NOW as f64 + 0.5})]
    {
        assert!(issuer.verify(&issuer.token(&claims(more.clone()))).is_ok(), "{more}");
    }
    let mut by_client = claims(json!({"client_id": "app"}));
    by_client.as_object_mut().expect("an object").remove("aud");
    assert!(issuer.verify(&issuer.token(&by_client)).is_ok());
}

#[test]
fn each_rule_holds() {
    let issuer = Issuer::new();
    for (more, expected) in [
        (json!({"iss": "https://issuer/"}), Rejection::Issuer),
        (json!({"iss": null}), Rejection::Issuer),
        (json!({"aud": "x"}), Rejection::Audience),
        (json!({"aud": []}), Rejection::Audience),
        (json!({"aud": "x", "client_id": "app"}), Rejection::Audience),
        (json!({"exp": NOW}), Rejection::Expired),
        (json!({"exp": "soon"}), Rejection::Malformed),
        (json!({"nbf": NOW + 1}), Rejection::NotYet),
        (json!({"iat": NOW + 1}), Rejection::NotYet),
    ] {
        assert_eq!(issuer.verify(&issuer.token(&claims(more.clone()))), Err(expected), "{more}");
    }
    let mut endless = claims(json!({}));
    endless.as_object_mut().expect("an object").remove("exp");
    assert_eq!(issuer.verify(&issuer.token(&endless)), Err(Rejection::Expired));
}

#[test]
fn a_signature_is_by_the_key_that_the_token_names() {
    let (issuer, stranger) = (Issuer::new(), Issuer::new());
    let good = claims(json!({}));
    assert_eq!(issuer.verify(&stranger.token(&good)), Err(Rejection::Signature));
    let sign = |head: &Value| issuer.sign(head, &good, &RSA_PKCS1_SHA256);
    for (head, expected) in [
        (json!({"alg": "RS256", "kid": "k2"}), Rejection::UnknownKey),
        (json!({"alg": "RS256"}), Rejection::UnknownKey),
        (json!({"alg": "RS384", "kid": "k1"}), Rejection::Signature),
        (json!({"alg": "none", "kid": "k1"}), Rejection::Algorithm),
        (json!({"alg": "HS256", "kid": "k1"}), Rejection::Algorithm),
        (json!({"alg": "PS256", "kid": "k1"}), Rejection::Algorithm),
        (json!({"alg": "RS256", "kid": "k1", "crit": ["b64"]}), Rejection::Malformed),
    ] {
        assert_eq!(issuer.verify(&sign(&head)), Err(expected), "{head}");
    }
    let token = issuer.token(&good);
    let mut parts: Vec<&str> = token.split('.').collect();
    let forged = URL_SAFE_NO_PAD.encode(claims(json!({"sub": "eve"})).to_string());
    parts[1] = &forged;
    assert_eq!(issuer.verify(&parts.join(".")), Err(Rejection::Signature));
    assert_eq!(
        issuer.verify(&format!("{}.", token.rsplit_once('.').expect("parts").0)),
        Err(Rejection::Signature)
    );
}

#[test]
fn a_token_has_a_bound() {
    let issuer = Issuer::new();
    assert_eq!(issuer.verify(&"a".repeat(TOKEN_BYTES_MAX + 1)), Err(Rejection::Malformed));
    for bad in ["", ".", "..", "a.b.c", "e30.e30.e30", "e30.e30", "....", "é.é.é"] {
        assert_eq!(issuer.verify(bad), Err(Rejection::Malformed), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_token_panics(token in "[a-zA-Z0-9_.-]{0,60}", head in ".{0,20}", claims in ".{0,20}") {
        let rules = Rules { issuer: "i", audience: Some(&[]) };
        prop_assert!(verify(&token, &KeySet::default(), &rules, NOW).is_err());
        let made = [URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims), "AAAA".to_owned()].join(".");
        prop_assert!(verify(&made, &KeySet::default(), &rules, NOW).is_err());
    }
}

#[test]
fn whose_a_token_claims_to_be_is_read_and_its_audience_may_be_left_to_the_caller() {
    let issuer = Issuer::new();
    let token = issuer.token(&claims(json!({"aud": null})));
    assert_eq!(claimed_issuer(&token).as_deref(), Some("https://issuer"));
    let long = format!("{token}{}", "x".repeat(TOKEN_BYTES_MAX));
    for bad in ["", "a", "a.!.c", "a.e30.c", long.as_str()] {
        assert_eq!(claimed_issuer(bad), None, "{bad}");
    }
    assert_eq!(issuer.verify(&token), Err(Rejection::Audience));
    let rules = Rules { issuer: "https://issuer", audience: None };
    assert!(verify(&token, &issuer.keys, &rules, NOW).is_ok());
    assert_eq!(verify(&token, &issuer.keys, &rules, NOW + 60), Err(Rejection::Expired));
}

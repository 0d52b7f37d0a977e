use proptest::prelude::*;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair,
};
use serde_json::json;

use super::*;

const NOW: i64 = 1_600_000_000;

struct Issuer {
    pair: RsaKeyPair,
    keys: KeySet,
    /// The key as its set has it, which names no algorithm.
    key: Value,
}

impl Issuer {
    fn new() -> Issuer {
        Issuer::of(include_bytes!("issuer.pk8"))
    }

    fn stranger() -> Issuer {
        Issuer::of(include_bytes!("stranger.pk8"))
    }

    /// Of a key that was made for these tests and guards nothing.
    fn of(pkcs8: &[u8]) -> Issuer {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).expect("a key");
        // RSAPublicKey (RFC 8017 §A.1.1) of 2048 bits: a sequence of two numbers, with heads of known lengths.
        let der = pair.public_key().as_ref();
        let (modulus, exponent) = (&der[9..265], &der[267..270]);
        let key = json!({
            "kty": "RSA", "kid": "k1", "use": "sig",
            "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(exponent),
        });
        let keys = KeySet::parse(json!({"keys": [key.clone()]}).to_string().as_bytes()).expect("a set");
        Issuer { pair, keys, key }
    }

    fn sign(&self, head: &Value, claims: &Value, encoding: &'static dyn RsaEncoding) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = [part(head), part(claims)].join(".");
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut signature).expect("signed");
        [message, URL_SAFE_NO_PAD.encode(signature)].join(".")
    }

    fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": "RS256", "kid": "k1"}), claims, &RSA_PKCS1_SHA256)
    }

    fn verify(&self, token: &str) -> Result<Claims, Rejection> {
        let audience = ["app".to_owned(), "other".to_owned()];
        verify(
            token,
            &self.keys,
            &Rules { issuer: "https://issuer", audience: Some(&audience), algorithm: None },
            NOW,
        )
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
    let (issuer, stranger) = (Issuer::new(), Issuer::stranger());
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
        (json!({"alg": "RS256", "kid": "k1", "crit": null}), Rejection::Malformed),
        (json!({"alg": "rs256", "kid": "k1"}), Rejection::Algorithm),
        (json!({"alg": "ES256", "kid": "k1"}), Rejection::Algorithm),
        (json!({"alg": null, "kid": "k1"}), Rejection::Malformed),
        (json!({"kid": "k1"}), Rejection::Malformed),
        (json!({"alg": "RS256", "kid": 1}), Rejection::Malformed),
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
        let rules = Rules { issuer: "i", audience: Some(&[]), algorithm: None };
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
    let rules = Rules { issuer: "https://issuer", audience: None, algorithm: None };
    assert!(verify(&token, &issuer.keys, &rules, NOW).is_ok());
    assert_eq!(verify(&token, &issuer.keys, &rules, NOW + 60), Err(Rejection::Expired));
}

#[test]
fn no_token_chooses_another_way_than_its_key_and_its_rules_allow() {
    let issuer = Issuer::new();
    let good = claims(json!({}));
    let longer = issuer.sign(&json!({"alg": "RS512", "kid": "k1"}), &good, &RSA_PKCS1_SHA512);
    let rules = |algorithm| Rules { issuer: "https://issuer", audience: None, algorithm };
    assert!(verify(&longer, &issuer.keys, &rules(None), NOW).is_ok());
    // Rules that name a way hold where the key names none.
    let only = rules(Some(Algorithm::Rs256));
    assert_eq!(verify(&longer, &issuer.keys, &only, NOW), Err(Rejection::Algorithm));
    assert!(verify(&issuer.token(&good), &issuer.keys, &only, NOW).is_ok());
    // A key's own way holds where rules name none.
    let mut key = issuer.key.clone();
    key["alg"] = json!("RS256");
    let keys = KeySet::parse(json!({"keys": [key]}).to_string().as_bytes()).expect("a set");
    assert_eq!(verify(&longer, &keys, &rules(None), NOW), Err(Rejection::Signature));
    assert!(verify(&issuer.token(&good), &keys, &rules(None), NOW).is_ok());
}

#[test]
fn what_is_public_signs_nothing() {
    let (issuer, stranger) = (Issuer::new(), Issuer::stranger());
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let good = claims(json!({}));
    // The public key, in each of its forms, as the secret of an HMAC; under its own name, and under that of RSA.
    let forms = [
        issuer.pair.public_key().as_ref().to_vec(),
        issuer.key["n"].as_str().expect("a text").as_bytes().to_vec(),
        issuer.key.to_string().into_bytes(),
    ];
    for (secret, algorithm, expected) in [
        (&forms[0], "HS256", Rejection::Algorithm),
        (&forms[1], "HS256", Rejection::Algorithm),
        (&forms[2], "HS256", Rejection::Algorithm),
        (&forms[0], "RS256", Rejection::Signature),
    ] {
        let message = [part(&json!({"alg": algorithm, "kid": "k1"})), part(&good)].join(".");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        let forged = [message, URL_SAFE_NO_PAD.encode(tag)].join(".");
        assert_eq!(issuer.verify(&forged), Err(expected), "{algorithm}");
    }
    // No signature at all, however `none` is written.
    for none in ["none", "None", "NONE", ""] {
        let forged = format!("{}.{}.", part(&json!({"alg": none, "kid": "k1"})), part(&good));
        assert_eq!(issuer.verify(&forged), Err(Rejection::Algorithm), "{none}");
    }
    // A key that the token brings along, or says where to fetch.
    let head = json!({"alg": "RS256", "kid": "k1", "jwk": stranger.key, "jku": "https://stranger/keys"});
    let forged = stranger.sign(&head, &good, &RSA_PKCS1_SHA256);
    assert_eq!(issuer.verify(&forged), Err(Rejection::Signature));
}

#[test]
fn a_token_has_one_spelling() {
    let issuer = Issuer::new();
    let token = issuer.token(&claims(json!({})));
    let parts: Vec<&str> = token.split('.').collect();
    // 256 bytes end in a letter of which four bits count for nothing; they must be zero.
    let (start, last) = parts[2].split_at(parts[2].len() - 1);
    let other = char::from(last.as_bytes()[0] + 1);
    for bad in [
        format!("{}.{}.{start}{other}", parts[0], parts[1]),
        format!("{token}=="),
        format!("{token}\n"),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{token}.AAAA"),
    ] {
        assert_eq!(issuer.verify(&bad), Err(Rejection::Malformed), "{bad}");
    }
    // A head that says a thing twice could be read in two ways.
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"k1","kid":"k2"}"#);
    let twice = format!("{head}.{}.{}", parts[1], parts[2]);
    assert_eq!(issuer.verify(&twice), Err(Rejection::Malformed));
}

//! Keys in the forms in which people keep them.

use auth_token::{Algorithm, Jwk, KeyError, KeySet, RsaBits, SigningKey, VerificationKey};
use serde_json::{Value, json};

use crate::fixtures::*;

const RSA_1024: &str = include_str!("../keys/rsa-1024.pem");
const RSA_1024_PUBLIC: &str = include_str!("../keys/rsa-1024.public.pem");
const RSA_ENCRYPTED: &str = include_str!("../keys/rsa-2048.encrypted.pem");
const RSA_ENCRYPTED_PKCS1: &str = include_str!("../keys/rsa-2048.encrypted-pkcs1.pem");
const P384: &str = include_str!("../keys/p384.pem");

/// Why a private key is refused.
fn refusal(algorithm: Algorithm, pem: &str) -> KeyError {
    SigningKey::from_pem(algorithm, pem).unwrap_err()
}

fn mismatch(algorithm: Algorithm, found: &'static str) -> KeyError {
    KeyError::Mismatch { algorithm, found }
}

fn jwk(algorithm: Algorithm) -> Value {
    serde_json::to_value(signing_key(algorithm).verification_key().to_jwk().unwrap()).unwrap()
}

fn read_jwk(jwk: Value) -> Result<VerificationKey, KeyError> {
    VerificationKey::from_jwk(&serde_json::from_value::<Jwk>(jwk).unwrap())
}

#[test]
fn a_key_is_the_same_in_every_pem_form() {
    for (algorithm, forms, public) in [
        (Algorithm::Rs256, vec![RSA, RSA_PKCS1], RSA_PUBLIC),
        (Algorithm::Es256, vec![P256, P256_SEC1], P256_PUBLIC),
        (Algorithm::EdDsa, vec![ED25519], ED25519_PUBLIC),
    ] {
        let public_key = VerificationKey::from_pem(algorithm, public).unwrap();
        for form in forms {
            let key = SigningKey::from_pem(algorithm, form).unwrap();
            assert_eq!(key.kid(), public_key.kid(), "{algorithm}");
            assert_eq!(key.public_pem().as_deref(), Some(public), "{algorithm}");
            assert_eq!(key.algorithm(), algorithm);
        }
    }
}

#[test]
fn pem_is_written_as_openssl_writes_it() {
    for (algorithm, pem) in [(Algorithm::Rs256, RSA), (Algorithm::Es256, P256), (Algorithm::EdDsa, ED25519)] {
        assert_eq!(*signing_key(algorithm).to_pkcs8_pem().unwrap(), pem, "{algorithm}");
    }
}

#[test]
fn a_key_that_was_just_made_survives_pem() {
    for (algorithm, bits) in [
        (Algorithm::Rs256, RsaBits::Bits2048),
        (Algorithm::Rs256, RsaBits::Bits3072),
        (Algorithm::Es256, RsaBits::default()),
        (Algorithm::EdDsa, RsaBits::default()),
    ] {
        let key = SigningKey::generate(algorithm, bits).unwrap();
        let read = SigningKey::from_pem(algorithm, &key.to_pkcs8_pem().unwrap()).unwrap();
        assert_eq!(read.kid(), key.kid(), "{algorithm}");
    }
}

#[test]
fn pem_on_one_line_or_with_windows_line_ends_is_read() {
    for pem in [RSA.replace('\n', "\\n"), RSA.replace('\n', "\r\n"), format!("comment\n\n{RSA}\n")] {
        assert_eq!(SigningKey::from_pem(Algorithm::Rs256, &pem).unwrap().kid(), signing_key(Algorithm::Rs256).kid());
    }
}

#[test]
fn a_key_of_another_type_is_named() {
    let (rsa, ec, ed) = (Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa);
    for (algorithm, pem, found) in [
        (rsa, P256, "EC P-256"),
        (rsa, P256_SEC1, "EC P-256"),
        (rsa, ED25519, "Ed25519"),
        (ec, RSA, "RSA"),
        (ec, RSA_PKCS1, "RSA"),
        (ec, P384, "EC P-384"),
        (ec, ED25519, "Ed25519"),
        (ed, RSA, "RSA"),
        (ed, P256, "EC P-256"),
        (ed, P256_SEC1, "EC P-256"),
    ] {
        assert_eq!(refusal(algorithm, pem), mismatch(algorithm, found));
    }
    assert_eq!(VerificationKey::from_pem(rsa, P256_PUBLIC).unwrap_err(), mismatch(rsa, "EC P-256"));
    assert_eq!(VerificationKey::from_pem(ec, ED25519_PUBLIC).unwrap_err(), mismatch(ec, "Ed25519"));
    assert_eq!(VerificationKey::from_pem(ed, RSA_PUBLIC).unwrap_err(), mismatch(ed, "RSA"));
    assert_eq!(mismatch(rsa, "Ed25519").to_string(), "RS256 needs a key of type RSA, this one is of type Ed25519");
}

#[test]
fn a_short_rsa_key_is_refused() {
    assert_eq!(refusal(Algorithm::Rs256, RSA_1024), KeyError::RsaTooShort);
    assert_eq!(VerificationKey::from_pem(Algorithm::Rs256, RSA_1024_PUBLIC).unwrap_err(), KeyError::RsaTooShort);
}

#[test]
fn a_pem_without_the_wanted_key_says_what_it_holds() {
    let found = |text: &str| text.to_owned();
    assert_eq!(refusal(Algorithm::Rs256, RSA_PUBLIC), KeyError::NoPrivateKey { found: found("PUBLIC KEY") });
    assert_eq!(refusal(Algorithm::Rs256, "/etc/keys/private.pem"), KeyError::NoPrivateKey { found: found("nothing") });
    let refused = VerificationKey::from_pem(Algorithm::Es256, P256_SEC1).unwrap_err();
    assert_eq!(refused, KeyError::NoPublicKey { found: found("EC PARAMETERS, EC PRIVATE KEY") });
}

#[test]
fn an_encrypted_key_is_recognised() {
    assert_eq!(refusal(Algorithm::Rs256, RSA_ENCRYPTED), KeyError::Encrypted);
    assert_eq!(refusal(Algorithm::Rs256, RSA_ENCRYPTED_PKCS1), KeyError::Encrypted);
}

#[test]
fn a_damaged_pem_is_refused() {
    let (half, _) = RSA.split_at(RSA.len() / 2);
    assert!(matches!(refusal(Algorithm::Rs256, half), KeyError::Pem(_)));
    assert!(matches!(refusal(Algorithm::Rs256, &RSA.replacen("MII", "M*I", 1)), KeyError::Pem(_)));
    let lines: Vec<&str> = RSA.lines().collect();
    let shortened = [&lines[..5], &lines[lines.len() - 1..]].concat().join("\n");
    assert_eq!(refusal(Algorithm::Rs256, &shortened), KeyError::Invalid(Algorithm::Rs256));
}

#[test]
fn a_short_secret_is_refused() {
    assert_eq!(SigningKey::from_secret(&[7; 31]).unwrap_err(), KeyError::SecretTooShort { bytes: 31 });
    assert!(SigningKey::from_secret(&[7; 32]).is_ok());
}

#[test]
fn a_shared_secret_is_never_published() {
    let key = signing_key(Algorithm::Hs256);
    assert_eq!(key.public_pem(), None);
    assert_eq!(key.verification_key().to_jwk(), None);
    assert_eq!(KeySet::new(vec![key.verification_key()]).jwks_json(), r#"{"keys":[]}"#);
    assert_eq!(key.to_pkcs8_pem().unwrap_err(), KeyError::SharedSecret);
    assert_eq!(SigningKey::generate(Algorithm::Hs256, RsaBits::default()).unwrap_err(), KeyError::SharedSecret);
    assert_eq!(refusal(Algorithm::Hs256, RSA), KeyError::SharedSecret);
}

#[test]
fn debugging_output_shows_no_secret() {
    for algorithm in Algorithm::ALL {
        let key = signing_key(algorithm);
        let verification = format!("VerificationKey {{ kid: {:?}, algorithm: {algorithm:?}, .. }}", key.kid());
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ verification: {verification}, .. }}"));
    }
}

#[test]
fn a_jwk_set_carries_the_keys_to_others() {
    let keys = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].map(signing_key);
    let set = KeySet::new(keys.iter().map(SigningKey::verification_key).collect());
    let read = KeySet::from_jwks_json(set.jwks_json()).unwrap();
    assert_eq!(read.jwks_json(), set.jwks_json());
    for key in keys {
        let token = key.sign(&claims()).unwrap();
        let (message, _) = token.rsplit_once('.').unwrap();
        assert_eq!(read.find(key.kid()).unwrap().algorithm(), key.algorithm());
        assert!(read.find(key.kid()).unwrap().verify(message.as_bytes(), b"").is_err());
    }
}

#[test]
fn a_public_jwk_holds_nothing_private() {
    for (algorithm, members) in [
        (Algorithm::Rs256, vec!["alg", "e", "kid", "kty", "n", "use"]),
        (Algorithm::Es256, vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
        (Algorithm::EdDsa, vec!["alg", "crv", "kid", "kty", "use", "x"]),
    ] {
        let jwk = jwk(algorithm);
        let mut names: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, members);
    }
}

#[test]
fn keys_of_a_jwk_set_that_are_not_understood_are_left_out() {
    let set = json!({"keys": [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"},
        {"n": "AA"},
        "text",
        jwk(Algorithm::Es256),
    ], "more": 1});
    let read = KeySet::from_jwks_json(&set.to_string()).unwrap();
    assert_eq!(read.keys().iter().map(VerificationKey::kid).collect::<Vec<_>>(), [signing_key(Algorithm::Es256).kid()]);
    for wrong in ["", "[]", "{}", r#"{"keys":{}}"#] {
        assert!(KeySet::from_jwks_json(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_jwk_keeps_its_own_id_and_gets_a_thumbprint_without() {
    let mut named = jwk(Algorithm::EdDsa);
    named["kid"] = json!("2026-01");
    assert_eq!(read_jwk(named.clone()).unwrap().kid(), "2026-01");
    named.as_object_mut().unwrap().remove("kid");
    assert_eq!(read_jwk(named).unwrap().kid(), signing_key(Algorithm::EdDsa).kid());
}

#[test]
fn a_jwk_for_something_else_is_refused() {
    for (member, value) in
        [("alg", "ES256"), ("alg", "none"), ("alg", "HS256"), ("use", "enc"), ("crv", "Ed448"), ("x", "AA"), ("x", "=")]
    {
        let mut wrong = jwk(Algorithm::EdDsa);
        wrong[member] = json!(value);
        assert!(matches!(read_jwk(wrong), Err(KeyError::Jwk(_))), "{member} {value}");
    }
}

#[test]
fn a_jwk_whose_point_is_not_on_the_curve_is_refused() {
    let mut wrong = jwk(Algorithm::Es256);
    wrong["y"] = wrong["x"].clone();
    assert!(matches!(read_jwk(wrong), Err(KeyError::Jwk(_))));
}

#[test]
fn sizes_of_rsa_keys_are_read_from_text() {
    assert_eq!("3072".parse(), Ok(RsaBits::Bits3072));
    assert_eq!("1024".parse::<RsaBits>(), Err(KeyError::RsaBits));
}

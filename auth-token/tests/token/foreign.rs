//! Tokens of other issuers, and what is made up in their name.

use auth_token::{Algorithm, ForeignToken, ForeignType, KeyError, KeySet, SigningKey, TokenError, verify_foreign};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::{EncodingKey, Header};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::*;

const CLAIMS: &str = r#"{"iss":"https://accounts.example.com","sub":"1"}"#;
const PUBLIC: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];
const RSA_1024_PUBLIC: &str = include_str!("../keys/rsa-1024.public.pem");

/// The keys of these algorithms as their issuer publishes them.
fn published(algorithms: &[Algorithm]) -> KeySet {
    published_as(algorithms, |jwk| jwk)
}

fn published_as(algorithms: &[Algorithm], change: impl Fn(Value) -> Value) -> KeySet {
    let jwk = |algorithm: &Algorithm| signing_key(*algorithm).verification_key().to_jwk().unwrap();
    let keys: Vec<Value> = algorithms.iter().map(|one| change(serde_json::to_value(jwk(one)).unwrap())).collect();
    KeySet::from_jwks_json(&json!({"keys": keys}).to_string()).unwrap()
}

/// What comes of a well signed token with this header.
fn verify_header(keys: &KeySet, algorithm: Algorithm, header: &Value) -> Result<ForeignToken, TokenError> {
    verify_foreign(&forge(algorithm, &header.to_string(), CLAIMS), keys, ForeignType::Jwt)
}

/// The usual header with this member changed or added.
fn header_with(algorithm: Algorithm, member: &str, value: Value) -> Value {
    let mut header = json!({"alg": algorithm, "typ": "JWT", "kid": signing_key(algorithm).kid()});
    header[member] = value;
    header
}

#[test]
fn tokens_of_another_implementation_are_verified() {
    let keys = published(&PUBLIC);
    for algorithm in PUBLIC {
        let mut header = Header::new(oracle_algorithm(algorithm));
        header.kid = Some(signing_key(algorithm).kid().to_owned());
        let token = jsonwebtoken::encode(&header, &claims_json(), &encoding_key(algorithm)).unwrap();
        let verified = verify_foreign(&token, &keys, ForeignType::Jwt).unwrap();
        assert_eq!(verified.algorithm, algorithm);
        assert_eq!(serde_json::from_slice::<Value>(&verified.claims).unwrap(), claims_json());
    }
}

#[test]
fn the_type_is_the_one_that_was_asked_for() {
    let keys = published(&[Algorithm::EdDsa]);
    for (typ, is_jwt, is_event) in [
        (json!("JWT"), true, false),
        (json!("jwt"), true, false),
        (json!("application/JWT"), true, false),
        (Value::Null, true, false),
        (json!("secevent+jwt"), false, true),
        (json!("application/secevent+jwt"), false, true),
        (json!("at+jwt"), false, false),
        (json!("application/at+jwt"), false, false),
        (json!("logout+jwt"), false, false),
        (json!(""), false, false),
    ] {
        let token = forge(Algorithm::EdDsa, &header_with(Algorithm::EdDsa, "typ", typ.clone()).to_string(), CLAIMS);
        for (expected, is_accepted) in [(ForeignType::Jwt, is_jwt), (ForeignType::SecurityEvent, is_event)] {
            let outcome = verify_foreign(&token, &keys, expected);
            assert_eq!(outcome.is_ok(), is_accepted, "{typ} as {expected:?}");
            assert!(is_accepted || matches!(outcome, Err(TokenError::ForeignType(_))), "{typ} as {expected:?}");
        }
    }
}

#[test]
fn a_token_without_a_type_is_no_event() {
    let header = json!({"alg": "EdDSA"}).to_string();
    let token = forge(Algorithm::EdDsa, &header, CLAIMS);
    let keys = published(&[Algorithm::EdDsa]);
    assert!(verify_foreign(&token, &keys, ForeignType::Jwt).is_ok());
    let refused = Err(TokenError::ForeignType("secevent+jwt"));
    assert_eq!(verify_foreign(&token, &keys, ForeignType::SecurityEvent), refused);
}

#[test]
fn the_key_decides_the_algorithm() {
    let keys = published(&PUBLIC);
    for algorithm in PUBLIC {
        for alg in ["none", "None", "HS256", "RS512", "PS256", "ES384", "rs256", ""] {
            let outcome = verify_header(&keys, algorithm, &header_with(algorithm, "alg", json!(alg)));
            assert_eq!(outcome, Err(TokenError::Algorithm(algorithm)), "{alg}");
        }
    }
}

#[test]
fn ed25519_may_be_called_by_its_curve() {
    let keys = published(&PUBLIC);
    let header = header_with(Algorithm::EdDsa, "alg", json!("Ed25519"));
    assert!(verify_header(&keys, Algorithm::EdDsa, &header).is_ok());
    let header = header_with(Algorithm::Es256, "alg", json!("Ed25519"));
    assert_eq!(verify_header(&keys, Algorithm::Es256, &header), Err(TokenError::Algorithm(Algorithm::Es256)));
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let keys = published(&[Algorithm::Rs256]);
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let spki = BASE64.decode(RSA_PUBLIC.lines().filter(|line| !line.starts_with('-')).collect::<String>().as_bytes());
    for header in [header_with(Algorithm::Rs256, "alg", json!("HS256")), json!({"alg": "HS256"})] {
        let message = format!("{}.{}", encode(&header.to_string()), encode(CLAIMS));
        for secret in [RSA_PUBLIC.as_bytes(), spki.as_ref().unwrap(), b""] {
            let secret = EncodingKey::from_secret(secret);
            let hmac = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
            assert!(verify_foreign(&format!("{message}.{hmac}"), &keys, ForeignType::Jwt).is_err(), "{header}");
        }
    }
}

#[test]
fn a_shared_secret_never_verifies_a_foreign_token() {
    let keys = KeySet::new(vec![signing_key(Algorithm::Hs256).verification_key()]);
    let named = header_with(Algorithm::Hs256, "alg", json!("HS256"));
    assert!(matches!(verify_header(&keys, Algorithm::Hs256, &named), Err(TokenError::UnknownKey(_))));
    let unnamed = json!({"alg": "HS256"});
    assert!(matches!(verify_header(&keys, Algorithm::Hs256, &unnamed), Err(TokenError::UnknownKey(_))));
    let published = json!({"keys": [{"kty": "oct", "k": BASE64URL_NOPAD.encode(SECRET), "alg": "HS256"}]});
    assert!(KeySet::from_jwks_json(&published.to_string()).unwrap().keys().is_empty());
}

#[test]
fn a_token_that_names_no_key_is_verified_where_one_key_fits() {
    let header = json!({"alg": "ES256"});
    assert!(verify_header(&published(&PUBLIC), Algorithm::Es256, &header).is_ok());
    let unknown = Err(TokenError::UnknownKey("(it names none)".to_owned()));
    assert_eq!(verify_header(&published(&[Algorithm::Rs256]), Algorithm::Es256, &header), unknown);
    let other = SigningKey::generate(Algorithm::Es256, auth_token::RsaBits::default()).unwrap();
    let two = KeySet::new(vec![signing_key(Algorithm::Es256).verification_key(), other.verification_key()]);
    assert_eq!(verify_header(&two, Algorithm::Es256, &header), unknown);
    let one = KeySet::new(vec![other.verification_key()]);
    assert_eq!(verify_header(&one, Algorithm::Es256, &header), Err(TokenError::Signature));
}

#[test]
fn keys_of_two_algorithms_may_share_an_id() {
    let keys = published_as(&PUBLIC, |mut jwk| {
        jwk["kid"] = json!("2026");
        jwk
    });
    for algorithm in PUBLIC {
        let header = header_with(algorithm, "kid", json!("2026"));
        assert_eq!(verify_header(&keys, algorithm, &header).map(|token| token.algorithm), Ok(algorithm));
    }
}

#[test]
fn a_token_cannot_bring_its_own_key() {
    let keys = published(&[Algorithm::EdDsa]);
    let jwk = signing_key(Algorithm::EdDsa).verification_key().to_jwk();
    for (member, value) in [
        ("jwk", json!(jwk)),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
    ] {
        let outcome = verify_header(&keys, Algorithm::EdDsa, &header_with(Algorithm::EdDsa, member, value));
        assert!(matches!(outcome, Err(TokenError::Malformed(_))), "{member}");
    }
}

#[test]
fn harmless_members_of_a_header_are_skipped() {
    let keys = published(&[Algorithm::Rs256]);
    for (member, value) in [("x5t", json!("ab_c")), ("x5t#S256", json!("ab_c")), ("nonce", json!([1])), ("x", json!(1))]
    {
        let outcome = verify_header(&keys, Algorithm::Rs256, &header_with(Algorithm::Rs256, member, value));
        assert!(outcome.is_ok(), "{member}");
    }
}

#[test]
fn an_unknown_key_is_named_in_plain_text() {
    let keys = published(&PUBLIC);
    let verify = |kid: &str| verify_header(&keys, Algorithm::EdDsa, &header_with(Algorithm::EdDsa, "kid", json!(kid)));
    assert_eq!(verify("rotated"), Err(TokenError::UnknownKey("rotated".to_owned())));
    for kid in ["a\nb", "a b", "\u{202e}", "", &"k".repeat(129)] {
        assert!(matches!(verify(kid), Err(TokenError::Malformed(_))), "{kid:?}");
    }
}

#[test]
fn a_header_that_says_a_thing_twice_is_refused() {
    let keys = published(&[Algorithm::EdDsa]);
    for header in [
        r#"{"alg":"none","alg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","typ":"JWT"}"#,
        r#"["EdDSA","JWT"]"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":["EdDSA"]}"#,
        "null",
        "",
    ] {
        let outcome = verify_foreign(&forge(Algorithm::EdDsa, header, CLAIMS), &keys, ForeignType::Jwt);
        assert!(matches!(outcome, Err(TokenError::Malformed(_))), "{header}");
    }
}

#[test]
fn rsa_below_2048_bits_is_no_key() {
    let count = |pem: &str, bytes: usize| {
        let der = BASE64.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>().as_bytes());
        let der = der.unwrap();
        // SubjectPublicKeyInfo ends with the modulus, and the exponent 65537 in five bytes.
        let modulus = &der[der.len() - 5 - bytes..der.len() - 5];
        let jwk = json!({"kty": "RSA", "n": BASE64URL_NOPAD.encode(modulus), "e": "AQAB"});
        KeySet::from_jwks_json(&json!({"keys": [jwk]}).to_string()).unwrap().keys().len()
    };
    assert_eq!(count(RSA_1024_PUBLIC, 128), 0);
    assert_eq!(count(RSA_PUBLIC, 256), 1);
}

#[test]
fn keys_for_encryption_verify_nothing() {
    let keys = published_as(&PUBLIC, |mut jwk| {
        jwk["use"] = json!("enc");
        jwk
    });
    assert!(keys.keys().is_empty());
}

#[test]
fn a_huge_foreign_token_is_refused_unread() {
    let keys = published(&[Algorithm::EdDsa]);
    let claims = json!({"groups": vec!["everyone"; 2_000]}).to_string();
    let header = json!({"alg": "EdDSA"}).to_string();
    let outcome = verify_foreign(&forge(Algorithm::EdDsa, &header, &claims), &keys, ForeignType::Jwt);
    assert!(matches!(outcome, Err(TokenError::Malformed(_))));
}

#[test]
fn a_key_signs_under_the_id_that_another_gave_it() {
    let key = signing_key(Algorithm::Es256);
    let token = key.sign_as("ABC123DEFG", "JWT", &claims_json()).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!((header.kid.as_deref(), header.typ.as_deref()), (Some("ABC123DEFG"), Some("JWT")));
    let keys = published_as(&[Algorithm::Es256], |mut jwk| {
        jwk["kid"] = json!("ABC123DEFG");
        jwk
    });
    assert!(verify_foreign(&token, &keys, ForeignType::Jwt).is_ok());
    assert_eq!(key.sign_as("ABC123DEFG", "at+jwt", &claims_json()), Err(KeyError::Type));
}

proptest! {
    #[test]
    fn no_text_is_taken_for_a_foreign_token(text in "\\PC{0,200}|[A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{0,80}){0,4}") {
        prop_assert!(verify_foreign(&text, &published(&PUBLIC), ForeignType::Jwt).is_err());
    }

    #[test]
    fn a_foreign_token_with_one_character_changed_is_refused(
        algorithm in 0..3_usize, at: prop::sample::Index, to in "[A-Za-z0-9_.=-]"
    ) {
        let algorithm = PUBLIC[algorithm];
        let token = signing_key(algorithm).sign_other("JWT", &claims_json()).unwrap();
        let at = at.index(token.len());
        let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
        prop_assume!(changed != token);
        prop_assert!(verify_foreign(&changed, &published(&PUBLIC), ForeignType::Jwt).is_err());
    }
}

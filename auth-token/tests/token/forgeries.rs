//! Tokens that somebody made up.

use auth_token::{Algorithm, KeyError, TokenError};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::EncodingKey;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::*;

/// What comes of a token whose header has this member, signed well for all the rest.
fn verify_with_header(algorithm: Algorithm, member: &str, value: Value) -> Result<(), TokenError> {
    let key = signing_key(algorithm);
    let mut header = header_json(&key);
    header[member] = value;
    verify_header(algorithm, &header.to_string())
}

fn verify_header(algorithm: Algorithm, header: &str) -> Result<(), TokenError> {
    let token = forge(algorithm, header, &claims_json().to_string());
    verifier(&signing_key(algorithm)).verify(&token, NOW).map(drop)
}

fn good_token() -> String {
    signing_key(Algorithm::EdDsa).sign(&claims()).unwrap()
}

fn verify(token: &str) -> Result<(), TokenError> {
    verifier(&signing_key(Algorithm::EdDsa)).verify(token, NOW).map(drop)
}

fn is_malformed(outcome: &Result<(), TokenError>) -> bool {
    matches!(outcome, Err(TokenError::Malformed(_)))
}

#[test]
fn a_public_key_is_no_hmac_secret() {
    let key = signing_key(Algorithm::Rs256);
    let mut header = header_json(&key);
    header["alg"] = json!("HS256");
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let message = format!("{}.{}", encode(&header.to_string()), encode(&claims_json().to_string()));
    let spki = BASE64.decode(RSA_PUBLIC.lines().filter(|line| !line.starts_with('-')).collect::<String>().as_bytes());
    for secret in [RSA_PUBLIC.as_bytes(), RSA_PUBLIC.trim().as_bytes(), &spki.unwrap(), b""] {
        let secret = EncodingKey::from_secret(secret);
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
        let outcome = verifier(&key).verify(&format!("{message}.{signature}"), NOW).map(drop);
        assert_eq!(outcome, Err(TokenError::Algorithm(Algorithm::Rs256)));
    }
}

#[test]
fn an_unsigned_token_is_refused() {
    let key = signing_key(Algorithm::EdDsa);
    for alg in ["none", "None", "NONE", ""] {
        let mut header = header_json(&key);
        header["alg"] = json!(alg);
        let token = forge(Algorithm::EdDsa, &header.to_string(), &claims_json().to_string());
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        for token in [token.clone(), format!("{unsigned}.")] {
            assert_eq!(verify(&token), Err(TokenError::Algorithm(Algorithm::EdDsa)), "{alg}");
        }
    }
}

#[test]
fn a_signature_left_out_is_a_wrong_one() {
    let token = good_token();
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    assert_eq!(verify(&format!("{unsigned}.")), Err(TokenError::Signature));
}

#[test]
fn another_algorithm_of_the_same_key_is_refused() {
    for alg in ["RS384", "RS512", "PS256", "rs256"] {
        let outcome = verify_with_header(Algorithm::Rs256, "alg", json!(alg));
        assert_eq!(outcome, Err(TokenError::Algorithm(Algorithm::Rs256)), "{alg}");
    }
}

#[test]
fn a_token_that_names_another_key_of_the_set_is_refused() {
    let (rsa, ed) = (signing_key(Algorithm::Rs256), signing_key(Algorithm::EdDsa));
    let verifier = verifier_of(&[&rsa, &ed]);
    for alg in [rsa.algorithm(), ed.algorithm()] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": rsa.kid()}).to_string();
        let token = forge(Algorithm::EdDsa, &header, &claims_json().to_string());
        assert!(verifier.verify(&token, NOW).is_err(), "{alg}");
    }
}

#[test]
fn an_unknown_key_is_named() {
    let outcome = verify_with_header(Algorithm::EdDsa, "kid", json!("rotated"));
    assert_eq!(outcome, Err(TokenError::UnknownKey("rotated".to_owned())));
}

#[test]
fn a_key_id_that_would_spoil_the_log_is_refused() {
    for kid in ["a\nb", "a b", "\u{202e}", "", &"k".repeat(129)] {
        assert!(is_malformed(&verify_with_header(Algorithm::EdDsa, "kid", json!(kid))), "{kid:?}");
    }
}

#[test]
fn only_access_tokens_are_accepted() {
    for typ in ["JWT", "jwt", "id+jwt", "logout+jwt", "", "application/", "at+jwt "] {
        assert_eq!(verify_with_header(Algorithm::EdDsa, "typ", json!(typ)), Err(TokenError::Type), "{typ}");
    }
    let key = signing_key(Algorithm::EdDsa);
    let untyped = json!({"alg": "EdDSA", "kid": key.kid()}).to_string();
    assert_eq!(verify_header(Algorithm::EdDsa, &untyped), Err(TokenError::Type));
    for typ in ["AT+JWT", "application/at+jwt", "Application/AT+JWT"] {
        assert_eq!(verify_with_header(Algorithm::EdDsa, "typ", json!(typ)), Ok(()), "{typ}");
    }
}

#[test]
fn a_key_that_signs_other_tokens_makes_no_access_token_of_them() {
    for algorithm in Algorithm::ALL {
        let key = signing_key(algorithm);
        let other = key.sign_other("gateway+jwt", &claims()).unwrap();
        assert_eq!(verifier(&key).verify(&other, NOW).map(drop), Err(TokenError::Type), "{algorithm}");
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
            assert_eq!(key.sign_other(typ, &claims()), Err(KeyError::Type), "{algorithm} {typ}");
        }
    }
}

#[test]
fn a_type_cannot_add_to_the_header() {
    let key = signing_key(Algorithm::EdDsa);
    let other = key.sign_other(r#"x","typ":"at+jwt"#, &claims()).unwrap();
    assert_eq!(verify(&other), Err(TokenError::Type));
}

#[test]
fn a_token_cannot_bring_its_own_key() {
    let jwk = signing_key(Algorithm::EdDsa).verification_key().to_jwk();
    for (member, value) in [
        ("jwk", json!(jwk)),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
    ] {
        assert!(is_malformed(&verify_with_header(Algorithm::EdDsa, member, value)), "{member}");
    }
}

#[test]
fn a_header_other_than_ours_is_refused() {
    let kid = signing_key(Algorithm::EdDsa).kid().to_owned();
    for header in [
        json!(["EdDSA", "at+jwt", kid]).to_string(),
        json!({"alg": "EdDSA", "typ": "at+jwt"}).to_string(),
        json!({"typ": "at+jwt", "kid": kid}).to_string(),
        json!({"alg": ["EdDSA"], "typ": "at+jwt", "kid": kid}).to_string(),
        format!(r#"{{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"EdDSA","typ":"JWT","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}} trailing"#),
        String::new(),
        "null".to_owned(),
    ] {
        assert!(is_malformed(&verify_header(Algorithm::EdDsa, &header)), "{header}");
    }
}

#[test]
fn other_forms_of_a_good_token_are_refused() {
    let token = good_token();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    for other in [
        String::new(),
        "...".to_owned(),
        header.to_owned(),
        format!("{header}.{claims}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{header}..{signature}.{claims}"),
        format!("{header}.{claims}.{signature}.{signature}.{signature}"),
        format!("{header}=.{claims}.{signature}"),
        format!("{token}=="),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{header}.{claims}.{}+/", &signature[2..]),
        format!("{header}.{claims}.{signature}\u{e9}"),
    ] {
        assert!(is_malformed(&verify(&other)), "{other}");
    }
}

#[test]
fn a_huge_token_is_refused_unread() {
    let mut claims = claims();
    claims.permissions = vec!["users:read".to_owned(); 1_000];
    let token = signing_key(Algorithm::EdDsa).sign(&claims).unwrap();
    assert!(is_malformed(&verify(&token)));
    assert!(is_malformed(&verify(&".".repeat(10_000_000))));
}

#[test]
fn claims_swapped_between_two_good_tokens_are_refused() {
    let mut admin = claims();
    admin.roles = vec!["admin".to_owned()];
    let (mine, theirs) = (good_token(), signing_key(Algorithm::EdDsa).sign(&admin).unwrap());
    let (mine, theirs): (Vec<&str>, Vec<&str>) = (mine.split('.').collect(), theirs.split('.').collect());
    assert_eq!(verify(&[mine[0], theirs[1], mine[2]].join(".")), Err(TokenError::Signature));
}

proptest! {
    #[test]
    fn no_text_is_taken_for_a_token(text in "\\PC{0,200}|[A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{0,80}){0,4}") {
        prop_assert!(verify(&text).is_err());
    }

    #[test]
    fn a_token_with_one_character_changed_is_refused(algorithm in 0..4_usize, at: prop::sample::Index, to in "[A-Za-z0-9_.=-]") {
        let key = signing_key(Algorithm::ALL[algorithm]);
        let token = key.sign(&claims()).unwrap();
        let at = at.index(token.len());
        let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
        prop_assume!(changed != token);
        prop_assert!(verifier(&key).verify(&changed, NOW).is_err());
    }
}

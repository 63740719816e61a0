//! What a good token is, and which claims make it a bad one.

use auth_token::{Algorithm, RsaBits, SigningKey, TokenError};
use serde_json::{Value, json};

use crate::fixtures::*;

/// What comes of a token with this claim, well signed.
fn verify_with(claim: &str, value: Value) -> Result<(), TokenError> {
    let mut claims = claims_json();
    claims[claim] = value;
    verify_json(&claims.to_string())
}

fn verify_json(claims: &str) -> Result<(), TokenError> {
    let key = signing_key(Algorithm::EdDsa);
    let token = forge(Algorithm::EdDsa, &header_json(&key).to_string(), claims);
    verifier(&key).verify(&token, NOW).map(drop)
}

#[test]
fn every_algorithm_verifies_what_it_signs() {
    for algorithm in Algorithm::ALL {
        let key = signing_key(algorithm);
        let verified = verifier(&key).verify(&key.sign(&claims()).unwrap(), NOW).unwrap();
        assert_eq!((&verified.claims, &*verified.kid), (&claims(), key.kid()), "{algorithm}");
    }
}

#[test]
fn a_key_that_was_just_made_signs_and_verifies() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm, RsaBits::default()).unwrap();
        assert_ne!(key.kid(), signing_key(algorithm).kid());
        assert!(verifier(&key).verify(&key.sign(&claims()).unwrap(), NOW).is_ok(), "{algorithm}");
    }
}

#[test]
fn a_token_lives_until_its_end_and_thirty_seconds() {
    let key = signing_key(Algorithm::EdDsa);
    let token = key.sign(&claims()).unwrap();
    let at = |now| verifier(&key).verify(&token, now).map(drop);
    assert_eq!(at(claims().exp + 29), Ok(()));
    assert_eq!(at(claims().exp + 30), Err(TokenError::Expired));
    assert_eq!(at(i64::MAX), Err(TokenError::Expired));
}

#[test]
fn a_token_of_a_clock_thirty_seconds_ahead_is_good() {
    let key = signing_key(Algorithm::EdDsa);
    let token = key.sign(&claims()).unwrap();
    let at = |now| verifier(&key).verify(&token, now).map(drop);
    assert_eq!(at(NOW - 30), Ok(()));
    assert_eq!(at(NOW - 31), Err(TokenError::IssuedInFuture));
    assert_eq!(at(i64::MIN), Err(TokenError::IssuedInFuture));
}

#[test]
fn extreme_times_are_compared_without_overflow() {
    assert_eq!(verify_with("exp", json!(i64::MAX)), Ok(()));
    assert_eq!(verify_with("exp", json!(i64::MIN)), Err(TokenError::Expired));
    assert_eq!(verify_with("iat", json!(i64::MIN)), Ok(()));
    assert_eq!(verify_with("iat", json!(i64::MAX)), Err(TokenError::IssuedInFuture));
}

#[test]
fn a_token_of_another_issuer_is_refused() {
    let other = format!("{ISSUER}/");
    assert_eq!(verify_with("iss", json!(other)), Err(TokenError::Issuer(other)));
}

#[test]
fn a_token_for_another_audience_is_refused() {
    assert_eq!(verify_with("aud", json!("other")), Err(TokenError::Audience("other".to_owned())));
    assert_eq!(verify_with("aud", json!(["other", "third"])), Err(TokenError::Audience("other".to_owned())));
    assert!(matches!(verify_with("aud", json!([])), Err(TokenError::Claims(_))));
}

#[test]
fn a_token_for_several_audiences_is_good_for_each() {
    let key = signing_key(Algorithm::EdDsa);
    let mut claims = claims_json();
    claims["aud"] = json!(["other", AUDIENCE]);
    let token = forge(Algorithm::EdDsa, &header_json(&key).to_string(), &claims.to_string());
    assert_eq!(verifier(&key).verify(&token, NOW).unwrap().claims.aud, AUDIENCE);
}

#[test]
fn a_token_without_one_of_its_claims_is_refused() {
    let whole = claims_json();
    for name in whole.as_object().unwrap().keys() {
        let mut claims = whole.clone();
        claims.as_object_mut().unwrap().remove(name);
        assert!(matches!(verify_json(&claims.to_string()), Err(TokenError::Claims(_))), "{name}");
    }
}

#[test]
fn a_claim_of_another_type_is_refused() {
    for (claim, value) in [
        ("exp", json!("1760001800")),
        ("exp", json!(1_760_001_800.5)),
        ("exp", json!(null)),
        ("exp", json!(9_300_000_000_000_000_000_u64)),
        ("ver", json!(true)),
        ("sub", json!("somebody")),
        ("sid", json!(null)),
        ("roles", json!("admin")),
        ("permissions", json!({"users:read": true})),
        ("iss", json!([ISSUER])),
    ] {
        assert!(matches!(verify_with(claim, value.clone()), Err(TokenError::Claims(_))), "{claim}: {value}");
    }
}

#[test]
fn a_claim_given_twice_is_refused() {
    let once = claims_json().to_string();
    let twice = format!(r#"{{"exp":{},{}"#, i64::MAX, once.strip_prefix('{').unwrap());
    assert!(matches!(verify_json(&twice), Err(TokenError::Claims(_))));
}

#[test]
fn a_claim_of_a_newer_release_is_passed_over() {
    assert_eq!(verify_with("act", json!({"sub": "admin"})), Ok(()));
}

#[test]
fn claims_that_are_no_object_are_refused() {
    let positional: Vec<Value> = claims_json().as_object().unwrap().values().cloned().collect();
    for claims in [json!(positional).to_string(), "null".to_owned(), String::new(), "{".to_owned()] {
        assert!(matches!(verify_json(&claims), Err(TokenError::Claims(_))), "{claims}");
    }
}

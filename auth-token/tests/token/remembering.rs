//! A token that was verified once is known again: for as long as it may be, and no longer.

use std::sync::Arc;

use auth_token::{AccessClaims, Algorithm, KeySet, SigningKey, TokenError, VerificationKey, Verifier};

use crate::fixtures::*;

fn keys(keys: &[&SigningKey]) -> KeySet {
    KeySet::new(keys.iter().map(|key| key.verification_key()).collect())
}

#[test]
fn a_good_token_is_remembered() {
    let key = signing_key(Algorithm::EdDsa);
    let (verifier, token) = (verifier(&key), key.sign(&claims()).unwrap());
    let first = verifier.verify(&token, NOW).unwrap();
    assert!(Arc::ptr_eq(&first, &verifier.verify(&token, NOW + 1_000).unwrap()));
}

#[test]
fn a_remembered_token_ends_at_its_time() {
    let key = signing_key(Algorithm::EdDsa);
    let (verifier, token) = (verifier(&key), key.sign(&claims()).unwrap());
    let first = verifier.verify(&token, NOW).unwrap();
    assert_eq!(verifier.verify(&token, claims().exp + 30).unwrap_err(), TokenError::Expired);
    assert!(!Arc::ptr_eq(&first, &verifier.verify(&token, NOW).unwrap()), "it was forgotten");
}

#[test]
fn a_remembered_token_is_not_good_before_its_issue() {
    let key = signing_key(Algorithm::EdDsa);
    let (verifier, token) = (verifier(&key), key.sign(&claims()).unwrap());
    verifier.verify(&token, NOW).unwrap();
    assert_eq!(verifier.verify(&token, NOW - 31).unwrap_err(), TokenError::IssuedInFuture);
}

#[test]
fn a_remembered_token_ends_with_its_key() {
    let (old, new) = (signing_key(Algorithm::EdDsa), signing_key(Algorithm::Es256));
    let (verifier, token) = (verifier_of(&[&old]), old.sign(&claims()).unwrap());
    verifier.verify(&token, NOW).unwrap();
    verifier.replace_keys(keys(&[&new]));
    assert_eq!(verifier.verify(&token, NOW).unwrap_err(), TokenError::UnknownKey(old.kid().to_owned()));
}

#[test]
fn a_remembered_token_survives_the_rotation_to_a_new_key() {
    let (old, new) = (signing_key(Algorithm::EdDsa), signing_key(Algorithm::Es256));
    let (verifier, token) = (verifier_of(&[&old]), old.sign(&claims()).unwrap());
    let first = verifier.verify(&token, NOW).unwrap();
    verifier.replace_keys(keys(&[&new, &old]));
    assert!(Arc::ptr_eq(&first, &verifier.verify(&token, NOW).unwrap()));
    assert!(verifier.verify(&new.sign(&claims()).unwrap(), NOW).is_ok());
}

#[test]
fn a_remembered_token_is_not_taken_over_by_another_key_of_the_same_id() {
    let old = signing_key(Algorithm::EdDsa);
    let (verifier, token) = (verifier(&old), old.sign(&claims()).unwrap());
    verifier.verify(&token, NOW).unwrap();
    let other = SigningKey::generate(Algorithm::EdDsa, auth_token::RsaBits::default()).unwrap();
    let mut jwk = other.verification_key().to_jwk().unwrap();
    jwk.kid = Some(old.kid().to_owned());
    verifier.replace_keys(KeySet::new(vec![VerificationKey::from_jwk(&jwk).unwrap()]));
    assert_eq!(verifier.verify(&token, NOW).unwrap_err(), TokenError::Signature);
}

#[test]
fn a_bad_token_is_verified_each_time() {
    let (known, unknown) = (signing_key(Algorithm::EdDsa), signing_key(Algorithm::Es256));
    let (verifier, token) = (verifier(&known), unknown.sign(&claims()).unwrap());
    assert!(verifier.verify(&token, NOW).is_err());
    verifier.replace_keys(keys(&[&known, &unknown]));
    assert!(verifier.verify(&token, NOW).is_ok(), "its key was published since");
}

#[test]
fn many_tokens_are_verified_by_a_verifier_that_remembers_few_or_none() {
    let key = signing_key(Algorithm::EdDsa);
    for capacity in [0, 1, 10] {
        let verifier = Verifier::new(ISSUER.to_owned(), AUDIENCE.to_owned(), keys(&[&key]), capacity);
        for ver in 0..100 {
            let mut claims = claims();
            claims.ver = ver;
            let token = key.sign(&claims).unwrap();
            assert_eq!(verifier.verify(&token, NOW).unwrap().claims.ver, ver);
            assert_eq!(verifier.verify(&token, NOW).unwrap().claims.ver, ver);
        }
    }
}

#[test]
fn what_is_derived_from_a_remembered_token_is_made_once() {
    let key = signing_key(Algorithm::EdDsa);
    let verifier = verifier(&key);
    let token = key.sign(&claims()).unwrap();
    assert_eq!(verifier.verify(&token, NOW).unwrap().derived(|| 1), Some(&1));
    assert_eq!(verifier.verify(&token, NOW).unwrap().derived(|| 2), Some(&1));
    assert_eq!(verifier.verify(&token, NOW).unwrap().derived(|| "another type"), None);
    let other = key.sign(&AccessClaims { jti: claims().sid, ..claims() }).unwrap();
    assert_eq!(verifier.verify(&other, NOW).unwrap().derived(|| 3), Some(&3));
}

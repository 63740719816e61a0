//! Keys, claims and hand-made tokens that the tests share.

use auth_token::{AccessClaims, Algorithm, KeySet, SigningKey, Verifier};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const RSA: &str = include_str!("../keys/rsa-2048.pem");
pub(crate) const RSA_PKCS1: &str = include_str!("../keys/rsa-2048.pkcs1.pem");
pub(crate) const RSA_PUBLIC: &str = include_str!("../keys/rsa-2048.public.pem");
pub(crate) const P256: &str = include_str!("../keys/p256.pem");
pub(crate) const P256_SEC1: &str = include_str!("../keys/p256.sec1.pem");
pub(crate) const P256_PUBLIC: &str = include_str!("../keys/p256.public.pem");
pub(crate) const ED25519: &str = include_str!("../keys/ed25519.pem");
pub(crate) const ED25519_PUBLIC: &str = include_str!("../keys/ed25519.public.pem");
pub(crate) const SECRET: &[u8] = b"a shared secret of more than thirty-two bytes";

pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "example";
pub(crate) const NOW: i64 = 1_760_000_000;

/// The fixed key of an algorithm.
pub(crate) fn signing_key(algorithm: Algorithm) -> SigningKey {
    match algorithm {
        Algorithm::Rs256 => SigningKey::from_pem(algorithm, RSA),
        Algorithm::Es256 => SigningKey::from_pem(algorithm, P256),
        Algorithm::EdDsa => SigningKey::from_pem(algorithm, ED25519),
        Algorithm::Hs256 => SigningKey::from_secret(SECRET),
    }
    .unwrap()
}

/// The same key for the oracle.
pub(crate) fn encoding_key(algorithm: Algorithm) -> EncodingKey {
    match algorithm {
        Algorithm::Rs256 => EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap(),
        Algorithm::Es256 => EncodingKey::from_ec_pem(P256.as_bytes()).unwrap(),
        Algorithm::EdDsa => EncodingKey::from_ed_pem(ED25519.as_bytes()).unwrap(),
        Algorithm::Hs256 => EncodingKey::from_secret(SECRET),
    }
}

/// The algorithm as the oracle calls it.
pub(crate) fn oracle_algorithm(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    algorithm.as_str().parse().unwrap()
}

/// A verifier by this key alone.
pub(crate) fn verifier(key: &SigningKey) -> Verifier {
    verifier_of(&[key])
}

/// A verifier by these keys.
pub(crate) fn verifier_of(keys: &[&SigningKey]) -> Verifier {
    let keys = KeySet::new(keys.iter().map(|key| key.verification_key()).collect());
    Verifier::new(ISSUER.to_owned(), AUDIENCE.to_owned(), keys, 100)
}

/// Claims that are good from `NOW` for half an hour.
pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.to_owned(),
        sub: Uuid::from_u128(1),
        aud: AUDIENCE.to_owned(),
        exp: NOW + 1_800,
        iat: NOW,
        jti: Uuid::from_u128(2),
        sid: Uuid::from_u128(3),
        ver: 4,
        rv: 5,
        roles: vec!["user".to_owned(), "manager".to_owned()],
        permissions: vec!["users:read".to_owned()],
        auth_time: NOW - 60,
        amr: vec!["pwd".to_owned()],
    }
}

/// The good claims as JSON, to be spoilt.
pub(crate) fn claims_json() -> Value {
    serde_json::to_value(claims()).unwrap()
}

/// The header that `key` writes, to be spoilt.
pub(crate) fn header_json(key: &SigningKey) -> Value {
    json!({"alg": key.algorithm(), "typ": "at+jwt", "kid": key.kid()})
}

/// A token of any header and claims, well signed by the fixed key of `algorithm`.
pub(crate) fn forge(algorithm: Algorithm, header: &str, claims: &str) -> String {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = encoding_key(algorithm);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, oracle_algorithm(algorithm)).unwrap();
    format!("{message}.{signature}")
}

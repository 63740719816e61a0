//! What upstreams can verify.

use std::io::Write;

use auth_token::{TokenError, VerificationKey, Verifier};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::super::KeyGrant;
use super::super::assertion::Assertion;
use super::*;

fn assertion(algorithm: Algorithm) -> (Assertion, SigningKey) {
    let key = SigningKey::generate(algorithm, RsaBits::default()).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(key.to_pkcs8_pem().unwrap().as_bytes()).unwrap();
    (Assertion::from_pem_file(file.path()).unwrap(), key)
}

/// The header and the claims, verified by the published key.
fn read(assertion: &Assertion, value: &HeaderValue) -> (Value, Value) {
    let token = value.to_str().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let keys = KeySet::from_jwks_json(assertion.jwks_json()).unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    keys.keys()[0].verify(signed.as_bytes(), &signature).unwrap();
    let decode = |part: &str| serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    (decode(header), decode(claims))
}

async fn session() -> Caller {
    let world = World::ready().await;
    world.identify(&bearer(&world.token())).await.unwrap().unwrap()
}

fn api_key(permissions: &[&str]) -> Caller {
    Caller::ApiKey(Arc::new(KeyGrant {
        key_id: Uuid::from_u128(7),
        user_id: USER,
        roles: Vec::new(),
        permissions: permissions.iter().map(|name| (*name).to_owned()).collect(),
        expires_at: NOW,
        rate_limit: None,
        as_of: Default::default(),
        headers: Default::default(),
    }))
}

#[tokio::test]
async fn an_assertion_says_who_calls_and_for_whom_it_is() {
    let caller = session().await;
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let (assertion, key) = assertion(algorithm);
        let (header, claims) = read(&assertion, &assertion.header(Some(&caller), "orders", NOW));
        assert_eq!(header, json!({"alg": algorithm.as_str(), "typ": "gateway+jwt", "kid": key.kid()}));
        let expected = json!({
            "iss": "api-gateway", "aud": "orders", "sub": USER, "sid": SESSION, "roles": ["user", "manager"],
            "permissions": ["orders:read", "orders:write"], "auth_method": "token", "iat": NOW, "exp": NOW + 60,
        });
        assert_eq!(claims, expected);
    }
}

#[tokio::test]
async fn an_assertion_of_a_key_has_no_session_and_one_of_nobody_no_user() {
    let (assertion, _) = assertion(Algorithm::EdDsa);
    let (_, claims) = read(&assertion, &assertion.header(Some(&api_key(&["orders:read"])), "orders", NOW));
    assert_eq!((&claims["auth_method"], claims.get("sid")), (&json!("api_key"), None));
    let (_, claims) = read(&assertion, &assertion.header(None, "orders", NOW));
    assert_eq!((&claims["auth_method"], claims.get("sub"), &claims["permissions"]), (&json!("none"), None, &json!([])));
}

#[tokio::test]
async fn an_assertion_is_reused_for_half_its_life_by_the_same_caller_and_upstream_alone() {
    let (caller, (assertion, _)) = (session().await, assertion(Algorithm::Es256));
    let first = assertion.header(Some(&caller), "orders", NOW);
    assert_eq!(assertion.header(Some(&caller.clone()), "orders", NOW + 29), first);
    assert_ne!(assertion.header(Some(&caller), "orders", NOW + 30), first);
    assert_ne!(assertion.header(Some(&caller), "billing", NOW), first);
    assert_ne!(assertion.header(None, "orders", NOW), first);
    // A clock that was set back does not make it last longer.
    assert_ne!(assertion.header(Some(&caller), "orders", NOW - 100), first);
}

#[tokio::test]
async fn a_key_that_may_do_less_gets_another_assertion_at_once() {
    let (assertion, _) = assertion(Algorithm::EdDsa);
    let (_, claims) = read(&assertion, &assertion.header(Some(&api_key(&["orders:read"])), "orders", NOW));
    assert_eq!(claims["permissions"], json!(["orders:read"]));
    let (_, claims) = read(&assertion, &assertion.header(Some(&api_key(&[])), "orders", NOW));
    assert_eq!(claims["permissions"], json!([]));
}

#[tokio::test]
async fn an_assertion_is_no_access_token_even_where_its_key_verifies_those() {
    let (caller, (assertion, key)) = (session().await, assertion(Algorithm::EdDsa));
    let value = assertion.header(Some(&caller), "audience", NOW);
    let keys: Vec<VerificationKey> = vec![key.verification_key()];
    let verifier = Verifier::new("api-gateway".to_owned(), "audience".to_owned(), KeySet::new(keys), 10);
    assert_eq!(verifier.verify(value.to_str().unwrap(), NOW).map(drop), Err(TokenError::Type));
}

#[test]
fn what_is_wrong_with_the_key_file_is_said() {
    let refusal = |pem: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(pem.as_bytes()).unwrap();
        Assertion::from_pem_file(file.path()).err().unwrap()
    };
    let rsa = SigningKey::generate(Algorithm::Rs256, RsaBits::Bits2048).unwrap().to_pkcs8_pem().unwrap();
    assert!(refusal(&rsa).contains("give an Ed25519 or P-256 key"), "{}", refusal(&rsa));
    assert!(refusal("").contains("no private key"));
    let missing = Assertion::from_pem_file(std::path::Path::new("/nowhere/key.pem")).err().unwrap();
    assert!(missing.starts_with("/nowhere/key.pem: "), "{missing}");
}

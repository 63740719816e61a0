//! The configured signing key, and GET /.well-known/jwks.json

use auth_service::{App, StartError};
use auth_token::{Algorithm, RsaBits, SigningKey};
use data_encoding::BASE64URL_NOPAD;
use rstest::rstest;
use serde_json::{Value, json};
use service_kit::shutdown::Shutdown;
use test_peers::free_port;

use crate::support::{Answer, Deployment, Engine, Instance};

/// A secret for HS256, as `openssl rand -base64 48` prints one.
const SECRET: &str = "Zk3lJ5bq0y9mB1cT7nWvXr2sD4fG6hKpQeUiOaLzYxN8MtRj";
/// 1024 bits.
const SHORT_RSA: &str = include_str!("../../../auth-token/tests/keys/rsa-1024.pem");

/// What the header of a token says.
fn header_of(token: &str) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap()).unwrap()
}

async fn jwks(api: &Instance) -> Answer {
    let answer = api.get("/.well-known/jwks.json").await;
    assert_eq!(answer.status, 200);
    answer
}

/// Names of a key's members, sorted.
fn members(key: &Value) -> Vec<&str> {
    let mut names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn pem(algorithm: Algorithm) -> String {
    SigningKey::generate(algorithm, RsaBits::default()).unwrap().to_pkcs8_pem().unwrap().to_string()
}

fn public_pem(private: &str) -> String {
    SigningKey::from_pem(Algorithm::Es256, private).unwrap().public_pem().unwrap()
}

/// What an instance says that cannot start.
async fn refusal(deployment: Deployment) -> String {
    match App::start(deployment.config(), deployment.clock.clone(), Shutdown::manual().1).await {
        Err(StartError::Key(reason)) => reason,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started"),
    }
}

#[rstest]
#[case(Algorithm::Rs256, &["alg", "e", "kid", "kty", "n", "use"], "RSA")]
#[case(Algorithm::Es256, &["alg", "crv", "kid", "kty", "use", "x", "y"], "EC")]
#[case(Algorithm::EdDsa, &["alg", "crv", "kid", "kty", "use", "x"], "OKP")]
#[tokio::test]
async fn each_algorithm_signs_tokens_that_its_published_key_verifies(
    #[case] algorithm: Algorithm,
    #[case] expected: &[&str],
    #[case] key_type: &str,
) {
    let deployment = Deployment::new(Engine::Sqlite).set("JWT_PRIVATE_KEY", &pem(algorithm));
    let api = deployment.set("JWT_ALGORITHM", algorithm.as_str()).start().await;
    let person = api.person("kim@example.com").await;
    assert_eq!(api.me(&person.access).await.status, 200);
    let published = jwks(&api).await;
    assert_eq!(published.header("cache-control"), "public, max-age=300");
    assert_eq!(published.header("content-type"), "application/json");
    let keys = published.body["keys"].as_array().unwrap();
    assert_eq!((keys.len(), members(&keys[0]).as_slice()), (1, expected));
    assert_eq!((&keys[0]["kty"], &keys[0]["use"]), (&json!(key_type), &json!("sig")));
    assert_eq!(header_of(&person.access), json!({"alg": algorithm.as_str(), "typ": "at+jwt", "kid": keys[0]["kid"]}));
}

#[tokio::test]
async fn a_shared_secret_signs_and_is_never_published() {
    let deployment = Deployment::new(Engine::Sqlite).set("JWT_ALGORITHM", "HS256").set("JWT_SECRET_KEY", SECRET);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    assert_eq!(api.me(&person.access).await.status, 200);
    assert_eq!(header_of(&person.access)["alg"], "HS256");
    assert_eq!(jwks(&api).await.body, json!({"keys": []}));
}

#[tokio::test]
async fn a_key_may_stand_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public) = (folder.path().join("private.pem"), folder.path().join("public.pem"));
    let key = auth_service::keys::generate_files(Algorithm::Es256, RsaBits::default(), &private, &public).unwrap();
    let deployment = Deployment::new(Engine::Sqlite)
        .set("JWT_PRIVATE_KEY", "")
        .set("JWT_PRIVATE_KEY_PATH", private.to_str().unwrap())
        .set("JWT_PUBLIC_KEY_PATH", public.to_str().unwrap())
        .set("JWT_ALGORITHM", "ES256");
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    assert_eq!(header_of(&person.access)["kid"], key.kid());
    std::fs::write(&public, public_pem(&pem(Algorithm::Es256))).unwrap();
    let reason = refusal(deployment).await;
    assert!(reason.contains("public.pem is not the public half of the jwt private key"), "{reason}");
}

#[tokio::test]
async fn a_key_that_cannot_sign_is_refused_with_what_to_do() {
    let inline = |algorithm: &str, pem: &str| {
        Deployment::new(Engine::Sqlite).set("JWT_ALGORITHM", algorithm).set("JWT_PRIVATE_KEY", pem)
    };
    let ec = pem(Algorithm::Es256);
    let another = public_pem(&pem(Algorithm::Es256));
    let missing = Deployment::new(Engine::Sqlite)
        .set("JWT_PRIVATE_KEY", "")
        .set("JWT_PRIVATE_KEY_PATH", &format!("/nowhere/{}.pem", free_port().unwrap()));
    for (deployment, expected) in [
        (inline("RS256", &ec), "JWT_PRIVATE_KEY: RS256 needs a key of type RSA, this one is of type EC"),
        (inline("RS256", SHORT_RSA), "make one with `openssl genrsa 2048`"),
        (inline("ES256", "no PEM"), "JWT_PRIVATE_KEY: no private key"),
        (inline("ES256", &ec).set("JWT_PUBLIC_KEY", &another), "JWT_PUBLIC_KEY is not the public half"),
        (inline("HS256", "").set("JWT_SECRET_KEY", "short"), "needs at least 32 bytes, this one has 5"),
        (missing, "make one with `auth-system keys generate`"),
    ] {
        let reason = refusal(deployment).await;
        assert!(reason.contains(expected), "{reason}");
    }
}

#[tokio::test]
async fn a_public_key_beside_its_private_one_is_taken() {
    let private = pem(Algorithm::Es256);
    let deployment = Deployment::new(Engine::Sqlite).set("JWT_ALGORITHM", "ES256").set("JWT_PRIVATE_KEY", &private);
    let api = deployment.set("JWT_PUBLIC_KEY", &public_pem(&private)).start().await;
    assert_eq!(jwks(&api).await.body["keys"].as_array().unwrap().len(), 1);
}

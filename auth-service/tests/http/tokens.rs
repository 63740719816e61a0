//! Access tokens that are no access tokens of ours: each is refused alike.

use std::time::Duration;

use auth_token::{AccessClaims, Algorithm, RsaBits, SigningKey};
use aws_lc_rs::{hmac, rand::SystemRandom, rsa, signature::RSA_PKCS1_SHA256};
use data_encoding::BASE64URL_NOPAD;
use reqwest::Client;
use rstest::rstest;
use serde_json::{Value, json};
use test_peers::Log;

use crate::support::{Answer, Deployment, Engine, Instance};

/// A deployment with a person logged in, and the key that signed their token.
struct Forge {
    deployment: Deployment,
    api: Instance,
    access: String,
    key: SigningKey,
    rsa: rsa::KeyPair,
}

impl Forge {
    async fn new(engine: Engine) -> Self {
        let deployment = Deployment::new(engine);
        let api = deployment.start().await;
        let access = api.person("kim@example.com").await.access;
        let pem = deployment.get("JWT_PRIVATE_KEY");
        let key = SigningKey::from_pem(Algorithm::Rs256, pem).unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let rsa = rsa::KeyPair::from_pkcs8(&data_encoding::BASE64.decode(der.as_bytes()).unwrap()).unwrap();
        Self { deployment, api, access, key, rsa }
    }

    /// What the good token says.
    fn claims(&self) -> AccessClaims {
        serde_json::from_value(self.part(1)).unwrap()
    }

    /// The header or the claims of the good token.
    fn part(&self, index: usize) -> Value {
        let part = self.access.split('.').nth(index).unwrap();
        serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
    }

    /// The good token with some claims changed, signed by our own key.
    fn with_claims(&self, change: impl FnOnce(&mut AccessClaims)) -> String {
        let mut claims = self.claims();
        change(&mut claims);
        self.key.sign(&claims).unwrap()
    }

    /// What is signed of a token with one member of the header changed.
    fn message(&self, member: &str, value: Value) -> String {
        let mut header = self.part(0);
        header[member] = value;
        format!("{}.{}", encode(header.to_string().as_bytes()), self.access.split('.').nth(1).unwrap())
    }

    fn sign(&self, message: &str) -> String {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", encode(&signature))
    }

    /// Every forgery, with its name.
    fn forgeries(&self) -> Vec<(&'static str, String)> {
        let (unsigned, signature) = self.access.rsplit_once('.').unwrap();
        let (header, _) = unsigned.split_once('.').unwrap();
        let mut promoted = self.part(1);
        promoted["roles"] = json!(["admin"]);
        let promoted = encode(promoted.to_string().as_bytes());
        let foreign = SigningKey::generate(Algorithm::Rs256, RsaBits::default()).unwrap();
        let none = self.message("alg", json!("none"));
        let confused = self.message("alg", json!("HS256"));
        let mut forgeries = vec![
            ("another issuer", self.with_claims(|claims| claims.iss = "https://elsewhere.example".to_owned())),
            ("another audience", self.with_claims(|claims| claims.aud = "another-service".to_owned())),
            ("another key", foreign.sign(&self.claims()).unwrap()),
            ("a key that claims our kid", format!("{unsigned}.{}", foreign_signature(&foreign, &self.claims()))),
            ("issued in the future", self.with_claims(|claims| claims.iat += 3_600)),
            ("alg none", format!("{none}.")),
            ("alg none with the old signature", format!("{none}.{signature}")),
            ("changed claims", format!("{header}.{promoted}.{signature}")),
            ("no signature", format!("{unsigned}.")),
            ("typ JWT", self.sign(&self.message("typ", json!("JWT")))),
            ("a critical extension", self.sign(&self.message("crit", json!(["exp"])))),
            ("cut short", self.access[..self.access.len() - 5].to_owned()),
        ];
        let public = self.key.public_pem().unwrap();
        for secret in [public.as_str(), public.trim()] {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), confused.as_bytes());
            forgeries.push(("HS256 by the public key", format!("{confused}.{}", encode(tag.as_ref()))));
        }
        forgeries
    }
}

fn foreign_signature(key: &SigningKey, claims: &AccessClaims) -> String {
    key.sign(claims).unwrap().rsplit_once('.').unwrap().1.to_owned()
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn assert_refused(answer: &Answer, why: &str) {
    assert_eq!((answer.status, answer.text("detail").as_str()), (401, "Invalid token"), "{why}");
    assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{why}");
    assert_eq!(answer.code(), "invalid_token", "{why}");
}

#[rstest]
#[tokio::test]
async fn every_forgery_is_refused_alike(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let forge = Forge::new(engine).await;
    let untouched = forge.with_claims(|_| {});
    assert_eq!(forge.api.me(&untouched).await.status, 200, "the forge makes good tokens too");
    let resigned = forge.sign(&forge.message("typ", json!("at+jwt")));
    assert_eq!(forge.api.me(&resigned).await.status, 200, "and signs headers of its own well");
    for (name, token) in forge.forgeries() {
        assert_refused(&forge.api.me(&token).await, name);
    }
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let forge = Forge::new(Engine::Sqlite).await;
    forge.deployment.clock.advance(Duration::from_secs(30 * 60 + 29));
    assert_eq!(forge.api.me(&forge.access).await.status, 200, "clocks may differ by half a minute");
    forge.deployment.clock.advance(Duration::from_secs(1));
    assert_refused(&forge.api.me(&forge.access).await, "expired");
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case_and_no_other_is() {
    let forge = Forge::new(Engine::Sqlite).await;
    let with = |value: String| forge.api.with_header("authorization", &value);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(with(format!("{scheme} {}", forge.access)).get("/api/v1/users/me").await.status, 200, "{scheme}");
    }
    for value in [forge.access.clone(), format!("Basic {}", forge.access), "Bearer".to_owned()] {
        assert_refused(&with(value).get("/api/v1/users/me").await, "no bearer token");
    }
    assert_refused(&forge.api.get("/api/v1/users/me").await, "no header");
    assert_refused(&forge.api.get(&format!("/api/v1/users/me?access_token={}", forge.access)).await, "in the query");
}

#[tokio::test]
async fn two_authorizations_are_none() {
    let forge = Forge::new(Engine::Sqlite).await;
    let request = Client::new().get(format!("http://{}/api/v1/users/me", forge.api.address));
    let twice = request.bearer_auth(&forge.access).bearer_auth(&forge.access).send().await.unwrap();
    assert_eq!(twice.status(), 401);
    assert_eq!(twice.headers()["www-authenticate"], r#"Bearer error="invalid_token""#);
}

#[tokio::test]
async fn a_refusal_is_logged_with_its_reason_and_without_the_token() {
    let log = Log::collect();
    let forge = Forge::new(Engine::Sqlite).await;
    for (name, token) in forge.forgeries() {
        let before = log.lines_with(&["Token validation failed", "jwt"]).len();
        forge.api.me(&token).await;
        let lines = log.lines_with(&["Token validation failed", "jwt"]);
        assert_eq!(lines.len(), before + 1, "{name}");
    }
    assert_eq!(log.lines_with(&["Token validation failed", "issued by \"https://elsewhere.example\""]).len(), 1);
    let signature = forge.access.rsplit_once('.').unwrap().1;
    assert_eq!(log.lines_with(&[signature]), Vec::<String>::new());
}

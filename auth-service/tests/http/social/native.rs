//! ID tokens that a provider's SDK gave an app: signed by the issuer, for us, of this login, and good once.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{HttpTrouble, TokenSigner};

use super::support::World;
use crate::support::{Answer, Engine};

pub const NONCE: &str = "n-0S6_WzA2Mj";
const NATIVE: &str = "kakao-native-key";

/// The claims of a good token of Kakao's for this subject.
pub fn claims(world: &World, subject: &str) -> Value {
    let now = world.deployment.clock.now().as_second();
    json!({
        "iss": world.kakao.url(), "sub": subject, "aud": "kakao-client", "nonce": NONCE,
        "iat": now, "auth_time": now, "exp": now + 3600, "nickname": "라이언",
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

async fn world(engine: Engine) -> World {
    World::with(engine, &[("KAKAO_NATIVE_CLIENT_IDS", NATIVE)]).await
}

async fn send(world: &World, provider: &str, id_token: &str, nonce: &str) -> Answer {
    let body = json!({"id_token": id_token, "nonce": nonce});
    world.api.post(&format!("/api/v1/oauth/{provider}/id-token"), body).await
}

#[track_caller]
fn assert_refused(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.code()), (401, "invalid_id_token"), "{what}: {answer:?}");
}

#[rstest]
#[tokio::test]
async fn a_token_is_a_login_of_the_same_person_as_the_web_knows(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = world(engine).await;
    world.kakao.sign_in(json!({"id": 7}));
    let web = world.log_in("kakao").await;
    let id_token = world.kakao.sign("JWT", &claims(&world, "7")).unwrap();
    let native = send(&world, "kakao", &id_token, NONCE).await;
    assert_eq!(native.status, 200, "{native:?}");
    assert_eq!(world.me(&native).await["id"], world.me(&web).await["id"]);
    let for_an_app = with(claims(&world, "8"), "aud", json!(NATIVE));
    let for_an_app = with(for_an_app, "nonce", json!("another"));
    let answer = send(&world, "kakao", &world.kakao.sign("JWT", &for_an_app).unwrap(), "another").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for provider in ["naver", "nobody"] {
        assert_eq!(send(&world, provider, &id_token, NONCE).await.status, 404, "{provider} signs none");
    }
}

#[rstest]
#[tokio::test]
async fn a_token_that_does_not_fit_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = world(engine).await;
    let good = claims(&world, "7");
    let now = world.deployment.clock.now().as_second();
    for (name, value) in [
        ("nonce", json!("another")),
        ("nonce", json!(null)),
        ("nonce", json!("")),
        ("aud", json!("another-client")),
        ("aud", json!(["another-client"])),
        ("aud", json!(["kakao-client", "another-client"])),
        ("aud", json!([])),
        ("iss", json!("https://kauth.kakao.com")),
        ("iss", json!(format!("{}/", world.kakao.url()))),
        ("exp", json!(now - 31)),
        ("exp", json!(null)),
        ("iat", json!(now - 631)),
        ("iat", json!(now + 31)),
        ("nbf", json!(now + 31)),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("a".repeat(256))),
        ("events", json!({"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}})),
    ] {
        let id_token = world.kakao.sign("JWT", &with(good.clone(), name, value.clone())).unwrap();
        assert_refused(&send(&world, "kakao", &id_token, NONCE).await, &format!("{name} {value}"));
    }
    let for_two = with(good.clone(), "aud", json!(["kakao-client", "another-client"]));
    let of_another = world.kakao.sign("JWT", &with(for_two.clone(), "azp", json!("another-client"))).unwrap();
    assert_refused(&send(&world, "kakao", &of_another, NONCE).await, "azp");
    let id_token = world.kakao.sign("JWT", &good).unwrap();
    for nonce in ["another", "N-0S6_WzA2Mj", "n-0S6_WzA2Mj "] {
        assert_refused(&send(&world, "kakao", &id_token, nonce).await, nonce);
    }
    let of_ours = world.kakao.sign("JWT", &with(for_two, "azp", json!("kakao-client"))).unwrap();
    assert_eq!(send(&world, "kakao", &of_ours, NONCE).await.status, 200);
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM users").await, 1);
}

#[rstest]
#[tokio::test]
async fn a_token_that_the_issuer_did_not_sign_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = world(engine).await;
    let good = claims(&world, "7");
    let signed = world.kakao.sign("JWT", &good).unwrap();
    let header = |header: Value| BASE64URL_NOPAD.encode(header.to_string().as_bytes());
    let (head, rest) = signed.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let read: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(head.as_bytes()).unwrap()).unwrap();
    let kid = read["kid"].clone();
    let thief = TokenSigner::rs256().unwrap();
    let lie = json!({"typ": "JWT", "alg": "RS256", "kid": kid});
    let embedded = json!({"typ": "JWT", "alg": "RS256", "kid": kid, "jwk": thief.jwk()});
    let elsewhere = json!({"typ": "JWT", "alg": "RS256", "kid": "x", "jku": "https://evil.example/jwks.json"});
    let hmac = format!("{}.{payload}", header(json!({"typ": "JWT", "alg": "HS256", "kid": kid})));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"kakao-secret");
    let by_secret = BASE64URL_NOPAD.encode(aws_lc_rs::hmac::sign(&key, hmac.as_bytes()).as_ref());
    let changed = BASE64URL_NOPAD.encode(with(good.clone(), "sub", json!("8")).to_string().as_bytes());
    for forged in [
        thief.sign("JWT", &good).unwrap(),
        thief.sign_with_header(&lie, &good).unwrap(),
        thief.sign_with_header(&embedded, &good).unwrap(),
        thief.sign_with_header(&elsewhere, &good).unwrap(),
        TokenSigner::es256().unwrap().sign_with_header(&lie, &good).unwrap(),
        // Another issuer that we know signs for its own people alone.
        world.acme.sign("JWT", &good).unwrap(),
        format!("{}.{payload}.", header(json!({"alg": "none"}))),
        format!("{}.{payload}.{signature}", header(json!({"alg": "none", "kid": kid}))),
        format!("{hmac}.{by_secret}"),
        format!("{head}.{changed}.{signature}"),
        format!("{head}.{payload}."),
        format!("{signed}.{signature}"),
        "a.b.c".to_owned(),
        "a".repeat(8192),
    ] {
        assert_refused(&send(&world, "kakao", &forged, NONCE).await, &forged);
    }
    for (token, nonce) in [("", NONCE), (&"a".repeat(8193), NONCE), (&signed, ""), (&signed, &"n".repeat(257))] {
        assert_eq!(send(&world, "kakao", token, nonce).await.status, 422);
    }
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM users").await, 0);
    assert_eq!(send(&world, "kakao", &signed, NONCE).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_token_is_good_once_however_its_nonce_is_said(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = world(engine).await;
    let id_token = world.kakao.sign("JWT", &claims(&world, "7")).unwrap();
    assert_eq!(send(&world, "kakao", &id_token, NONCE).await.status, 200);
    assert_refused(&send(&world, "kakao", &id_token, NONCE).await, "again");
    // SDKs on Apple's devices send the hash of the nonce; whoever finds the token finds the hash in it.
    let hash = HEXLOWER.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"secret nonce").as_ref());
    for (subject, hash) in [("8", hash.clone()), ("9", hash.to_uppercase())] {
        let hashed = with(claims(&world, subject), "nonce", json!(hash));
        let id_token = world.kakao.sign("JWT", &hashed).unwrap();
        assert_refused(&send(&world, "kakao", &id_token, "another nonce").await, "another nonce");
        assert_eq!(send(&world, "kakao", &id_token, "secret nonce").await.status, 200);
        for nonce in ["secret nonce", &hash] {
            assert_refused(&send(&world, "kakao", &id_token, nonce).await, nonce);
        }
    }
}

#[rstest]
#[tokio::test]
async fn of_fifty_logins_by_one_token_one_succeeds(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = world(engine).await;
    let id_token = world.kakao.sign("JWT", &claims(&world, "7")).unwrap();
    let calls = (0..50).map(|_| {
        let (api, body) = (world.api.clone(), json!({"id_token": id_token, "nonce": NONCE}));
        tokio::spawn(async move { api.post("/api/v1/oauth/kakao/id-token", body).await.status })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[401; 49][..]));
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM sessions").await, 1);
}

#[rstest]
#[tokio::test]
async fn while_the_issuer_is_away_no_token_is_judged_and_none_is_spent(#[values(Engine::Sqlite)] engine: Engine) {
    let world = world(engine).await;
    let id_token = world.kakao.sign("JWT", &claims(&world, "7")).unwrap();
    world.kakao.set_trouble("/.well-known/jwks.json", HttpTrouble::Status(500));
    let away = send(&world, "kakao", &id_token, NONCE).await;
    assert_eq!((away.status, away.code()), (503, "provider_unavailable"), "{away:?}");
    world.kakao.clear_trouble();
    let successor = world.deployment.start().await;
    let body = json!({"id_token": id_token, "nonce": NONCE});
    assert_eq!(successor.post("/api/v1/oauth/kakao/id-token", body).await.status, 200);
}

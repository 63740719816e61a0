//! Providers that are away, slow, or talk nonsense: the app is told so, and everybody else goes on.

use std::time::{Duration, Instant};

use rstest::rstest;
use test_peers::{HttpTrouble, Kakao, Log, RegisteredClient, Reply, StandIn};

use super::{
    steps::{Underway, arrive, arrive_with, browse},
    support::{APP, VERIFIER, World},
};
use crate::support::{Engine, PASSWORD};

const AWAY: (&str, &str) =
    ("temporarily_unavailable", "The sign-in provider does not answer; try again shortly, or log in another way.");
const FAILED: (&str, &str) =
    ("server_error", "The sign-in provider refused the login; try again, or log in another way.");
/// What a provider is asked after the browser has come back.
const ENDPOINTS: [(&str, &str); 5] = [
    ("kakao", "/oauth/token"),
    ("kakao", "/v2/user/me"),
    ("naver", "/oauth2.0/token"),
    ("naver", "/v1/nid/me"),
    ("acme", "/oauth/token"),
];
const SLOW: Duration = Duration::from_secs(7);

fn stand_in<'a>(world: &'a World, provider: &str) -> &'a StandIn {
    match provider {
        "kakao" => &world.kakao,
        "naver" => &world.naver,
        _ => &world.acme,
    }
}

#[track_caller]
fn assert_told(reply: &Reply, (error, sentence): (&str, &str), what: &str) {
    assert!(reply.location().unwrap_or_default().starts_with(APP), "{what}: {reply:?}");
    assert_eq!(reply.location_query("error").as_deref(), Some(error), "{what}");
    assert_eq!(reply.location_query("error_description").as_deref(), Some(sentence), "{what}");
    assert_eq!(reply.location_query("state").as_deref(), Some("app-state"));
}

#[rstest]
#[tokio::test]
async fn nonsense_of_a_provider_is_told_as_its_absence_and_its_refusal_as_one(
    #[values(Engine::Sqlite)] engine: Engine,
) {
    let log = Log::collect();
    let world = World::new(engine).await;
    let thief = Kakao::start(RegisteredClient::new("thief", "", &[])).unwrap();
    for (provider, path) in ENDPOINTS {
        let body = |text: &str| HttpTrouble::Body(text.to_owned());
        for (trouble, told) in [
            (HttpTrouble::HangUp, AWAY),
            (HttpTrouble::NotHttp, AWAY),
            (HttpTrouble::NotJson, AWAY),
            (HttpTrouble::Huge, AWAY),
            (HttpTrouble::Redirect(format!("{}{path}", thief.url())), AWAY),
            (HttpTrouble::Status(500), AWAY),
            (HttpTrouble::Status(503), AWAY),
            (body("[]"), AWAY),
            (body("null"), AWAY),
            (body("{}"), FAILED),
            (body(r#"{"error":"invalid_grant","error_description":"secrets"}"#), FAILED),
            (body(r#"{"access_token":7,"id":null,"response":[],"resultcode":"00"}"#), FAILED),
        ] {
            let underway = world.begin(provider).await;
            stand_in(&world, provider).set_trouble(path, trouble.clone());
            assert_told(&arrive(&underway).await, told, &format!("{provider}{path} {trouble:?}"));
            stand_in(&world, provider).clear_trouble();
        }
        assert_eq!(world.log_in(provider).await.status, 200, "and then all is well again");
    }
    assert_eq!(thief.requests().len(), 0, "no redirect is followed");
    assert_eq!(log.lines_with(&["a login through a provider failed"]).len(), 60);
    assert_nothing_secret(&world, &log);
}

/// Whatever was sent by anybody in secret is in no line.
fn assert_nothing_secret(world: &World, log: &Log) {
    let mut secrets = vec![VERIFIER.to_owned(), PASSWORD.to_owned()];
    for provider in ["kakao", "naver", "acme"] {
        secrets.push(format!("{provider}-secret"));
        for request in stand_in(world, provider).requests() {
            let queries = ["state", "nonce"].map(|name| request.query(name).map(str::to_owned));
            let fields = ["code", "code_verifier"].map(|name| request.form(name));
            let token = request.credentials("Bearer").map(str::to_owned);
            secrets.extend(queries.into_iter().chain(fields).chain([token]).flatten());
        }
    }
    assert!(secrets.len() > 100, "{secrets:?}");
    let lines = log.lines();
    for secret in secrets {
        assert!(!lines.iter().any(|line| line.contains(&secret)), "{secret} in {lines:#?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_provider_that_is_down_is_told_in_the_readers_language_and_passwords_go_on(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let mut world = World::new(engine).await;
    let (underway, korean) = (world.begin("kakao").await, world.begin("kakao").await);
    world.kakao = Kakao::start(RegisteredClient::new("another", "", &[])).unwrap();
    assert_told(&arrive(&underway).await, AWAY, "down");
    let headers = [("Cookie", korean.cookie.as_str()), ("Accept-Language", "ko")];
    let sentence = "로그인 제공자가 응답하지 않습니다. 잠시 후 다시 시도하거나 다른 방법으로 로그인하세요.";
    assert_told(&arrive_with(&korean, &headers).await, ("temporarily_unavailable", sentence), "down");
    assert_eq!(world.log_in("naver").await.status, 200);
    let kim = world.api.person("kim@example.com").await;
    assert_eq!(world.api.me(&kim.access).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn an_issuer_without_its_document_is_told_before_anybody_leaves(#[values(Engine::Sqlite)] engine: Engine) {
    for trouble in [HttpTrouble::Status(404), HttpTrouble::NotJson, HttpTrouble::Huge] {
        let world = World::new(engine).await;
        world.acme.set_trouble("/.well-known/openid-configuration", trouble.clone());
        let reply = browse("GET", &world.authorize_url("acme"), &[], "").await;
        assert_told(&reply, AWAY, &format!("{trouble:?}"));
        assert_eq!(reply.header("set-cookie"), None);
    }
    let world = World::new(engine).await;
    let path = "/.well-known/openid-configuration";
    let document = browse("GET", &format!("{}{path}", world.acme.url()), &[], "").await.body;
    let others =
        document.replace(&format!("\"issuer\":\"{}\"", world.acme.url()), "\"issuer\":\"https://evil.example\"");
    assert_ne!(document, others);
    world.acme.set_trouble(path, HttpTrouble::Body(others));
    assert_told(&browse("GET", &world.authorize_url("acme"), &[], "").await, AWAY, "another issuer's");
}

#[rstest]
#[tokio::test]
async fn a_slow_provider_is_given_up_after_five_seconds_and_holds_nobody_else_up(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    world.api.person("kim@example.com").await;
    let mut waiting = Vec::new();
    for (provider, path, trouble) in [
        ("kakao", "/oauth/token", HttpTrouble::Hang),
        ("naver", "/v1/nid/me", HttpTrouble::Drip),
        ("acme", "/.well-known/jwks.json", HttpTrouble::Late(Duration::from_secs(6))),
    ] {
        let underway = world.begin(provider).await;
        stand_in(&world, provider).set_trouble(path, trouble);
        waiting.push((provider, tokio::spawn(timed(underway))));
    }
    let began = Instant::now();
    assert_eq!(world.api.login("kim@example.com", PASSWORD).await.status, 200);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    for (provider, arrival) in waiting {
        let (reply, time) = arrival.await.unwrap();
        assert_told(&reply, AWAY, provider);
        assert!((Duration::from_secs(5)..SLOW).contains(&time), "{provider} after {time:?}");
    }
}

async fn timed(underway: Underway) -> (Reply, Duration) {
    let began = Instant::now();
    (arrive(&underway).await, began.elapsed())
}

#[tokio::test]
async fn a_provider_that_is_slow_at_every_step_is_given_up_before_the_request_is() {
    let world = World::new(Engine::Sqlite).await;
    let underway = world.begin("kakao").await;
    for path in ["/oauth/token", "/.well-known/openid-configuration", "/.well-known/jwks.json", "/v2/user/me"] {
        world.kakao.set_trouble(path, HttpTrouble::Late(Duration::from_secs(4)));
    }
    let (reply, time) = timed(underway).await;
    assert_told(&reply, AWAY, "slow");
    assert!(time < Duration::from_secs(13), "after {time:?}");
}

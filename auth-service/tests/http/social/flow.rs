//! The way from the app to the provider and back: each step is good once, for a while, and for the browser that began.

use std::time::Duration;

use rstest::rstest;

use super::{
    steps::{arrive, arrive_at_once, arrive_with, assert_lost, browse, query},
    support::{APP, World},
};
use crate::support::{Engine, Instance};

const OTHER_SECRET: &str = "__Host-oauth=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[rstest]
#[tokio::test]
async fn a_state_is_good_once_at_its_provider_and_for_ten_minutes(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let unknown = world.begin("kakao").await.with("state", Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    assert_lost(&arrive(&unknown).await);
    for state in [None, Some(""), Some("short"), Some("ticket")] {
        assert_lost(&arrive(&world.begin("kakao").await.with("state", state)).await);
    }
    let twice = world.begin("kakao").await;
    assert_eq!(arrive(&twice).await.status, 302);
    assert_lost(&arrive(&twice).await);
    assert_lost(&arrive(&world.begin("kakao").await.at("kakao", "naver")).await);
    let (in_time, late) = (world.begin("kakao").await, world.begin("kakao").await);
    world.deployment.clock.advance(Duration::from_secs(599));
    assert!(arrive(&in_time).await.location_query("code").is_some());
    world.deployment.clock.advance(Duration::from_secs(1));
    assert_lost(&arrive(&late).await);
    let redeemed = world.kakao.requests_to("/oauth/token").len();
    assert_eq!(redeemed, 2, "an answer that nobody waits for is not even shown to the provider");
}

#[rstest]
#[tokio::test]
async fn an_answer_is_taken_from_the_browser_that_began_alone(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let neighbour = world.begin("kakao").await.cookie;
    for cookies in ["", "a=b", OTHER_SECRET, &neighbour] {
        let underway = world.begin("kakao").await;
        assert_lost(&arrive_with(&underway, &[("Cookie", cookies)]).await);
        assert_lost(&arrive(&underway).await);
    }
    let underway = world.begin("kakao").await;
    let both = format!("{OTHER_SECRET}; {}", underway.cookie);
    assert_lost(&arrive_with(&underway, &[("Cookie", &both)]).await);
    let underway = world.begin("kakao").await;
    let lines = [("Cookie", underway.cookie.as_str()), ("Cookie", OTHER_SECRET)];
    assert_lost(&arrive_with(&underway, &lines).await);
    let underway = world.begin("kakao").await;
    let among_others = format!("theme=dark; {}; lang=ko", underway.cookie);
    assert_eq!(arrive_with(&underway, &[("Cookie", &among_others)]).await.status, 302);
}

#[rstest]
#[tokio::test]
async fn fifty_answers_with_one_state_bring_one_code(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let replies = arrive_at_once(&world.begin("kakao").await, 50).await;
    let codes = replies.iter().filter(|reply| reply.location_query("code").is_some()).count();
    let lost = replies.iter().filter(|reply| reply.status == 400).count();
    assert_eq!((codes, lost), (1, 49), "{replies:?}");
}

#[rstest]
#[tokio::test]
async fn an_answer_that_could_be_read_in_two_ways_is_none(#[values(Engine::Sqlite)] engine: Engine) {
    let world = World::new(engine).await;
    for more in ["&code=other", "&state=other", "&error=access_denied&error=access_denied"] {
        let mut underway = world.begin("kakao").await;
        underway.callback += more;
        assert_lost(&arrive(&underway).await);
    }
    let long = "a".repeat(4097);
    assert_lost(&arrive(&world.begin("kakao").await.with("code", Some(&long))).await);
}

#[rstest]
#[tokio::test]
async fn another_instance_finishes_what_one_began(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let mut underway = world.begin("kakao").await;
    let World { deployment, api, base, kakao: _kakao, .. } = world;
    drop(api);
    let successor = deployment.start().await;
    underway.callback = underway.callback.replace(&base, &format!("http://{}", successor.address));
    let reply = arrive(&underway).await;
    let code = reply.location_query("code").unwrap_or_else(|| panic!("{reply:?}"));
    assert_eq!(exchange(&successor, &code).await, 200);
}

async fn exchange(api: &Instance, code: &str) -> u16 {
    let body = serde_json::json!({"code": code, "code_verifier": super::support::VERIFIER});
    api.post("/api/v1/oauth/exchange", body).await.status
}

#[rstest]
#[tokio::test]
async fn an_app_that_is_not_listed_is_refused_without_a_redirect(#[values(Engine::Sqlite)] engine: Engine) {
    let world = World::new(engine).await;
    let good = world.authorize_url("kakao");
    let with = |name: &str, value: Option<&str>| {
        let mut url = url::Url::parse(&good).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(found, _)| found != name).collect();
        url.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
        String::from(url)
    };
    let mut bad = vec![with("redirect_uri", None), with("redirect_uri", Some(""))];
    for spelling in [
        "https://app.example.com/callback/",
        "https://app.example.com/callback?a=b",
        "https://app.example.com:443/callback",
        "https://APP.example.com/callback",
        "https://app.example.com/x/../callback",
        "https://app.example.com/%63allback",
        "https://app.example.com@evil.example/callback",
        "https://app.example.com.evil.example/callback",
        "https:\\\\app.example.com\\callback",
        " https://app.example.com/callback",
        "https://app.example.com/callback\t",
        "https://app.example.com/callback#x",
        "//app.example.com/callback",
        "http://localhost.evil.example/",
        "javascript:alert(1)",
    ] {
        bad.push(with("redirect_uri", Some(spelling)));
    }
    for method in [None, Some("plain"), Some("s256"), Some("")] {
        bad.push(with("code_challenge_method", method));
    }
    let padded = format!("{}=", super::support::CHALLENGE);
    for challenge in [None, Some(""), Some("short"), Some(padded.as_str())] {
        bad.push(with("code_challenge", challenge));
    }
    bad.push(with("state", Some(&"x".repeat(501))));
    bad.push(with("login_hint", Some("kim")));
    bad.push(format!("{good}&redirect_uri=https%3A%2F%2Fevil.example%2F"));
    for url in bad {
        let reply = browse("GET", &url, &[], "").await;
        assert_eq!((reply.status, reply.location(), reply.header("set-cookie")), (422, None, None), "{url}: {reply:?}");
    }
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM oauth_handles").await, 0);
    let longest = with("state", Some(&"x".repeat(500)));
    assert_eq!(browse("GET", &longest, &[], "").await.status, 302);
}

#[rstest]
#[tokio::test]
async fn a_look_at_the_beginning_is_answered_like_the_beginning(#[values(Engine::Sqlite)] engine: Engine) {
    let world = World::new(engine).await;
    let reply = browse("HEAD", &world.authorize_url("kakao"), &[], "").await;
    assert_eq!((reply.status, reply.body.as_str()), (302, ""));
    assert!(reply.location().unwrap().starts_with(&world.kakao.url()));
    let cookie = reply.header("set-cookie").unwrap();
    for attribute in ["__Host-oauth=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let unknown = world.authorize_url("kakao").replace("/kakao/", "/nobody/");
    assert_eq!(browse("GET", &unknown, &[], "").await.status, 404);
    assert_eq!(query(&reply.location().unwrap(), "code_challenge_method").as_deref(), Some("S256"));
    assert!(!reply.location().unwrap().contains(APP), "the provider learns of us alone");
}

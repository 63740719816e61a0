//! What providers send back besides a code: errors, the name of an issuer, and answers that come by POST.

use std::time::Duration;

use rstest::rstest;
use test_peers::{Consent, Fault, HttpTrouble, Reply};

use super::{
    steps::{Underway, arrive, arrive_with, assert_lost, browse},
    support::{APP, World},
};
use crate::{
    staleness::behind_a_proxy,
    support::Engine,
    waiting::{A_SECOND, until},
};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

#[track_caller]
fn assert_told(reply: &Reply, error: &str, sentence: &str) {
    assert!(reply.location().unwrap_or_default().starts_with(APP), "{reply:?}");
    assert_eq!(reply.location_query("error").as_deref(), Some(error), "{reply:?}");
    assert_eq!(reply.location_query("error_description").as_deref(), Some(sentence));
    assert_eq!(reply.location_query("state").as_deref(), Some("app-state"));
    assert_eq!(reply.location_query("code"), None);
}

#[rstest]
#[tokio::test]
async fn whoever_says_no_comes_back_to_the_app_with_a_sentence_in_their_language(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    world.kakao.set_consent(Consent::Deny);
    world.naver.set_consent(Consent::Deny);
    for provider in ["kakao", "naver"] {
        assert_told(&arrive(&world.begin(provider).await).await, "access_denied", "The login was cancelled.");
        let underway = world.begin(provider).await;
        let headers = [("Cookie", underway.cookie.as_str()), ("Accept-Language", "ko-KR,ko;q=0.9,en;q=0.8")];
        assert_told(&arrive_with(&underway, &headers).await, "access_denied", "로그인이 취소되었습니다.");
        assert_lost(&arrive(&underway).await);
    }
}

#[rstest]
#[tokio::test]
async fn an_error_of_the_providers_own_is_one_of_ours_to_the_app(#[values(Engine::Sqlite)] engine: Engine) {
    let world = World::new(engine).await;
    let refused = "The sign-in provider refused the login; try again, or log in another way.";
    let words = "%3Cscript%3Ealert(1)%3C/script%3E";
    for error in ["invalid_scope", "server_error", "KOE205", "", words, "a\r\nSet-Cookie: x=y"] {
        let underway = world.begin("kakao").await.with("code", None).with("error", Some(error));
        let underway = underway.with("error_description", Some("Write to evil@example.com"));
        assert_told(&arrive(&underway).await, "server_error", refused);
    }
    let away = "The sign-in provider does not answer; try again shortly, or log in another way.";
    let underway = world.begin("kakao").await.with("code", None).with("error", Some("temporarily_unavailable"));
    assert_told(&arrive(&underway).await, "temporarily_unavailable", away);
    // Both a code and an error: the code is not even shown to the provider.
    let both = world.begin("kakao").await.with("error", Some("access_denied"));
    assert_told(&arrive(&both).await, "access_denied", "The login was cancelled.");
    for code in [None, Some("")] {
        assert_told(&arrive(&world.begin("kakao").await.with("code", code)).await, "server_error", refused);
    }
    let redeemed: Vec<_> = world.kakao.requests_to("/oauth/token").iter().filter_map(|it| it.form("code")).collect();
    assert_eq!(redeemed, [""]);
}

#[rstest]
#[tokio::test]
async fn an_answer_that_names_another_issuer_is_never_redeemed(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    for (provider, own) in [("kakao", world.kakao.url()), ("acme", world.acme.url())] {
        for other in ["", "https://evil.example", &format!("{own}/"), &own.to_uppercase()] {
            let reply = arrive(&world.begin(provider).await.with("iss", Some(other))).await;
            assert_eq!(reply.location_query("error").as_deref(), Some("server_error"), "{other}: {reply:?}");
        }
    }
    assert_eq!(world.kakao.requests_to("/oauth/token").len() + world.acme.requests_to("/oauth/token").len(), 0);
    for (provider, own) in [("kakao", world.kakao.url()), ("acme", world.acme.url())] {
        let reply = arrive(&world.begin(provider).await.with("iss", Some(&own))).await;
        assert!(reply.location_query("code").is_some(), "{reply:?}");
    }
}

#[rstest]
#[tokio::test]
async fn an_issuer_that_promises_its_name_must_give_it(#[values(Engine::Sqlite)] engine: Engine) {
    let world = World::new(engine).await;
    let path = "/.well-known/openid-configuration";
    let document = browse("GET", &format!("{}{path}", world.acme.url()), &[], "").await.body;
    let promise = document.replacen('{', "{\"authorization_response_iss_parameter_supported\":true,", 1);
    world.acme.set_trouble(path, HttpTrouble::Body(promise));
    let reply = arrive(&world.begin("acme").await).await;
    assert_eq!(reply.location_query("error").as_deref(), Some("server_error"), "{reply:?}");
    let own = world.acme.url();
    let reply = arrive(&world.begin("acme").await.with("iss", Some(&own))).await;
    assert!(reply.location_query("code").is_some(), "{reply:?}");
}

/// The provider posts its answer across sites, with which no cookie comes.
async fn post(underway: &Underway) -> Reply {
    let (address, query) = underway.callback.split_once('?').unwrap();
    browse("POST", address, &[FORM], query).await
}

#[rstest]
#[tokio::test]
async fn an_answer_by_post_waits_for_the_browser_once_for_a_minute_and_at_its_provider(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let follow = async |underway: &Underway| {
        let reply = post(underway).await;
        assert_eq!((reply.status, reply.header("set-cookie")), (303, None), "{reply:?}");
        let next = Underway { callback: reply.location().unwrap(), cookie: underway.cookie.clone() };
        assert!(!next.callback.contains(&underway.query("code")), "the code is in no address again");
        next
    };
    let parked = follow(&world.begin("kakao").await).await;
    let stranger = Underway { cookie: world.begin("kakao").await.cookie, ..follow(&world.begin("kakao").await).await };
    assert_lost(&arrive(&stranger).await);
    let code = arrive(&parked).await.location_query("code").unwrap();
    assert_lost(&arrive(&parked).await);
    assert_eq!(world.exchange(&code).await.status, 200);
    let late = follow(&world.begin("kakao").await).await;
    world.deployment.clock.advance(Duration::from_secs(60));
    assert_lost(&arrive(&late).await);
    let elsewhere = follow(&world.begin("kakao").await).await.at("kakao", "naver");
    assert_lost(&arrive(&elsewhere).await);
    let done = world.begin("kakao").await;
    assert_eq!(arrive(&done).await.status, 302);
    let kept = "SELECT COUNT(*) FROM oauth_handles WHERE kind = 'parked'";
    let before = world.deployment.number(kept).await;
    let unknown = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let begun = world.begin("kakao").await;
    let planted = [begun.at("kakao", "naver"), begun.with("state", None), begun.with("state", Some(unknown)), done];
    for planted in planted {
        assert_lost(&post(&planted).await);
    }
    assert_eq!(world.deployment.number(kept).await, before, "what nobody waits for is not kept");
    for body in ["state=a&state=b", &format!("code={}", "a".repeat(4097))] {
        let address = format!("{}/api/v1/oauth/kakao/callback", world.base);
        assert_eq!(browse("POST", &address, &[FORM], body).await.status, 400);
    }
}

#[tokio::test]
async fn a_login_waits_while_the_database_is_away() {
    let (deployment, proxy) = behind_a_proxy();
    let world = World::on(deployment, &[]).await;
    let underway = world.begin("kakao").await;
    proxy.set(Fault::Refuse);
    let reply = arrive(&underway).await;
    assert_eq!((reply.status, reply.location()), (503, None), "{reply:?}");
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
    let beginning = browse("GET", &world.authorize_url("kakao"), &[], "").await;
    assert_eq!((beginning.status, beginning.header("set-cookie")), (503, None), "{beginning:?}");
    proxy.set(Fault::Pass);
    let ready = async || world.api.get("/api/v1/health/ready").await.status == 200;
    until("the database is back", 10 * A_SECOND, ready).await;
    let code = arrive(&underway).await.location_query("code").unwrap();
    assert_eq!(world.exchange(&code).await.status, 200);
}

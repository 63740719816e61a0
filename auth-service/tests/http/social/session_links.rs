//! Linking a provider to the account of a session: fresh, by a ticket, and finished by the app that began.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::{
    steps::{arrive, browse},
    support::{APP, CHALLENGE, World, challenge_of},
};
use crate::support::{Answer, Engine, Person};

const ATTACKERS: &str = "a-verifier-that-the-attacker-keeps-0123456789ab";

async fn nothing_is_linked(world: &World, person: &Person) {
    assert_eq!(world.identities(&person.access).await, [] as [Value; 0]);
}

async fn ticket_url(world: &World, person: &Person) -> String {
    world.start_link(&person.access, "kakao").await.text("authorization_url")
}

#[track_caller]
fn assert_refused(answer: &Answer) {
    assert_eq!((answer.status, answer.code()), (400, "invalid_or_expired_token"), "{answer:?}");
}

#[rstest]
#[tokio::test]
async fn a_link_begins_in_a_fresh_session_alone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let kim = world.api.person("kim@example.com").await;
    let wish = json!({"redirect_uri": APP, "code_challenge": CHALLENGE});
    assert_eq!(world.api.post("/api/v1/users/me/identities/kakao", wish).await.status, 401);
    let key = world.api.bearing(&kim.access).key_client(&world.api, &[]).await;
    let by_key = key.post("/api/v1/users/me/identities/kakao", json!({"redirect_uri": APP})).await;
    assert!([401, 403].contains(&by_key.status), "{by_key:?}");
    assert_eq!(world.start_link(&kim.access, "nobody").await.status, 404);
    let elsewhere = json!({"redirect_uri": "https://evil.example/", "code_challenge": CHALLENGE});
    let refused = world.api.bearing(&kim.access).post("/api/v1/users/me/identities/kakao", elsewhere).await;
    assert_eq!(refused.faults(), [("redirect_uri", "not_allowed")]);
    world.deployment.clock.advance(Duration::from_secs(301));
    let stale = world.start_link(&kim.access, "kakao").await;
    assert_eq!((stale.status, stale.code()), (403, "reauthentication_required"));
    let password = json!({"password": crate::support::PASSWORD});
    assert_eq!(world.api.bearing(&kim.access).post("/api/v1/auth/reauthenticate", password).await.status, 204);
    let linked = world.link(&kim.access, "kakao").await;
    assert_eq!((linked.status, linked.text("status")), (200, "linked".to_owned()));
    assert_eq!(linked.members(), ["identity", "status"], "no session comes of it");
    assert_eq!(world.identities(&kim.access).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_ticket_is_good_once_for_five_minutes_and_at_its_provider(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let kim = world.api.person("kim@example.com").await;
    let refused = async |url: &str| {
        let reply = browse("GET", url, &[], "").await;
        assert_eq!((reply.status, reply.location(), reply.header("set-cookie")), (400, None, None), "{reply:?}");
    };
    let once = ticket_url(&world, &kim).await;
    assert!(once.starts_with(&world.base) && !once.contains(&kim.access), "{once}");
    assert_eq!(browse("GET", &once, &[], "").await.status, 302);
    refused(&once).await;
    refused(&ticket_url(&world, &kim).await.replace("/kakao/", "/naver/")).await;
    let late = ticket_url(&world, &kim).await;
    world.deployment.clock.advance(Duration::from_secs(300));
    refused(&late).await;
    let and_more = format!("{}&redirect_uri=https%3A%2F%2Fevil.example", ticket_url(&world, &kim).await);
    let reply = browse("GET", &and_more, &[], "").await;
    assert_eq!((reply.status, reply.location()), (422, None), "{reply:?}");
    nothing_is_linked(&world, &kim).await;
}

#[rstest]
#[tokio::test]
async fn whoever_is_lured_to_anothers_link_does_not_link_themselves_to_that_account(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let attacker = world.api.person("attacker@example.com").await;
    let wish = json!({"redirect_uri": APP, "code_challenge": challenge_of(ATTACKERS)});
    let started = world.api.bearing(&attacker.access).post("/api/v1/users/me/identities/kakao", wish).await;
    // The victim, who is logged in at Kakao, opens it; the code comes to the app in the victim's own browser.
    let code = arrive(&world.begin_at(&started.text("authorization_url")).await).await.location_query("code").unwrap();
    assert_refused(&world.exchange(&code).await);
    let body = json!({"code": code, "code_verifier": ATTACKERS});
    assert_refused(&world.api.post("/api/v1/oauth/exchange", body).await);
    nothing_is_linked(&world, &attacker).await;
    let victim = world.log_in("kakao").await;
    assert_ne!(world.me(&victim).await["email"], "attacker@example.com");
}

#[rstest]
#[tokio::test]
async fn a_session_that_has_ended_meanwhile_links_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let kim = world.api.person("kim@example.com").await;
    let underway = world.begin_at(&ticket_url(&world, &kim).await).await;
    let code = arrive(&underway).await.location_query("code").unwrap();
    let unopened = ticket_url(&world, &kim).await;
    assert_eq!(world.api.bearing(&kim.access).post("/api/v1/auth/logout", json!({})).await.status, 204);
    assert_refused(&world.exchange(&code).await);
    let code = arrive(&world.begin_at(&unopened).await).await.location_query("code").unwrap();
    assert_refused(&world.exchange(&code).await);
    let kim = world.api.log_in("kim@example.com").await;
    nothing_is_linked(&world, &kim).await;
}

#[rstest]
#[tokio::test]
async fn an_identity_is_linked_to_one_account_and_one_of_a_provider_to_each(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    world.kakao.sign_in(json!({"id": 1}));
    let owner = world.log_in("kakao").await;
    let kim = world.api.person("kim@example.com").await;
    let taken = world.link(&kim.access, "kakao").await;
    assert_eq!((taken.status, taken.code()), (409, "identity_taken"));
    nothing_is_linked(&world, &kim).await;
    world.kakao.sign_in(json!({"id": 2}));
    assert_eq!(world.link(&kim.access, "kakao").await.status, 200);
    assert_eq!(world.link(&kim.access, "kakao").await.status, 200, "linked already is no fault");
    world.kakao.sign_in(json!({"id": 3}));
    let second = world.link(&kim.access, "kakao").await;
    assert_eq!((second.status, second.code()), (409, "identity_taken"));
    let subjects: Vec<_> = world.identities(&kim.access).await.iter().map(|it| it["subject"].clone()).collect();
    assert_eq!(subjects, ["2"]);
    assert_eq!(world.identities(&owner.text("access_token")).await[0]["subject"], "1");
    // A login that began as one is none of another: it gives the owner of that identity a session.
    world.kakao.sign_in(json!({"id": 2}));
    let entered = world.log_in("kakao").await;
    assert_eq!(world.me(&entered).await["email"], "kim@example.com");
}

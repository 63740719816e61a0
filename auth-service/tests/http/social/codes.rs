//! The code that an app is told: good once, for a minute, and for whoever has the verifier.

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{
    steps::{arrive, browse},
    support::{CHALLENGE, VERIFIER, World, challenge_of},
};
use crate::support::{Answer, Engine};

const EXCHANGE: &str = "/api/v1/oauth/exchange";
const OTHER_VERIFIER: &str = "another-verifier-of-another-app-0123456789abcdef";

async fn sessions(world: &World) -> i64 {
    world.deployment.number("SELECT COUNT(*) FROM sessions").await
}

async fn exchange_with(world: &World, code: &str, verifier: &str) -> Answer {
    world.api.post(EXCHANGE, json!({"code": code, "code_verifier": verifier})).await
}

#[track_caller]
fn assert_refused(answer: &Answer) {
    assert_eq!((answer.status, answer.code()), (400, "invalid_or_expired_token"), "{answer:?}");
}

#[rstest]
#[tokio::test]
async fn a_code_is_good_once_and_for_a_minute(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let twice = world.code("kakao").await;
    assert_eq!(world.exchange(&twice).await.status, 200);
    assert_refused(&world.exchange(&twice).await);
    let (in_time, late) = (world.code("kakao").await, world.code("kakao").await);
    world.deployment.clock.advance(Duration::from_secs(59));
    assert_eq!(world.exchange(&in_time).await.status, 200);
    world.deployment.clock.advance(Duration::from_secs(1));
    assert_refused(&world.exchange(&late).await);
    assert_refused(&world.exchange("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await);
    assert_refused(&world.exchange("none").await);
    assert_eq!(sessions(&world).await, 2);
}

#[rstest]
#[tokio::test]
async fn a_code_is_good_for_its_verifier_alone_and_spent_by_a_wrong_one(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    for wrong in [OTHER_VERIFIER, CHALLENGE, "", &VERIFIER[1..], &format!("{VERIFIER}=")] {
        let code = world.code("kakao").await;
        assert_refused(&exchange_with(&world, &code, wrong).await);
        assert_refused(&world.exchange(&code).await);
    }
    let code = world.code("kakao").await;
    let without = world.api.post(EXCHANGE, json!({"code": code})).await;
    assert_eq!((without.status, without.faults()), (422, vec![("code_verifier", "required")]));
    assert_eq!(sessions(&world).await, 0);
    // Two apps' logins cross: neither code is good for the other app.
    let others = world.authorize_url("kakao").replace(CHALLENGE, &challenge_of(OTHER_VERIFIER));
    let of_the_other = arrive(&world.begin_at(&others).await).await.location_query("code").unwrap();
    assert_refused(&world.exchange(&of_the_other).await);
    let ours = world.code("kakao").await;
    assert_refused(&exchange_with(&world, &ours, OTHER_VERIFIER).await);
    assert_eq!(sessions(&world).await, 0);
}

#[rstest]
#[tokio::test]
async fn fifty_exchanges_of_one_code_begin_one_session(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let code = world.code("kakao").await;
    let calls = (0..50).map(|_| {
        let (api, code) = (world.api.clone(), code.clone());
        tokio::spawn(async move { api.post(EXCHANGE, json!({"code": code, "code_verifier": VERIFIER})).await.status })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[400; 49][..]));
    assert_eq!(sessions(&world).await, 1);
}

#[rstest]
#[tokio::test]
async fn a_handle_of_one_kind_is_none_of_another(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let kim = world.api.person("kim@example.com").await;
    let wish = json!({"redirect_uri": super::support::APP, "code_challenge": CHALLENGE});
    let started = world.api.bearing(&kim.access).post("/api/v1/users/me/identities/kakao", wish).await;
    let ticket = started.text("authorization_url").split_once("ticket=").unwrap().1.to_owned();
    let state = world.begin("kakao").await.query("state");
    let code = world.code("kakao").await;
    let refresh = kim.refresh.clone();
    for other in [&ticket, &state, &refresh] {
        assert_refused(&world.exchange(other).await);
    }
    for other in [&ticket, &state, &code, &refresh] {
        for (path, body) in [
            ("link", json!({"link_token": other, "password": crate::support::PASSWORD})),
            ("link/confirm", json!({"token": other})),
        ] {
            assert_refused(&world.api.post(&format!("/api/v1/oauth/{path}"), body).await);
        }
        let parked = format!("{}/api/v1/oauth/kakao/callback?parked={other}", world.base);
        assert_eq!(browse("GET", &parked, &[], "").await.status, 400);
        assert_eq!(world.api.refresh(other).await.status == 200, *other == refresh);
    }
    for other in [&state, &code, &refresh] {
        let url = format!("{}/api/v1/oauth/kakao/authorize?ticket={other}", world.base);
        let reply = browse("GET", &url, &[], "").await;
        assert_eq!((reply.status, reply.location()), (400, None), "{reply:?}");
    }
    for other in [&ticket, &code, &refresh] {
        let underway = world.begin("kakao").await.with("state", Some(other));
        super::steps::assert_lost(&arrive(&underway).await);
    }
    assert_eq!(world.exchange(&code).await.status, 200, "none of this has spent it");
}

#[rstest]
#[tokio::test]
async fn an_exchange_is_a_call_of_json_and_nothing_else(#[values(Engine::Sqlite)] engine: Engine) {
    let world = World::new(engine).await;
    let code = world.code("kakao").await;
    let body = json!({"code": code, "code_verifier": VERIFIER}).to_string();
    assert_eq!(world.api.send(Method::POST, EXCHANGE, body.clone(), "text/plain").await.status, 415);
    let twice = body.replacen('{', &format!("{{\"code\":\"{code}\","), 1);
    assert_eq!(world.api.send(Method::POST, EXCHANGE, twice, "application/json").await.status, 400);
    let more = json!({"code": code, "code_verifier": VERIFIER, "user_id": "1"});
    assert_eq!(world.api.post(EXCHANGE, more).await.faults(), [("user_id", "unknown")]);
    let wrong: [Value; 3] = [json!(1), json!(null), json!([code])];
    for wrong in wrong {
        let answer = world.api.post(EXCHANGE, json!({"code": wrong, "code_verifier": VERIFIER})).await;
        assert_eq!(answer.status, 422, "{answer:?}");
    }
    let in_the_query = format!("{EXCHANGE}?code={code}&code_verifier={VERIFIER}");
    assert_eq!(world.api.get(&in_the_query).await.status, 405);
    let answer = world.exchange(&code).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
}

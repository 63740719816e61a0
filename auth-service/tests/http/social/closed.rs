//! Accounts that are closed: no provider opens them, on whichever way.

use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{Security, Smtp};

use super::{
    native::{NONCE, claims},
    support::{World, at_kakao},
};
use crate::{
    mailbox::{deployment, letter},
    support::{Engine, Instance, PASSWORD},
};

const EMAIL: &str = "kim@example.com";

/// Closes somebody's account as an administrator does.
async fn close(world: &World, email: &str) -> Instance {
    let admin = world.deployment.person_as(&world.api, "admin@example.com", "admin").await;
    let admin = world.api.bearing(&admin.access);
    let found = admin.get(&format!("/api/v1/users?search={email}")).await;
    let id = found.body["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(admin.post(&format!("/api/v1/users/{id}/disable"), json!({})).await.status, 200);
    admin
}

async fn live_sessions(world: &World) -> i64 {
    let sql = "SELECT COUNT(*) FROM sessions JOIN users ON users.id = user_id
               WHERE email = 'kim@example.com' AND ended_at IS NULL";
    world.deployment.number(sql).await
}

#[rstest]
#[tokio::test]
async fn a_closed_account_is_entered_through_no_provider(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    world.kakao.sign_in(at_kakao(7, EMAIL));
    let before = world.log_in("kakao").await;
    let (code, finished) = (world.code("kakao").await, world.link(&before.text("access_token"), "naver").await);
    assert_eq!(finished.status, 200);
    close(&world, EMAIL).await;
    for answer in [world.exchange(&code).await, world.log_in("kakao").await, world.log_in("naver").await] {
        assert_eq!((answer.status, answer.code()), (403, "account_closed"), "{answer:?}");
    }
    let id_token = world.kakao.sign("JWT", &claims(&world, "7")).unwrap();
    let body = json!({"id_token": id_token, "nonce": NONCE});
    let native = world.api.post("/api/v1/oauth/kakao/id-token", body).await;
    assert_eq!((native.status, native.code()), (403, "account_closed"), "{native:?}");
    // Another identity with the account's address is no way around.
    world.kakao.sign_in(at_kakao(8, EMAIL));
    assert_eq!(world.log_in("kakao").await.code(), "account_closed");
    assert_eq!(live_sessions(&world).await, 0);
    let history = "SELECT COUNT(*) FROM audit_logs WHERE event = 'login_failed'";
    assert_eq!(world.deployment.number(history).await, 5, "each is on record");
}

#[rstest]
#[tokio::test]
async fn a_closed_account_is_linked_to_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let relay = Smtp::start(Security::Plain).unwrap();
    let world = World::on(deployment(engine, &relay), &[]).await;
    let kim = world.api.person(EMAIL).await;
    world.deployment.prove_everybody().await;
    let started = world.start_link(&kim.access, "naver").await.text("authorization_url");
    let code = super::steps::arrive(&world.begin_at(&started).await).await.location_query("code").unwrap();
    world.kakao.sign_in(at_kakao(7, EMAIL));
    let token = world.log_in("kakao").await.text("link_token");
    let asked = json!({"link_token": token});
    assert_eq!(world.api.post("/api/v1/oauth/link/email", asked.clone()).await.status, 202);
    let mail = letter(&relay, EMAIL, "Was this login yours?").await.text;
    let mailed = mail.split_once("/link-identity?token=").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let admin = close(&world, EMAIL).await;
    let by_password = json!({"link_token": token, "password": PASSWORD});
    let refused = world.api.post("/api/v1/oauth/link", by_password).await;
    assert_eq!((refused.status, refused.code()), (403, "wrong_password"), "as for any wrong one");
    assert_eq!(world.api.post_token("/api/v1/oauth/link/confirm", &mailed).await.status, 400);
    assert_eq!(world.exchange(&code).await.status, 400);
    assert_eq!(world.log_in("kakao").await.code(), "account_closed", "and nothing is proposed any more");
    let linked: Vec<Option<String>> =
        world.deployment.column("SELECT email FROM oauth_accounts WHERE linked_at IS NOT NULL").await;
    assert_eq!((linked, live_sessions(&world).await), (vec![], 0));
    assert_eq!(admin.get("/api/v1/users/me/identities").await.body["items"], json!([] as [Value; 0]));
}

//! POST /api/v1/users/me/identities/{provider}/token: what a provider gave for its own API.

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use test_peers::HttpTrouble;

use super::support::{World, at_kakao};
use crate::{
    audit_log::person_with_role,
    support::{Answer, Deployment, Engine, Instance, PASSWORD},
};

const KEEP: [(&str, &str); 2] =
    [("OAUTH_KEEP_TOKENS", "true"), ("SECRETS_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")];
const OTHER_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

async fn token(api: &Instance, access: &str, provider: &str) -> Answer {
    api.bearing(access).post(&format!("/api/v1/users/me/identities/{provider}/token"), json!({})).await
}

impl World {
    /// A person who came by Kakao, has a password too, and is in a session by that.
    async fn keeps(&self) -> String {
        self.kakao.sign_in(at_kakao(1, "ryan@example.com"));
        let answer = self.log_in("kakao").await;
        let own = self.api.bearing(&answer.text("access_token"));
        let set = own.call(Method::PUT, "/api/v1/users/me/password", json!({"new_password": PASSWORD})).await;
        assert_eq!(set.status, 204, "{set:?}");
        answer.text("access_token")
    }

    /// Time passes here and at the providers; gives the access token of a new session.
    async fn later(&self, span: Duration) -> String {
        self.deployment.clock.advance(span);
        let now = self.deployment.clock.now().as_second();
        self.kakao.set_now(now);
        self.naver.set_now(now);
        self.api.log_in("ryan@example.com").await.access
    }

    /// The refresh tokens that Kakao was shown, oldest first.
    fn renewals(&self) -> Vec<String> {
        self.kakao.requests_to("/oauth/token").iter().filter_map(|request| request.form("refresh_token")).collect()
    }
}

#[rstest]
#[tokio::test]
async fn a_token_is_handed_out_and_renewed_in_its_last_minute(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::with(engine, &KEEP).await;
    let first = token(&world.api, &world.keeps().await, "kakao").await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.members(), ["access_token", "expires_at", "scope"]);
    assert_eq!(first.body["expires_at"], "2026-01-01T05:59:59Z");
    assert_eq!(first.body["scope"], "openid account_email profile_nickname profile_image");
    assert_eq!(first.header("cache-control"), "no-store");
    assert_eq!(world.is_good_at_kakao(&first).await, 200);

    let still = token(&world.api, &world.later(Duration::from_secs(21_599 - 61)).await, "kakao").await;
    assert_eq!((&still.body, world.renewals().len()), (&first.body, 0), "61 seconds are enough");
    let second = token(&world.api, &world.later(Duration::from_secs(1)).await, "kakao").await;
    assert_eq!((second.status, world.renewals().len()), (200, 1), "{second:?}");
    assert_ne!(second.body["access_token"], first.body["access_token"]);
    assert_eq!(second.body["expires_at"], "2026-01-01T11:58:58Z");
    assert_eq!(world.is_good_at_kakao(&second).await, 200);
}

#[rstest]
#[tokio::test]
async fn the_old_refresh_token_stays_until_kakao_sends_another(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::with(engine, &KEEP).await;
    world.keeps().await;
    for span in [HOUR * 6, HOUR * 6, DAY * 40, HOUR * 6] {
        let access = world.later(span).await;
        assert_eq!(token(&world.api, &access, "kakao").await.status, 200);
    }
    let shown = world.renewals();
    assert_eq!(shown.len(), 4);
    assert!(shown[0] == shown[1] && shown[1] == shown[2], "{shown:?}");
    assert_ne!(shown[2], shown[3], "with less than a month left Kakao sends another");
}

#[rstest]
#[tokio::test]
async fn of_many_who_ask_at_once_at_several_instances_one_renews(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::with(engine, &KEEP).await;
    let other = world.deployment.start().await;
    world.keeps().await;
    let access = world.later(HOUR * 6).await;
    world.kakao.set_trouble("/oauth/token", HttpTrouble::Late(Duration::from_millis(300)));
    let askers = [&world.api, &other, &world.api, &other, &world.api, &other].map(|api| token(api, &access, "kakao"));
    let answers = futures_util::future::join_all(askers).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (200, &answers[0].body), "{answer:?}");
    }
    assert_eq!(world.renewals().len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_provider_that_is_away_or_refuses_is_told_from_one_another(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::with(engine, &KEEP).await;
    world.keeps().await;
    let access = world.later(HOUR * 6).await;
    for trouble in [HttpTrouble::Status(500), HttpTrouble::HangUp, HttpTrouble::NotJson] {
        world.kakao.set_trouble("/oauth/token", trouble);
        let away = token(&world.api, &access, "kakao").await;
        assert_eq!((away.status, away.code()), (503, "provider_unavailable"));
    }
    world.kakao.clear_trouble();
    assert_eq!(token(&world.api, &access, "kakao").await.status, 200, "nothing is lost by that");
    let access = world.later(DAY * 70).await;
    let refused = token(&world.api, &access, "kakao").await;
    assert_eq!((refused.status, refused.code()), (409, "provider_login_required"));
    let again = world.log_in("kakao").await;
    assert_eq!(token(&world.api, &again.text("access_token"), "kakao").await.status, 200);
}

#[rstest]
#[tokio::test]
async fn naver_writes_seconds_as_text_and_its_tokens_are_renewed_too(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::with(engine, &KEEP).await;
    let answer = world.log_in("naver").await;
    let first = token(&world.api, &answer.text("access_token"), "naver").await;
    assert_eq!((first.status, &first.body["expires_at"]), (200, &json!("2026-01-01T01:00:00Z")), "{first:?}");
    assert_eq!(first.body["scope"], Value::Null);
    world.deployment.clock.advance(HOUR);
    world.naver.set_now(world.deployment.clock.now().as_second());
    let refreshed = world.api.refresh(&answer.text("refresh_token")).await;
    let second = token(&world.api, &refreshed.text("access_token"), "naver").await;
    assert_eq!((second.status, &second.body["expires_at"]), (200, &json!("2026-01-01T02:00:00Z")), "{second:?}");
}

#[rstest]
#[tokio::test]
async fn kept_tokens_are_sealed_and_go_with_the_key_and_with_the_identity(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::with(engine, &KEEP).await;
    let access = world.keeps().await;
    let handed_out = token(&world.api, &access, "kakao").await.text("access_token");
    let sealed: Vec<Vec<u8>> = world.deployment.column("SELECT sealed_tokens FROM oauth_accounts").await;
    let sealed = String::from_utf8_lossy(&sealed[0]);
    assert!(!sealed.contains(&handed_out) && !sealed.contains("access_token"), "{sealed}");

    let mut config = world.deployment.config();
    config.keys.secrets_key = auth_service::keys::SecretsKey::parse(OTHER_KEY).ok().map(Into::into);
    let other = world.deployment.start_with(config).await;
    assert_eq!(token(&other, &access, "kakao").await.status, 404, "under another key");

    let webhook = world.kakao.unlink_webhook(1, "UNLINK_FROM_APPS");
    let kakao = world.api.with_header("authorization", &webhook.headers[0].1);
    assert_eq!(kakao.get(&format!("/api/v1/oauth/kakao/webhooks/unlink?{}", webhook.body)).await.status, 200);
    let kept = "SELECT COUNT(*) FROM oauth_accounts WHERE sealed_tokens IS NOT NULL";
    let in_time = Duration::from_secs(5);
    crate::waiting::until("it is gone", in_time, async || world.deployment.number(kept).await == 0).await;
    let access = world.api.log_in("ryan@example.com").await.access;
    assert_eq!(token(&world.api, &access, "kakao").await.status, 404);
}

#[rstest]
#[tokio::test]
async fn where_nothing_is_kept_nothing_is_found(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let access = world.keeps().await;
    let kept = "SELECT COUNT(*) FROM oauth_accounts WHERE sealed_tokens IS NOT NULL";
    assert_eq!(world.deployment.number(kept).await, 0);
    for provider in ["kakao", "naver", "nobody"] {
        let answer = token(&world.api, &access, provider).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{provider}");
    }
}

#[tokio::test]
async fn only_a_person_in_a_session_gets_their_token() {
    let deployment = KEEP.iter().fold(Deployment::new(Engine::Sqlite), |all, (name, value)| all.set(name, value));
    let deployment = deployment.set("KAKAO_CLIENT_ID", "us");
    let api = deployment.start().await;
    let admin = person_with_role(&deployment, &api, "kim@example.com", "admin").await;
    let key = json!({"name": "deploy", "scopes": ["users:read"]});
    let key = api.bearing(&admin.access).post("/api/v1/api-keys", key).await.text("key");
    let by_key = token(&api, &key, "kakao").await;
    assert_eq!((by_key.status, by_key.code()), (403, "session_required"));
    assert_eq!(token(&api, &admin.access, "kakao").await.status, 404);
}

impl World {
    /// What Kakao's API answers to a token that was handed out.
    async fn is_good_at_kakao(&self, answer: &Answer) -> u16 {
        let request = reqwest::Client::new().get(format!("{}/v2/user/me", self.kakao.url()));
        request.bearer_auth(answer.text("access_token")).send().await.unwrap().status().as_u16()
    }
}

//! Kakao is told that people are linked no more: `POST /v1/user/unlink` there.

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use test_peers::HttpTrouble;

use super::support::{World, at_kakao};
use crate::{
    support::{Answer, Engine, PASSWORD},
    waiting::until,
};

const RYAN: u64 = 9_007_199_254_740_993;
const AT_KAKAO: &str = "/v1/user/unlink";
const QUEUED: &str = "SELECT COUNT(*) FROM oauth_unlinks";
const IN_TIME: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_secs(86_400);

impl World {
    /// A person who came by Kakao, and has a password too.
    async fn ryan_with_password(&self) -> Answer {
        self.with_password(at_kakao(RYAN, "ryan@example.com")).await
    }

    async fn with_password(&self, person: serde_json::Value) -> Answer {
        self.kakao.sign_in(person);
        let answer = self.log_in("kakao").await;
        let own = self.api.bearing(&answer.text("access_token"));
        let set = own.call(Method::PUT, "/api/v1/users/me/password", json!({"new_password": PASSWORD})).await;
        assert_eq!(set.status, 204, "{set:?}");
        answer
    }

    /// The person takes Kakao from the account.
    async fn take_away(&self, person: &Answer) {
        let own = self.api.bearing(&person.text("access_token"));
        let answer = own.delete("/api/v1/users/me/identities/kakao").await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// The person deletes their account.
    async fn delete(&self, person: &Answer) {
        let answer = self.api.bearing(&person.text("access_token")).delete("/api/v1/users/me").await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// A month passes, and whoever was deleted is erased.
    async fn erase(&self) {
        self.deployment.clock.advance(DAY * 31);
        until("the person is erased", IN_TIME, async || {
            auth_service::jobs::erase_people(&self.api.app).await.unwrap();
            self.deployment.number("SELECT COUNT(*) FROM users WHERE deleted_at IS NOT NULL").await == 0
        })
        .await;
    }

    /// Waits until Kakao has heard of everybody who is linked no more.
    pub async fn nothing_is_queued(&self) {
        until("Kakao is told", IN_TIME, async || self.deployment.number(QUEUED).await == 0).await;
    }

    /// Waits until a try has failed, and the next one is due so much later.
    async fn waits_for(&self, span: Duration) {
        let due: jiff::Timestamp = self.deployment.clock.now() + span;
        let due = match self.deployment.engine {
            Engine::Sqlite => format!("next_attempt_at = {}", due.as_microsecond()),
            Engine::Postgres => format!("next_attempt_at = '{due}'"),
        };
        let query = format!("{QUEUED} WHERE {due}");
        until(&query, IN_TIME, async || self.deployment.number(&query).await == 1).await;
    }
}

#[rstest]
#[tokio::test]
async fn kakao_is_told_when_a_person_takes_it_from_their_account(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let _another_instance = world.deployment.start().await;
    let ryan = world.ryan_with_password().await;
    world.take_away(&ryan).await;
    world.nothing_is_queued().await;
    let told = world.kakao.requests_to(AT_KAKAO);
    assert_eq!(told.len(), 1, "once, by one instance");
    assert_eq!((told[0].method.as_str(), told[0].header("authorization")), ("POST", Some("KakaoAK kakao-admin-key")));
    let form = |name: &str| told[0].form(name).unwrap();
    assert_eq!((form("target_id_type"), form("target_id")), ("user_id".to_owned(), RYAN.to_string()));

    let webhook = world.kakao.unlink_webhook(RYAN, "UNLINK_FROM_ADMIN");
    let kakao = world.api.with_header("authorization", &webhook.headers[0].1);
    let heard = kakao.get(&format!("/api/v1/oauth/kakao/webhooks/unlink?{}", webhook.body)).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let waiting = "SELECT COUNT(*) FROM oauth_notices WHERE processed_at IS NULL";
    until("it is processed", IN_TIME, async || world.deployment.number(waiting).await == 0).await;
    assert_eq!(world.me(&ryan).await["email"], "ryan@example.com", "what Kakao then tells does no harm");
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'identity_revoked'").await, 0);
}

#[rstest]
#[tokio::test]
async fn kakao_is_told_when_a_person_is_erased_and_no_sooner(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let ryan = world.ryan_with_password().await;
    world.delete(&ryan).await;
    assert_eq!(world.deployment.number(QUEUED).await, 0, "who was deleted may be restored");
    world.erase().await;
    world.nothing_is_queued().await;
    let told = world.kakao.requests_to(AT_KAKAO);
    assert_eq!(told.iter().map(|told| told.form("target_id")).collect::<Vec<_>>(), [Some(RYAN.to_string())]);
}

#[rstest]
#[tokio::test]
async fn whoever_came_back_by_kakao_stays_linked_when_their_old_account_is_erased(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let old = world.ryan_with_password().await;
    world.delete(&old).await;
    let new = world.log_in("kakao").await;
    assert_eq!(new.status, 200, "{new:?}");
    world.erase().await;
    world.nothing_is_queued().await;
    assert_eq!(world.kakao.requests_to(AT_KAKAO).len(), 0);
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM oauth_accounts").await, 1, "the new one");
}

#[rstest]
#[tokio::test]
async fn kakao_is_told_later_when_it_is_away_and_after_a_day_no_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let ryan = world.ryan_with_password().await;
    world.kakao.set_trouble(AT_KAKAO, HttpTrouble::Status(500));
    world.take_away(&ryan).await;
    world.waits_for(Duration::from_secs(30)).await;
    world.deployment.clock.advance(Duration::from_secs(30));
    world.waits_for(Duration::from_secs(120)).await;
    world.kakao.clear_trouble();
    world.deployment.clock.advance(Duration::from_secs(120));
    world.nothing_is_queued().await;
    assert_eq!(world.kakao.requests_to(AT_KAKAO).len(), 3);

    world.kakao.set_trouble(AT_KAKAO, HttpTrouble::HangUp);
    let other = world.with_password(at_kakao(7, "another@example.com")).await;
    world.take_away(&other).await;
    world.waits_for(Duration::from_secs(30)).await;
    world.deployment.clock.advance(DAY);
    world.nothing_is_queued().await;
    assert_eq!(world.kakao.requests_to(AT_KAKAO).len(), 5, "one last time");
}

#[rstest]
#[tokio::test]
async fn whoever_kakao_does_not_know_is_as_good_as_unlinked(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let ryan = world.ryan_with_password().await;
    let forget = reqwest::Client::new().post(format!("{}{AT_KAKAO}", world.kakao.url()));
    let forget = forget.header("authorization", "KakaoAK kakao-admin-key");
    let form = format!("target_id_type=user_id&target_id={RYAN}");
    let forgotten = forget.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
    assert_eq!(forgotten.status().as_u16(), 200);
    world.take_away(&ryan).await;
    world.nothing_is_queued().await;
    assert_eq!(world.kakao.requests_to(AT_KAKAO).len(), 2);
}

#[rstest]
#[tokio::test]
async fn without_the_admin_key_nothing_is_queued(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::with(engine, &[("KAKAO_ADMIN_KEY", "")]).await;
    let ryan = world.ryan_with_password().await;
    world.take_away(&ryan).await;
    assert_eq!(world.deployment.number(QUEUED).await, 0);
}

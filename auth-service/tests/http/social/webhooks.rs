//! /api/v1/oauth/kakao/webhooks: what Kakao tells of its own accord.

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use test_peers::{HttpTrouble, Webhook};

use super::support::{World, at_kakao};
use crate::{
    support::{Answer, Engine, Instance, PASSWORD},
    waiting::until,
};

const UNLINK: &str = "/api/v1/oauth/kakao/webhooks/unlink";
const STATUS: &str = "/api/v1/oauth/kakao/webhooks/account-status";
const RYAN: u64 = 9_007_199_254_740_993;
const DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
const ENABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-enabled";
const UNLINKED: &str = "https://schemas.openid.net/secevent/oauth/event-type/user-unlinked";
const IN_TIME: Duration = Duration::from_secs(5);
const WAITING: &str = "SELECT COUNT(*) FROM oauth_notices WHERE processed_at IS NULL";
const REVOKED: &str = "SELECT COUNT(*) FROM audit_logs WHERE event = 'identity_revoked'";
const ENDED: &str = "SELECT COUNT(*) FROM oauth_accounts WHERE unlinked_at IS NOT NULL";

/// Sends what Kakao sends, as Kakao does.
async fn deliver(api: &Instance, method: Method, path: &str, webhook: &Webhook) -> Answer {
    let api = webhook.headers.iter().fold(api.clone(), |api, (name, value)| api.with_header(name, value));
    match method {
        Method::GET => api.request(method, &format!("{path}?{}", webhook.body), "").await,
        _ => api.request(method, path, webhook.body.clone()).await,
    }
}

impl World {
    /// A person who came by Kakao.
    async fn ryan(&self) -> Answer {
        self.kakao.sign_in(at_kakao(RYAN, "ryan@example.com"));
        let answer = self.log_in("kakao").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// Gives the person a password, and logs them in by it.
    async fn by_password(&self, first: &Answer) -> String {
        let own = self.api.bearing(&first.text("access_token"));
        let set = own.call(Method::PUT, "/api/v1/users/me/password", json!({"new_password": PASSWORD})).await;
        assert_eq!(set.status, 204, "{set:?}");
        self.api.log_in("ryan@example.com").await.access
    }

    /// Kakao tells of an event.
    async fn tell(&self, event: &str, user: u64) -> Answer {
        let webhook = self.kakao.security_event(event, user).unwrap();
        deliver(&self.api, Method::POST, STATUS, &webhook).await
    }

    /// Waits until all that came is processed.
    async fn processed(&self) {
        until("all is processed", IN_TIME, async || self.deployment.number(WAITING).await == 0).await;
    }
}

#[rstest]
#[tokio::test]
async fn whoever_unlinks_at_kakao_is_logged_out_where_they_came_by_kakao(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Method::GET, Method::POST)] method: Method,
) {
    let world = World::new(engine).await;
    let first = world.ryan().await;
    let by_password = world.by_password(&first).await;
    let webhook = world.kakao.unlink_webhook(RYAN, "UNLINK_FROM_APPS");
    assert_eq!(deliver(&world.api, method.clone(), UNLINK, &webhook).await.status, 200);
    world.processed().await;
    world.api.refuses_in_time(&first.text("access_token")).await;
    assert_eq!(world.api.refresh(&first.text("refresh_token")).await.status, 401);
    assert_eq!(world.api.me(&by_password).await.status, 200, "the password is none of Kakao's");
    let identities = world.identities(&by_password).await;
    assert_eq!(identities[0]["unlinked_at"], "2026-01-01T00:00:00Z");
    let details = "SELECT details FROM audit_logs WHERE event = 'identity_revoked' AND actor_id IS NULL";
    let details: Vec<String> = world.deployment.column(details).await;
    assert_eq!(details, [json!({"count": 1, "way": "kakao"}).to_string()]);

    assert_eq!(deliver(&world.api, method, UNLINK, &webhook).await.status, 200);
    world.processed().await;
    assert_eq!(world.deployment.number(REVOKED).await, 1, "a second time changes nothing");

    let again = world.ryan().await;
    assert_eq!(world.me(&again).await["id"], world.api.me(&by_password).await.body["id"]);
    assert_eq!(world.deployment.number(ENDED).await, 0, "the next login revives it");
}

#[rstest]
#[tokio::test]
async fn sessions_by_another_provider_outlive_an_unlink_and_those_of_unknown_origin_do_not(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let (naver, forgotten, kakao) = (world.ryan().await, world.ryan().await, world.ryan().await);
    let history = world.deployment.column::<uuid::Uuid>("SELECT session_id FROM login_histories ORDER BY at, id").await;
    let position = |answer: &Answer| history.iter().position(|id| id.to_string() == answer.text("session_id")).unwrap();
    let row = |place: usize| format!("(SELECT id FROM login_histories ORDER BY at, id LIMIT 1 OFFSET {place})");
    let by_naver = format!("UPDATE login_histories SET method = 'naver' WHERE id = {}", row(position(&naver)));
    let trimmed = format!("DELETE FROM login_histories WHERE id = {}", row(position(&forgotten)));
    assert_eq!((world.deployment.change(&by_naver).await, world.deployment.change(&trimmed).await), (1, 1));
    let webhook = world.kakao.unlink_webhook(RYAN, "UNLINK_FROM_APPS");
    assert_eq!(deliver(&world.api, Method::POST, UNLINK, &webhook).await.status, 200);
    for ended in [&forgotten, &kakao] {
        until("it is refused", IN_TIME, async || world.api.me(&ended.text("access_token")).await.status == 401).await;
    }
    assert_eq!(world.me(&naver).await["email"], "ryan@example.com");
}

#[rstest]
#[tokio::test]
async fn an_account_that_is_disabled_at_kakao_is_logged_out_everywhere_and_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let first = world.ryan().await;
    let by_password = world.by_password(&first).await;
    let webhook = world.kakao.security_event(DISABLED, RYAN).unwrap();
    let answer = deliver(&world.api, Method::POST, STATUS, &webhook).await;
    assert_eq!((answer.status, &answer.body), (202, &json!("")));
    world.processed().await;
    world.api.refuses_in_time(&first.text("access_token")).await;
    world.api.refuses_in_time(&by_password).await;

    let later = world.api.log_in("ryan@example.com").await.access;
    assert_eq!(deliver(&world.api, Method::POST, STATUS, &webhook).await.status, 202, "sent again");
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM oauth_notices").await, 1);
    assert_eq!(world.tell(DISABLED, RYAN).await.status, 202, "told again");
    world.processed().await;
    until("it is refused", IN_TIME, async || world.api.me(&later).await.status == 401).await;
    assert_eq!(world.deployment.number(REVOKED).await, 2);
}

#[rstest]
#[tokio::test]
async fn what_lifts_a_state_or_is_about_nobody_is_noted_and_changes_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let first = world.ryan().await;
    for (event, user) in [
        (ENABLED, RYAN),
        ("https://schemas.openid.net/secevent/oauth/event-type/token-revoked", RYAN),
        ("https://schemas.example.com/secevent/odd\u{0}/event-type/event", RYAN),
        (DISABLED, 7),
        (UNLINKED, 7),
    ] {
        assert_eq!(world.tell(event, user).await.status, 202, "{event}");
    }
    let webhook = world.kakao.unlink_webhook(7, "ACCOUNT_DELETE");
    assert_eq!(deliver(&world.api, Method::GET, UNLINK, &webhook).await.status, 200);
    world.processed().await;
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM oauth_notices").await, 6);
    assert_eq!((world.deployment.number(REVOKED).await, world.deployment.number(ENDED).await), (0, 0));
    assert_eq!(world.me(&first).await["email"], "ryan@example.com");
}

#[rstest]
#[tokio::test]
async fn what_an_instance_was_told_before_it_died_is_processed_by_another(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let first = world.ryan().await;
    let (other, id) = (world.deployment.start().await, uuid::Uuid::from_u128(1).simple().to_string());
    let id = match engine {
        Engine::Sqlite => format!("unhex('{id}')"),
        Engine::Postgres => format!("'{id}'::uuid"),
    };
    // As one leaves it behind that was told and did not live to process it: nobody's bell rings.
    let left = format!(
        "INSERT INTO oauth_notices (id, provider, issuer, subject, jti, kinds, received_at)
         SELECT {id}, provider, issuer, subject, 'left-behind', '[\"user_unlinked\"]', created_at FROM oauth_accounts"
    );
    assert_eq!(world.deployment.change(&left).await, 1);
    world.processed().await;
    world.api.refuses_in_time(&first.text("access_token")).await;
    other.refuses_in_time(&first.text("access_token")).await;
    assert_eq!(world.deployment.number(REVOKED).await, 1, "by one of two instances");
}

#[rstest]
#[tokio::test]
async fn many_notices_at_several_instances_are_each_processed_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let other = world.deployment.start().await;
    for id in 1..=6 {
        world.kakao.sign_in(json!({"id": id}));
        assert_eq!(world.log_in("kakao").await.status, 200);
    }
    let webhooks: Vec<_> = (1..=6).map(|id| world.kakao.security_event(UNLINKED, id).unwrap()).collect();
    let sendings = webhooks.iter().flat_map(|webhook| [&world.api, &other].map(|api| (api, webhook)));
    let sendings = sendings.map(|(api, webhook)| deliver(api, Method::POST, STATUS, webhook));
    for answer in futures_util::future::join_all(sendings).await {
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    world.processed().await;
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM oauth_notices").await, 6);
    assert_eq!((world.deployment.number(REVOKED).await, world.deployment.number(ENDED).await), (6, 6));
}

#[tokio::test]
async fn an_unlink_without_the_admin_key_is_refused() {
    let world = World::new(Engine::Sqlite).await;
    let webhook = world.kakao.unlink_webhook(RYAN, "UNLINK_FROM_APPS");
    let path = format!("{UNLINK}?{}", webhook.body);
    for wrong in
        ["", "KakaoAK ", "KakaoAK wrong", "Bearer kakao-admin-key", "kakao-admin-key", "KakaoAK kakao-admin-ke"]
    {
        let answer = world.api.with_header("authorization", wrong).get(&path).await;
        assert_eq!((answer.status, answer.code()), (401, "invalid_token"), "{wrong}");
    }
    assert_eq!(world.api.get(&path).await.status, 401);
    let right = world.api.with_header("authorization", "KakaoAK kakao-admin-key");
    let answer = right.get(UNLINK).await;
    assert_eq!((answer.status, answer.faults()), (422, vec![("user_id", "required")]));
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM oauth_notices").await, 0);

    let without_key = crate::support::Deployment::new(Engine::Sqlite).set("KAKAO_CLIENT_ID", "us").start().await;
    assert_eq!(deliver(&without_key, Method::GET, UNLINK, &webhook).await.status, 404);
    let without_kakao = crate::support::Deployment::new(Engine::Sqlite).set("KAKAO_ADMIN_KEY", "kakao-admin-key");
    let without_kakao = without_kakao.start().await;
    assert_eq!(deliver(&without_kakao, Method::GET, UNLINK, &webhook).await.status, 404);
    assert_eq!(without_kakao.request(Method::POST, STATUS, "").await.status, 404);
}

#[tokio::test]
async fn a_forged_event_is_refused_in_the_words_of_rfc_8935() {
    let world = World::new(Engine::Sqlite).await;
    let good = world.kakao.security_event(DISABLED, RYAN).unwrap().body;
    let (signed, _) = good.rsplit_once('.').unwrap();
    let claims = |change: serde_json::Value| {
        let now = world.deployment.clock.now().as_second();
        let mut claims = json!({
            "iss": world.kakao.url(), "aud": "kakao-client", "sub": "1", "iat": now, "jti": "j", "events": {DISABLED: {}},
        });
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        world.kakao.sign("secevent+jwt", &claims).unwrap()
    };
    for (token, err) in [
        (String::new(), "invalid_request"),
        (format!("{signed}.AAAA"), "invalid_key"),
        (claims(json!({"aud": "another-app"})), "invalid_audience"),
        (claims(json!({"iss": "https://evil.example"})), "invalid_issuer"),
        (claims(json!({"iat": 0})), "invalid_request"),
        (world.kakao.sign("JWT", &json!({"iss": world.kakao.url()})).unwrap(), "invalid_request"),
    ] {
        let answer = world.api.send(Method::POST, STATUS, token, "application/secevent+jwt").await;
        assert_eq!((answer.status, &answer.body["err"]), (400, &json!(err)), "{answer:?}");
        assert_eq!(answer.members(), ["description", "err"]);
    }
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM oauth_notices").await, 0);
}

#[tokio::test]
async fn kakao_is_asked_to_send_an_event_again_while_its_keys_cannot_be_had() {
    let world = World::new(Engine::Sqlite).await;
    let webhook = world.kakao.security_event(DISABLED, RYAN).unwrap();
    world.kakao.set_trouble("/.well-known/jwks.json", HttpTrouble::Status(503));
    let answer = deliver(&world.api, Method::POST, STATUS, &webhook).await;
    assert_eq!((answer.status, answer.code()), (503, "provider_unavailable"));
}

#[rstest]
#[tokio::test]
async fn a_notice_is_forgotten_when_it_can_come_no_more(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    assert_eq!(world.tell(ENABLED, RYAN).await.status, 202);
    world.processed().await;
    world.deployment.clock.advance(Duration::from_secs(2 * 86_400));
    let count = "SELECT COUNT(*) FROM oauth_notices";
    let _sweeping = world.deployment.start().await;
    assert_eq!(world.deployment.number(count).await, 1, "not a moment too soon");
    world.deployment.clock.advance(Duration::from_secs(1));
    let _sweeping = world.deployment.start().await;
    until("it is forgotten", IN_TIME, async || world.deployment.number(count).await == 0).await;
}

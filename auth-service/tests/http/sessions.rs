//! GET and DELETE /api/v1/auth/sessions, POST /api/v1/auth/logout, and how long sessions live

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Deployment, Engine, Instance, PASSWORD, Person};

const SESSIONS: &str = "/api/v1/auth/sessions";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0";
const DAY: Duration = Duration::from_secs(86_400);

async fn listed(api: &Instance, person: &Person) -> Vec<String> {
    let list = api.bearing(&person.access).get(SESSIONS).await;
    assert_eq!((list.status, list.members()), (200, vec!["items", "next_cursor", "total"]));
    let items = list.body["items"].as_array().unwrap();
    assert_eq!((&list.body["next_cursor"], list.body["total"].as_u64()), (&Value::Null, Some(items.len() as u64)));
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[tokio::test]
async fn sessions_are_listed_newest_first(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let old = api.person("kim@example.com").await;
    deployment.clock.advance(Duration::from_secs(60));
    let login = json!({"email": "kim@example.com", "password": PASSWORD, "device_name": " 김의 노트북 "});
    let new = api.with_header("user-agent", FIREFOX).post("/api/v1/auth/login", login).await;
    assert_eq!(listed(&api, &old).await, [new.text("session_id"), old.session.clone()]);
    let list = api.bearing(&new.text("access_token")).get(SESSIONS).await;
    let expected = json!({
        "id": new.text("session_id"), "created_at": "2026-01-01T00:01:00Z", "last_used_at": "2026-01-01T00:01:00Z",
        "expires_at": "2026-01-08T00:01:00Z", "ip_address": "127.0.0.1", "user_agent": FIREFOX, "browser": "Firefox",
        "os": "Linux", "device_name": "김의 노트북", "auth_methods": ["pwd"], "current": true,
    });
    assert_eq!(list.body["items"][0], expected);
    let rest = &list.body["items"][1];
    assert_eq!((&rest["current"], &rest["browser"], &rest["device_name"]), (&json!(false), &Value::Null, &Value::Null));
}

#[rstest]
#[tokio::test]
async fn one_session_is_ended_by_its_id(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let (one, other) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    let path = format!("{SESSIONS}/{}", other.session);
    assert_eq!(api.bearing(&one.access).delete(&path).await.status, 204);
    assert_eq!(api.me(&other.access).await.status, 401);
    assert_eq!(api.refresh(&other.refresh).await.status, 401);
    assert_eq!(listed(&api, &one).await, std::slice::from_ref(&one.session));
    assert_eq!(api.bearing(&one.access).delete(&path).await.status, 404, "it is gone");
}

#[rstest]
#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let (kim, lee) = (api.person("kim@example.com").await, api.person("lee@example.com").await);
    let unknown = "01900000-0000-7000-8000-000000000000";
    for id in [lee.session.as_str(), unknown, "no-uuid", "%00", "..%2f"] {
        let answer = api.bearing(&kim.access).delete(&format!("{SESSIONS}/{id}")).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{id}");
    }
    assert_eq!(api.me(&lee.access).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn all_sessions_end_or_all_but_this_one(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let (one, other) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    let stranger = api.person("lee@example.com").await;
    let own = api.bearing(&one.access);
    assert_eq!(own.delete(&format!("{SESSIONS}?except_current=true")).await.status, 204);
    assert_eq!((api.me(&one.access).await.status, api.me(&other.access).await.status), (200, 401));
    for query in ["except_current=1", "except=true", "except_current=true&x=y"] {
        let answer = own.delete(&format!("{SESSIONS}?{query}")).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_query"), "{query}");
    }
    assert_eq!(own.delete(SESSIONS).await.status, 204);
    assert_eq!((api.me(&one.access).await.status, api.refresh(&one.refresh).await.status), (401, 401));
    assert_eq!(api.me(&stranger.access).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_logout_ends_this_session_now(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let (one, other) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    let own = api.bearing(&one.access);
    assert_eq!(own.post("/api/v1/auth/logout", json!({})).await.status, 204);
    let again = own.post("/api/v1/auth/logout", json!({})).await;
    assert_eq!((again.status, again.code(), again.text("detail").as_str()), (401, "invalid_token", "Invalid token"));
    assert_eq!(again.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    assert_eq!(api.refresh(&one.refresh).await.status, 401);
    assert_eq!(api.me(&other.access).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn the_hundred_and_first_login_ends_the_longest_unused_session(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let (first, second) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    deployment.clock.advance(Duration::from_secs(1));
    for _ in 0..97 {
        api.log_in("kim@example.com").await;
    }
    deployment.clock.advance(Duration::from_secs(1));
    let first_again = api.refresh(&first.refresh).await;
    let hundredth = api.log_in("kim@example.com").await;
    assert_eq!(api.me(&second.access).await.status, 200, "a hundred are allowed");
    let last = api.log_in("kim@example.com").await;
    assert_eq!(api.me(&second.access).await.status, 401, "the longest unused");
    assert_eq!(api.refresh(&second.refresh).await.status, 401);
    for access in [&first_again.text("access_token"), &hundredth.access, &last.access] {
        assert_eq!(api.me(access).await.status, 200);
    }
    assert_eq!(listed(&api, &last).await.len(), 100);
}

#[rstest]
#[tokio::test]
async fn a_session_ends_after_seven_days_without_use(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    deployment.clock.advance(7 * DAY - Duration::from_secs(1));
    let refreshed = api.refresh(&person.refresh).await;
    assert_eq!((refreshed.status, refreshed.body["refresh_expires_in"].as_u64()), (200, Some(604_800)));
    deployment.clock.advance(7 * DAY);
    let ended = api.refresh(&refreshed.text("refresh_token")).await;
    assert_eq!((ended.status, ended.code()), (401, "invalid_grant"));
    let again = api.log_in("kim@example.com").await;
    assert_eq!(listed(&api, &again).await, std::slice::from_ref(&again.session));
}

#[rstest]
#[tokio::test]
async fn a_session_ends_after_thirty_days_however_much_it_is_used(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let mut refresh = api.person("kim@example.com").await.refresh;
    for left in [604_800, 604_800, 604_800, 518_400] {
        deployment.clock.advance(6 * DAY);
        let answer = api.refresh(&refresh).await;
        assert_eq!((answer.status, answer.body["refresh_expires_in"].as_u64()), (200, Some(left)));
        refresh = answer.text("refresh_token");
    }
    deployment.clock.advance(6 * DAY - Duration::from_secs(60));
    let last = api.refresh(&refresh).await;
    assert_eq!((&last.body["expires_in"], &last.body["refresh_expires_in"]), (&json!(60), &json!(60)));
    deployment.clock.advance(Duration::from_secs(60));
    assert_eq!(api.refresh(&last.text("refresh_token")).await.status, 401);
    deployment.clock.advance(Duration::from_secs(60));
    assert_eq!(api.me(&last.text("access_token")).await.status, 401);
}

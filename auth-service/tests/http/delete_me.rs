//! DELETE /api/v1/users/me and POST /api/v1/auth/reauthenticate

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use crate::support::{Deployment, Engine, PASSWORD};

const ME: &str = "/api/v1/users/me";
const REAUTHENTICATE: &str = "/api/v1/auth/reauthenticate";

#[rstest]
#[tokio::test]
async fn a_deleted_account_is_gone_and_its_address_is_free(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let (person, other) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    let id = api.me(&person.access).await.text("id");
    assert_eq!(api.bearing(&person.access).delete(ME).await.status, 204);
    for session in [&person, &other] {
        let me = api.me(&session.access).await;
        assert_eq!((me.status, me.code()), (401, "invalid_token"));
        assert_eq!(api.refresh(&session.refresh).await.status, 401);
    }
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users WHERE deleted_at IS NOT NULL").await, 1, "softly");
    let again = api.person("kim@example.com").await;
    assert_ne!(api.me(&again.access).await.text("id"), id);
}

#[rstest]
#[tokio::test]
async fn a_username_is_free_when_its_account_is_gone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let account = json!({"email": "kim@example.com", "username": "kim", "password": PASSWORD});
    assert_eq!(api.post("/api/v1/auth/register", account.clone()).await.status, 201);
    let person = api.log_in("kim@example.com").await;
    assert_eq!(api.bearing(&person.access).delete(ME).await.status, 204);
    assert_eq!(api.post("/api/v1/auth/register", account).await.status, 201);
}

#[rstest]
#[tokio::test]
async fn deleting_needs_a_login_or_a_password_of_the_last_five_minutes(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    let own = api.bearing(&person.access);
    deployment.clock.advance(Duration::from_secs(301));
    let stale = own.delete(ME).await;
    assert_eq!((stale.status, stale.code()), (403, "reauthentication_required"));
    let wrong = own.post(REAUTHENTICATE, json!({"password": "wrong"})).await;
    assert_eq!((wrong.status, wrong.code()), (403, "wrong_password"));
    assert_eq!(own.delete(ME).await.status, 403, "a wrong password makes nothing fresh");
    assert_eq!(own.post(REAUTHENTICATE, json!({"password": PASSWORD})).await.status, 204);
    deployment.clock.advance(Duration::from_secs(300));
    assert_eq!(own.delete(ME).await.status, 204);
}

#[rstest]
#[tokio::test]
async fn a_refresh_makes_no_session_fresh(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    deployment.clock.advance(Duration::from_secs(301));
    let refreshed = api.refresh(&person.refresh).await;
    let stale = api.bearing(&refreshed.text("access_token")).delete(ME).await;
    assert_eq!((stale.status, stale.code()), (403, "reauthentication_required"));
}

#[rstest]
#[tokio::test]
async fn one_session_is_not_made_fresh_by_another(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let (one, other) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    deployment.clock.advance(Duration::from_secs(301));
    assert_eq!(api.bearing(&one.access).post(REAUTHENTICATE, json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(api.bearing(&other.access).delete(ME).await.status, 403);
}

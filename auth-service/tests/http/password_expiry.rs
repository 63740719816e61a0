//! PASSWORD_EXPIRES_DAYS: an old password opens nothing but its own replacement

use std::time::Duration;

use rstest::rstest;

use crate::support::{Deployment, Engine, PASSWORD};

const DAY: Duration = Duration::from_secs(86_400);

#[rstest]
#[tokio::test]
async fn an_expired_password_is_answered_with_a_reset_token_and_no_session(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine).set("PASSWORD_EXPIRES_DAYS", "90");
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    deployment.clock.advance(DAY * 90);
    let sessions = deployment.number("SELECT COUNT(*) FROM sessions").await;
    for _ in 0..2 {
        let expired = api.login("kim@example.com", PASSWORD).await;
        assert_eq!(expired.status, 200, "{expired:?}");
        assert_eq!(expired.members(), ["expires_in", "reset_token", "status"]);
        assert_eq!(
            (expired.text("status").as_str(), expired.body["expires_in"].as_u64()),
            ("password_expired", Some(900))
        );
        assert_eq!(expired.text("reset_token").len(), 43);
        assert_eq!(expired.header("x-device-token"), "", "a device is known by a login, and this is none");
    }
    assert_eq!(deployment.number("SELECT COUNT(*) FROM sessions").await, sessions);
    let tokens = "SELECT COUNT(*) FROM one_time_tokens WHERE purpose = 'expired_password' AND used_at IS NULL";
    assert_eq!(deployment.number(tokens).await, 1, "the newest ends the older");
    assert_eq!(deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'password_expired'").await, 2);
    drop(person);
}

#[rstest]
#[tokio::test]
async fn a_guesser_is_told_nothing_of_expiry(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine).set("PASSWORD_EXPIRES_DAYS", "1");
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    deployment.clock.advance(DAY);
    let (wrong, unknown) = (api.login("kim@example.com", "wrong").await, api.login("lee@example.com", "wrong").await);
    assert_eq!((wrong.status, wrong.code()), (401, "invalid_credentials"));
    assert_eq!(wrong.body["detail"], unknown.body["detail"]);
    deployment.change("UPDATE users SET status = 'disabled'").await;
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401, "a closed account is closed");
}

#[rstest]
#[tokio::test]
async fn a_password_that_was_changed_in_time_goes_on(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine).set("PASSWORD_EXPIRES_DAYS", "90");
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    deployment.clock.advance(Duration::from_secs(60));
    let change = serde_json::json!({"current_password": PASSWORD, "new_password": "another purple tram"});
    let changed = api.bearing(&person.access).call(reqwest::Method::PUT, "/api/v1/users/me/password", change).await;
    assert_eq!(changed.status, 204);
    deployment.clock.advance(DAY * 90 - Duration::from_secs(1));
    assert!(api.login("kim@example.com", "another purple tram").await.body["access_token"].is_string());
    deployment.clock.advance(Duration::from_secs(1));
    assert!(api.login("kim@example.com", "another purple tram").await.body["reset_token"].is_string());
}

#[rstest]
#[tokio::test]
async fn the_reset_token_of_an_expired_password_proves_no_address_and_wants_another_password(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine).set("PASSWORD_EXPIRES_DAYS", "90");
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    deployment.clock.advance(DAY * 90);
    let token = api.login("kim@example.com", PASSWORD).await.text("reset_token");
    let reset = async |password: &str| {
        api.post("/api/v1/auth/password/reset", serde_json::json!({"token": token, "new_password": password})).await
    };
    let same = reset(PASSWORD).await;
    assert_eq!((same.status, same.faults()), (422, vec![("new_password", "unchanged")]));
    assert_eq!(reset("another purple tram").await.status, 204, "what was refused cost no token");
    assert_eq!(reset("yet another purple tram").await.status, 400, "it is good once");
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401);
    let login = api.login("kim@example.com", "another purple tram").await;
    assert_eq!(api.me(&login.text("access_token")).await.body["email_verified"], false);
}

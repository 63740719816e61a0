//! PUT /api/v1/users/me/password

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Engine, Instance, PASSWORD};

const NEW: &str = "purple tram over the hill";

async fn change(own: &Instance, body: Value) -> Answer {
    own.call(Method::PUT, "/api/v1/users/me/password", body).await
}

#[rstest]
#[tokio::test]
async fn a_change_ends_every_other_session(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let (own, other) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    let answer = change(&api.bearing(&own.access), json!({"current_password": PASSWORD, "new_password": NEW})).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(api.me(&other.access).await.status, 401);
    assert_eq!(api.refresh(&other.refresh).await.status, 401);
    assert_eq!(api.me(&own.access).await.status, 200);
    assert_eq!(api.refresh(&own.refresh).await.status, 200);
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401);
    assert_eq!(api.login("kim@example.com", NEW).await.status, 200);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'password_changed'").await, 1);
}

#[rstest]
#[tokio::test]
async fn a_wrong_current_password_changes_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let (person, other) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    let own = api.bearing(&person.access);
    for body in [json!({"current_password": "wrong", "new_password": NEW}), json!({"new_password": NEW})] {
        let refused = change(&own, body).await;
        assert_eq!((refused.status, refused.code()), (403, "wrong_password"));
    }
    assert_eq!(api.me(&other.access).await.status, 200);
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_weak_new_password_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let person = api.person("dalrae.kim@example.com").await;
    let own = api.bearing(&person.access);
    let weak = change(&own, json!({"current_password": PASSWORD, "new_password": "dalrae.kim1"})).await;
    assert_eq!((weak.status, weak.code()), (422, "weak_password"));
    assert_eq!(weak.faults(), [("new_password", "guessable")]);
    let short = change(&own, json!({"current_password": PASSWORD, "new_password": "short"})).await;
    assert_eq!((short.status, short.faults()), (422, vec![("new_password", "too_short")]));
    let long = change(&own, json!({"current_password": PASSWORD, "new_password": "가".repeat(129)})).await;
    assert_eq!((long.status, long.faults()), (422, vec![("new_password", "too_long")]));
}

#[rstest]
#[tokio::test]
async fn setting_a_first_password_needs_a_fresh_session(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    let own = api.bearing(&person.access);
    assert_eq!(deployment.change("UPDATE users SET password_hash = NULL").await, 1);
    deployment.clock.advance(Duration::from_secs(301));
    let stale = change(&own, json!({"new_password": NEW})).await;
    assert_eq!((stale.status, stale.code()), (403, "reauthentication_required"));
}

#[rstest]
#[tokio::test]
async fn whoever_has_no_password_needs_none_to_set_one(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    assert_eq!(deployment.change("UPDATE users SET password_hash = NULL").await, 1);
    assert_eq!(change(&api.bearing(&person.access), json!({"new_password": NEW})).await.status, 204);
    assert_eq!(api.login("kim@example.com", NEW).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn of_two_changes_at_once_one_wins(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let (one, other) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    let (one, other) = (api.bearing(&one.access), api.bearing(&other.access));
    let changes = ["first purple tram", "second purple tram"]
        .map(|new| json!({"current_password": PASSWORD, "new_password": new}));
    let [first, second] = changes;
    let (first, second) = tokio::join!(change(&one, first), change(&other, second));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert!(statuses == [204, 401] || statuses == [204, 403], "{statuses:?}");
}

//! `Idempotency-Key`: what is sent twice is made once.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Engine, Instance},
    team::Team,
};

async fn post(caller: &Instance, key: &str, path: &str, body: Value) -> Answer {
    caller.with_header("idempotency-key", key).post(path, body).await
}

#[rstest]
#[tokio::test]
async fn a_repeat_is_given_the_first_answer(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    for (path, body) in [
        ("/api/v1/roles", json!({"name": "support"})),
        ("/api/v1/users", json!({"email": "minsu@example.com"})),
        ("/api/v1/users/bulk", json!({"items": [{"email": "a@example.com"}, {"email": "no"}]})),
    ] {
        let first = post(&team.admin, "key-1", path, body.clone()).await;
        let second = post(&team.admin, "key-1", path, body).await;
        assert!(first.status < 300, "{first:?}");
        assert_eq!((second.status, &second.body), (first.status, &first.body), "{path}");
        assert_eq!(second.header("location"), first.header("location"));
        assert_eq!((first.header("idempotent-replayed"), second.header("idempotent-replayed")), ("", "true"));
    }
    assert_eq!(team.deployment.number("SELECT COUNT(*) FROM roles WHERE name = 'support'").await, 1);
    assert_eq!(team.deployment.number("SELECT COUNT(*) FROM users WHERE status = 'pending'").await, 2);
}

#[rstest]
#[tokio::test]
async fn another_body_is_refused_and_others_have_keys_of_their_own(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let make =
        async |caller: &Instance, email: &str| post(caller, "same", "/api/v1/users", json!({"email": email})).await;
    assert_eq!(make(&team.admin, "a@example.com").await.status, 201);
    let refused = make(&team.admin, "b@example.com").await;
    assert_eq!((refused.status, refused.code()), (422, "idempotency_key_reused"));
    assert_eq!(make(&team.manager, "b@example.com").await.status, 201, "another caller");
    let key = team.admin.key_client(&team.api, &["users:write"]).await;
    assert_eq!(make(&key, "c@example.com").await.status, 201, "a program of the same person");
    assert_eq!(post(&team.admin, "same", "/api/v1/roles", json!({"name": "other"})).await.status, 201, "another route");
}

#[rstest]
#[tokio::test]
async fn fifty_at_once_make_one(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let admin = team.admin.clone();
            let wish = json!({"name": "x", "scopes": []});
            tokio::spawn(async move { post(&admin, "once", "/api/v1/api-keys", wish).await })
        })
        .collect();
    let mut made = 0;
    for call in calls {
        let answer = call.await.unwrap();
        made += usize::from(answer.status == 201);
        let is_refused = answer.status == 409 && ["request_in_progress", "shown_once"].contains(&answer.code());
        assert!(answer.status == 201 || is_refused, "{answer:?}");
    }
    assert_eq!((made, team.deployment.number("SELECT COUNT(*) FROM api_keys").await), (1, 1));
}

#[rstest]
#[tokio::test]
async fn a_secret_is_not_kept_but_where_it_belongs_is_told(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let wish = json!({"name": "x", "scopes": []});
    let first = post(&team.admin, "once", "/api/v1/api-keys", wish.clone()).await;
    let second = post(&team.admin, "once", "/api/v1/api-keys", wish).await;
    assert_eq!((second.status, second.code()), (409, "shown_once"));
    assert_eq!(second.header("location"), first.header("location"));
    let kept = team.deployment.column::<String>("SELECT answer FROM idempotency_keys").await;
    assert!(!kept[0].contains("ask_"), "{kept:?}");
}

#[rstest]
#[tokio::test]
async fn a_refused_call_frees_its_key_and_a_day_ends_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let make =
        async |caller: &Instance, email: &str| post(caller, "key", "/api/v1/users", json!({"email": email})).await;
    assert_eq!(make(&team.admin, "no address").await.status, 422);
    assert_eq!(make(&team.admin, "a@example.com").await.status, 201, "the same key, put right");
    team.deployment.clock.advance(Duration::from_secs(86_401));
    let admin = team.api.bearing_as(crate::team::ADMIN).await;
    assert_eq!(make(&admin, "b@example.com").await.status, 201, "a day later it means something new");
}

#[rstest]
#[tokio::test]
async fn a_call_that_was_cut_short_may_be_repeated_after_a_minute(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let make = async || post(&team.admin, "key", "/api/v1/roles", json!({"name": "support"})).await;
    assert_eq!(make().await.status, 201);
    // As it is left when the process dies between the deed and the note of its answer.
    team.deployment.change("UPDATE idempotency_keys SET status = NULL, answer = NULL").await;
    assert_eq!(make().await.code(), "request_in_progress");
    team.deployment.clock.advance(Duration::from_secs(61));
    assert_eq!(make().await.code(), "name_taken", "it is tried again, and what was made is found");
}

#[tokio::test]
async fn what_is_no_key_is_refused_and_logins_know_none() {
    let team = Team::new(Engine::Sqlite).await;
    for key in ["", &"x".repeat(256)] {
        let refused = post(&team.admin, key, "/api/v1/roles", json!({"name": "support"})).await;
        assert_eq!((refused.status, refused.faults()), (422, vec![("Idempotency-Key", "invalid_header")]));
    }
    let login = json!({"email": crate::team::USER, "password": crate::support::PASSWORD});
    let first = post(&team.api, "key", "/api/v1/auth/login", login.clone()).await;
    let second = post(&team.api, "key", "/api/v1/auth/login", login).await;
    assert_ne!(first.text("session_id"), second.text("session_id"), "each login is its own");
}

//! Revocation: what one instance ends, every other one refuses within a second.

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use test_peers::Redis;

use crate::{
    support::{Deployment, Engine, Instance, PASSWORD, Person},
    waiting::A_SECOND,
};

/// How an access token comes to its end.
#[derive(Clone, Copy, Debug)]
enum Cause {
    Logout,
    SessionDeleted,
    AllSessionsDeleted,
    PasswordChanged,
    AccountDeleted,
    RefreshReused,
}

const CAUSES: [Cause; 6] = [
    Cause::Logout,
    Cause::SessionDeleted,
    Cause::AllSessionsDeleted,
    Cause::PasswordChanged,
    Cause::AccountDeleted,
    Cause::RefreshReused,
];

impl Cause {
    /// Ends the session of `person` by a call to `api`.
    async fn end(self, api: &Instance, person: &Person) {
        let own = api.bearing(&person.access);
        let (answer, expected) = match self {
            Self::Logout => (own.post("/api/v1/auth/logout", json!({})).await, 204),
            Self::SessionDeleted => (own.delete(&format!("/api/v1/auth/sessions/{}", person.session)).await, 204),
            Self::AllSessionsDeleted => (own.delete("/api/v1/auth/sessions").await, 204),
            Self::PasswordChanged => {
                let other = api.log_in(&person.email).await;
                let change = json!({"current_password": PASSWORD, "new_password": "SecurePass123!"});
                (api.bearing(&other.access).call(Method::PUT, "/api/v1/users/me/password", change).await, 204)
            }
            Self::AccountDeleted => (own.delete("/api/v1/users/me").await, 204),
            Self::RefreshReused => {
                let second = api.refresh(&person.refresh).await.text("refresh_token");
                assert_eq!(api.refresh(&second).await.status, 200);
                (api.refresh(&person.refresh).await, 401)
            }
        };
        assert_eq!(answer.status, expected, "{self:?}: {answer:?}");
    }
}

/// Lets people log in at `a`, ends their sessions there in every way, and has `b` refuse their tokens in time.
async fn ends_everywhere(how: &str, a: &Instance, b: &Instance) {
    let mut worst = Duration::ZERO;
    for cause in CAUSES {
        let person = a.person(&format!("{cause:?}@example.com").to_lowercase()).await;
        assert_eq!(b.me(&person.access).await.status, 200);
        cause.end(a, &person).await;
        assert_eq!(a.me(&person.access).await.status, 401, "{cause:?} on the instance that was told");
        worst = worst.max(b.refuses_in_time(&person.access).await);
        assert_eq!(b.refresh(&person.refresh).await.status, 401, "{cause:?}");
    }
    println!("{how}: refused elsewhere after {worst:?} at worst");
}

fn postgres_with(redis: &Redis) -> Deployment {
    Deployment::new(Engine::Postgres).set("REDIS_URL", redis.url())
}

fn postgres_alone() -> Deployment {
    Deployment::new(Engine::Postgres).set("REDIS_URL", "")
}

#[tokio::test]
async fn what_one_instance_ends_another_refuses_by_redis() {
    let deployment = Deployment::new(Engine::Postgres);
    let (a, b) = (deployment.start().await, deployment.start().await);
    ends_everywhere("Redis", &a, &b).await;
}

#[tokio::test]
async fn what_one_instance_ends_another_refuses_without_redis() {
    let deployment = postgres_alone();
    let (a, b) = (deployment.start().await, deployment.start().await);
    ends_everywhere("PostgreSQL alone", &a, &b).await;
}

#[tokio::test]
async fn what_one_process_ends_another_on_the_same_file_refuses() {
    let deployment = Deployment::new(Engine::Sqlite);
    let (a, b) = (deployment.start().await, deployment.start().await);
    ends_everywhere("SQLite", &a, &b).await;
}

#[tokio::test]
async fn what_one_instance_ends_another_refuses_while_redis_is_stopped() {
    let redis = Redis::start().unwrap();
    let deployment = postgres_with(&redis);
    let (a, b) = (deployment.start().await, deployment.start().await);
    redis.stop().unwrap();
    ends_everywhere("Redis stopped", &a, &b).await;
}

#[tokio::test]
async fn what_one_instance_ends_another_refuses_while_redis_hangs() {
    let redis = Redis::start().unwrap();
    let deployment = postgres_with(&redis);
    let (a, b) = (deployment.start().await, deployment.start().await);
    redis.pause().unwrap();
    ends_everywhere("Redis hanging", &a, &b).await;
    redis.resume().unwrap();
}

#[tokio::test]
async fn what_a_stranger_announces_on_redis_refuses_nobody() {
    let redis = Redis::start().unwrap();
    let deployment = postgres_with(&redis);
    let (a, b) = (deployment.start().await, deployment.start().await);
    let (living, ended) = (a.person("lee@example.com").await, a.person("kim@example.com").await);
    let id = a.me(&living.access).await.text("id");
    let stranger = service_kit::redis::Redis::open(redis.url(), None).unwrap();
    stranger.available().await;
    let row = json!({"id": id, "kind": "user", "subject": id, "version": 99, "revoked_at": 0, "expires_at": i64::MAX});
    for announcement in [json!({"revoked": row}), json!("revoked"), json!({"user_changed": id}), json!(null)] {
        stranger.publish("auth:changes", announcement.to_string().as_bytes()).await.unwrap();
    }
    // Announced after those, so heard after them.
    Cause::Logout.end(&a, &ended).await;
    b.refuses_in_time(&ended.access).await;
    for api in [&a, &b] {
        assert_eq!(api.me(&living.access).await.status, 200);
    }
}

#[tokio::test]
async fn a_flushed_redis_logs_nobody_out_and_revives_nothing() {
    let redis = Redis::start().unwrap();
    let deployment = postgres_with(&redis);
    let (a, b) = (deployment.start().await, deployment.start().await);
    let (living, ended) = (a.person("lee@example.com").await, a.person("kim@example.com").await);
    Cause::Logout.end(&a, &ended).await;
    b.refuses_in_time(&ended.access).await;
    redis.flush_all().unwrap();
    for api in [&a, &b, &deployment.start().await] {
        assert_eq!(api.me(&living.access).await.status, 200);
        assert_eq!(api.me(&ended.access).await.status, 401);
        assert_eq!(api.refresh(&ended.refresh).await.status, 401);
    }
    assert_eq!(b.refresh(&living.refresh).await.status, 200);
    Cause::Logout.end(&a, &living).await;
    assert!(b.refuses_in_time(&living.access).await < A_SECOND);
}

#[rstest]
#[tokio::test]
async fn a_restart_keeps_refusing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let before = deployment.start().await;
    let mut people = Vec::new();
    for cause in CAUSES {
        let person = before.person(&format!("{cause:?}@example.com").to_lowercase()).await;
        cause.end(&before, &person).await;
        people.push(person);
    }
    drop(before);
    let after = deployment.start().await;
    for person in people {
        assert_eq!(after.me(&person.access).await.status, 401, "{}", person.email);
        assert_eq!(after.refresh(&person.refresh).await.status, 401, "{}", person.email);
    }
}

//! GET /api/v1/system/status

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{Fault, Redis};

use crate::{
    staleness::behind_a_proxy,
    support::{Answer, Deployment, Engine, Instance, PASSWORD},
    team::{ADMIN, Team, USER},
    waiting::until,
};

const PATH: &str = "/api/v1/system/status";
const IN_TIME: Duration = Duration::from_secs(10);

async fn ask(caller: &Instance) -> Answer {
    let answer = caller.get(PATH).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

#[rstest]
#[tokio::test]
async fn an_instance_tells_what_it_leans_on(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    team.deployment.clock.advance(Duration::from_secs(60));
    let answer = ask(&team.admin).await;
    let of = |name: &str| &answer.body[name];
    assert_eq!((of("version"), of("environment")), (&json!(env!("CARGO_PKG_VERSION")), &json!("development")));
    assert_eq!((of("started_at"), of("now")), (&json!("2026-01-01T00:00:00Z"), &json!("2026-01-01T00:01:00Z")));
    let database = of("database");
    let (name, pool) = match engine {
        Engine::Sqlite => ("sqlite", 1),
        Engine::Postgres => ("postgresql", 20),
    };
    assert_eq!(
        (&database["up"], &database["engine"], &database["pool"]["size"]),
        (&json!(true), &json!(name), &json!(pool))
    );
    assert!(database["version"].as_str().unwrap().starts_with(|first: char| first.is_ascii_digit()), "{database}");
    assert!(database["round_trip_ms"].as_f64().unwrap() < 1_000.0, "{database}");
    match engine {
        Engine::Sqlite => assert_eq!((of("redis"), &of("revocations")["announce"]), (&Value::Null, &json!("memory"))),
        Engine::Postgres => {
            assert_eq!((&of("redis")["up"], &of("revocations")["announce"]), (&json!(true), &json!("redis")));
        }
    }
    assert!(of("revocations")["staleness_ms"].as_u64().unwrap() < 5_000, "{answer:?}");
    assert_eq!((&of("signing_key")["algorithm"], &of("signing_key")["age_days"]), (&json!("RS256"), &json!(0)));
    let key = team.api.get("/.well-known/jwks.json").await;
    assert_eq!(of("signing_key")["kid"], key.body["keys"][0]["kid"]);
}

#[rstest]
#[tokio::test]
async fn an_old_key_and_live_revocations_are_counted(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    team.deployment.clock.advance(Duration::from_secs(100 * 86_400));
    let admin = team.api.bearing_as(ADMIN).await;
    assert_eq!(ask(&admin).await.body["revocations"]["live"], 0);
    let user = team.api.log_in(USER).await;
    assert_eq!(team.api.bearing(&user.access).post("/api/v1/auth/logout", json!({})).await.status, 204);
    let answer = ask(&admin).await;
    assert_eq!(
        (&answer.body["revocations"]["live"], &answer.body["signing_key"]["age_days"]),
        (&json!(1), &json!(100))
    );
}

#[tokio::test]
async fn logins_are_timed_and_hashes_counted() {
    let team = Team::new(Engine::Sqlite).await;
    assert_eq!(team.api.login("nobody@example.com", PASSWORD).await.status, 401);
    let body = ask(&team.admin).await.body;
    assert_eq!(body["logins"]["count"], 4, "also one that was refused");
    let (median, p99) = (body["logins"]["p50_ms"].as_f64().unwrap(), body["logins"]["p99_ms"].as_f64().unwrap());
    assert!(0.0 < median && median <= p99, "{body}");
    let hashing = &body["hashing"];
    assert!(hashing["threads"].as_u64().unwrap() > 0 && hashing["queue_size"].as_u64().unwrap() > 0, "{hashing}");
    assert_eq!(hashing["queue"], 0);
    until("the second is over in which they were made", IN_TIME, async || {
        ask(&team.admin).await.body["hashing"]["hashes_per_second"].as_f64().unwrap() > 0.0
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn mails_that_wait_and_those_given_up_are_counted(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    // A relay that nobody is at.
    let deployment = Deployment::new(engine)
        .set("PUBLIC_URL", "https://auth.example.com")
        .set("SMTP_URL", "smtps://127.0.0.1:9")
        .set("MAIL_FROM", "auth@example.com");
    let team = Team::of(deployment).await;
    let mail = |body: &Value| body["mail"].clone();
    until("each was tried", IN_TIME, async || mail(&ask(&team.admin).await.body)["retrying"] == 3).await;
    team.deployment.clock.advance(Duration::from_secs(20));
    let expected =
        json!({"configured": true, "waiting": 3, "retrying": 3, "failed_24h": 0, "oldest_waiting_seconds": 20});
    assert_eq!(mail(&ask(&team.admin).await.body), expected);
    let give_up = "UPDATE mail_outbox SET failed_at = created_at, last_error = 'refused'
                   WHERE user_id = (SELECT id FROM users WHERE email = 'user@example.com')";
    assert_eq!(team.deployment.change(give_up).await, 1);
    let replace = "UPDATE mail_outbox SET failed_at = created_at, last_error = 'a newer one took its place'
                   WHERE user_id = (SELECT id FROM users WHERE email = 'manager@example.com')";
    assert_eq!(team.deployment.change(replace).await, 1);
    let counted = mail(&ask(&team.admin).await.body);
    assert_eq!((&counted["waiting"], &counted["failed_24h"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn what_is_away_says_so_and_the_rest_is_told() {
    let redis = Redis::start().unwrap();
    let (deployment, proxy) = behind_a_proxy();
    let deployment = deployment.set("REDIS_URL", redis.url()).set("REVOCATION_MAX_STALENESS", "60s");
    let team = Team::of(deployment).await;
    drop(redis);
    proxy.set(Fault::Refuse);
    until("both are missed", IN_TIME, async || {
        let body = ask(&team.admin).await.body;
        body["database"]["up"] == false && body["redis"]["up"] == false
    })
    .await;
    let body = ask(&team.admin).await.body;
    assert_eq!((&body["database"]["version"], &body["mail"]["waiting"]), (&Value::Null, &Value::Null));
    assert_eq!(body["database"]["engine"], "postgresql");
    assert!(body["hashing"]["threads"].as_u64().unwrap() > 0);
}

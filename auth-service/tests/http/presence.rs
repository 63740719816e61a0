//! GET /api/v1/statistics: who was there in each hour and day.

use std::time::Duration;

use auth_service::jobs;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Deployment, Engine, Instance},
    team::{ADMIN, MANAGER, Team, USER},
    waiting::until,
};

/// In hours since 1970: when every deployment begins.
const FIRST_HOUR: i64 = 490_896;
const HOUR: Duration = Duration::from_secs(3_600);
/// Longer than an answer is given again, and than a job that began is left alone.
const LATER: Duration = Duration::from_secs(5 * 60 + 1);
const IN_TIME: Duration = Duration::from_secs(10);

/// What an answer says of each bucket, oldest first.
async fn ask(caller: &Instance, query: &str, member: &str) -> Vec<Value> {
    let answer = caller.get(&format!("/api/v1/statistics{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["buckets"].as_array().unwrap().iter().map(|bucket| bucket[member].clone()).collect()
}

/// The same of the last buckets; those before are unknown.
async fn ask_last(caller: &Instance, query: &str, member: &str) -> Vec<Value> {
    let mut buckets = ask(caller, query, member).await;
    let known = buckets.iter().position(|bucket| !bucket.is_null()).unwrap();
    buckets.split_off(known)
}

/// Has the job count the hours that are over: so many of people, for good, and so many of sessions.
async fn count(deployment: &Deployment, api: &Instance, people: i64, sessions: i64) {
    deployment.clock.advance(LATER);
    until("the hours are counted", IN_TIME, async || {
        jobs::count_activity(&api.app).await.unwrap();
        let counted_until: Vec<i64> = deployment.column("SELECT value FROM gauges WHERE name = 'people_until'").await;
        let of_sessions = "SELECT COUNT(*) FROM presence_hours WHERE sessions IS NOT NULL";
        counted_until == [FIRST_HOUR + people] && deployment.number(of_sessions).await == sessions
    })
    .await;
}

/// Somebody who may ask, and is not counted for it.
async fn reader(team: &Team) -> Instance {
    team.admin.key_client(&team.api, &["users:read"]).await
}

#[rstest]
#[tokio::test]
async fn people_are_counted_once_an_hour_and_once_a_day(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let (reader, clock) = (reader(&team).await, &team.deployment.clock);
    clock.advance(HOUR);
    for email in [USER, USER, MANAGER] {
        team.api.log_in(email).await;
    }
    clock.advance(HOUR * 13);
    team.api.log_in(USER).await;
    // In Seoul it is half past midnight.
    clock.advance(HOUR + HOUR / 2);
    for email in [ADMIN, USER] {
        team.api.log_in(email).await;
    }
    for counted in ["when asked for", "by the job"] {
        let mut hours = vec![json!(3), json!(2)];
        hours.extend([json!(0), json!(1), json!(2)].iter().flat_map(|n| vec![n.clone(); if n == 0 { 12 } else { 1 }]));
        assert_eq!(ask_last(&reader, "", "active_users").await, hours, "{counted}");
        assert_eq!(ask_last(&reader, "?window=7d", "active_users").await, [3], "{counted}");
        for query in ["?window=7d&offset=%2B09:00", "?window=30d&offset=+09:00"] {
            assert_eq!(ask_last(&reader, query, "active_users").await, [3, 2], "{counted}: {query}");
        }
        // There the hour is four in the morning, and the day began after the others had been there.
        assert_eq!(ask_last(&reader, "?window=7d&offset=-11:00", "active_users").await, [3, 2], "{counted}");
        if counted == "when asked for" {
            count(&team.deployment, &team.api, 15, 15).await;
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_day_that_is_over_keeps_its_people(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let (reader, clock) = (reader(&team).await, &team.deployment.clock);
    clock.advance(HOUR * 23);
    team.api.log_in(USER).await;
    clock.advance(HOUR * 2);
    team.api.log_in(USER).await;
    clock.advance(HOUR * 30);
    count(&team.deployment, &team.api, 54, 55).await;
    // Lines that are gone take nobody with them.
    assert!(team.deployment.change("DELETE FROM login_histories").await > 0);
    clock.advance(LATER);
    assert_eq!(ask_last(&reader, "?window=7d", "active_users").await, [3, 1, 0]);
    assert_eq!(ask_last(&reader, "?window=30d&offset=-12:00", "active_users").await, [3, 1, 0]);
}

#[rstest]
#[tokio::test]
async fn nothing_is_told_of_the_time_before_anything_was_known(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let reader = reader(&team).await;
    team.deployment.clock.advance(HOUR * 2);
    for counted in ["when asked for", "by the job"] {
        for (query, buckets) in [("", 24), ("?window=7d", 7), ("?window=30d", 30)] {
            for member in ["active_users", "sessions"] {
                let told = ask(&reader, query, member).await;
                let known = if buckets == 24 { 3 } else { 1 };
                assert_eq!(told.len(), buckets);
                assert!(told[..buckets - known].iter().all(Value::is_null), "{counted}: {query} {member} {told:?}");
                assert!(told[buckets - known..].iter().all(Value::is_u64), "{counted}: {query} {member} {told:?}");
            }
        }
        if counted == "when asked for" {
            count(&team.deployment, &team.api, 1, 2).await;
        }
    }
}

#[rstest]
#[tokio::test]
async fn sessions_are_those_open_at_the_end_of_an_hour_or_day(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let (reader, clock) = (reader(&team).await, &team.deployment.clock);
    clock.advance(HOUR + HOUR / 4);
    let first = team.api.log_in(USER).await;
    team.api.log_in(USER).await;
    clock.advance(HOUR);
    assert_eq!(team.api.bearing(&first.access).post("/api/v1/auth/logout", json!({})).await.status, 401, "expired");
    let again = team.api.refresh(&first.refresh).await;
    assert_eq!(team.api.bearing(&again.text("access_token")).post("/api/v1/auth/logout", json!({})).await.status, 204);
    // Begun and ended within an hour.
    let brief = team.api.log_in(MANAGER).await;
    assert_eq!(team.api.bearing(&brief.access).post("/api/v1/auth/logout", json!({})).await.status, 204);
    clock.advance(HOUR);
    for counted in ["when asked for", "by the job"] {
        assert_eq!(ask_last(&reader, "", "sessions").await, [3, 5, 4, 4], "{counted}");
        assert_eq!(ask_last(&reader, "?window=7d", "sessions").await, [4], "{counted}");
        count(&team.deployment, &team.api, 3, 3).await;
    }
    // Unused for a week: all are over.
    clock.advance(HOUR * 24 * 8);
    count(&team.deployment, &team.api, 195, 195).await;
    let days = ask_last(&reader, "?window=30d", "sessions").await;
    assert_eq!(days, [4, 4, 4, 4, 4, 4, 4, 0, 0]);
}

#[rstest]
#[tokio::test]
async fn hours_in_which_no_instance_ran_are_counted_by_the_next_one(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let deployment = &team.deployment;
    let made = team.admin.post("/api/v1/api-keys", json!({"name": "key", "scopes": ["users:read"]})).await;
    deployment.clock.advance(HOUR * 2);
    count(deployment, &team.api, 1, 2).await;
    team.api.log_in(USER).await;
    team.api.stop();
    deployment.clock.advance(HOUR * 5);
    let next = deployment.start().await;
    let reader = next.with_header("x-api-key", &made.text("key"));
    for counted in ["when asked for", "by the job"] {
        let hours = ask_last(&reader, "", "active_users").await;
        assert_eq!(hours, [3, 0, 1, 0, 0, 0, 0, 0], "{counted}");
        assert_eq!(ask_last(&reader, "", "sessions").await, [3, 3, 4, 4, 4, 4, 4, 4], "{counted}");
        if counted == "when asked for" {
            count(deployment, &next, 7, 7).await;
        }
    }
}

#[rstest]
#[tokio::test]
async fn where_there_are_very_many_the_last_count_is_told(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let (reader, deployment) = (reader(&team).await, &team.deployment);
    count(deployment, &team.api, 0, 0).await;
    let (now, never) = match engine {
        Engine::Sqlite => ("1767225600000000", "9999999999999999"),
        Engine::Postgres => ("timestamptz '2026-01-01T00:00:00Z'", "timestamptz '2200-01-01T00:00:00Z'"),
    };
    // The job would find that they are few.
    assert_eq!(deployment.change(&format!("UPDATE gauges SET counted_at = {never} WHERE name = 'counting'")).await, 1);
    for (name, value) in [("users", 1_000_000), ("live_sessions", 70_000)] {
        let kept = format!("INSERT INTO gauges (name, value, counted_at) VALUES ('{name}', {value}, {now})");
        deployment.change(&kept).await;
    }
    assert_eq!(ask_last(&reader, "", "active_users").await, [3]);
    team.api.register("late@example.com").await;
    deployment.clock.advance(HOUR + LATER);
    for email in [USER, "late@example.com"] {
        team.api.log_in(email).await;
    }
    assert_eq!(ask(&reader, "", "active_users").await[22..], [json!(3), Value::Null], "nobody has counted the hour");
    assert_eq!(ask(&reader, "?window=7d", "active_users").await[5..], [Value::Null, json!(3)]);
    assert_eq!(ask(&reader, "", "sessions").await[22..], [Value::Null, json!(70_000)]);
    count(deployment, &team.api, 1, 1).await;
    assert_eq!(ask_last(&reader, "", "active_users").await, [3, 2]);
    assert_eq!(ask_last(&reader, "?window=7d", "active_users").await, [4]);
    assert_eq!(ask_last(&reader, "", "sessions").await, [3, 70_000]);
}

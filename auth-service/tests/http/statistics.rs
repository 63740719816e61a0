//! GET /api/v1/statistics

use std::time::Duration;

use auth_service::jobs;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Deployment, Engine, Instance, PASSWORD},
    team::{ADMIN, MANAGER, Team, USER},
    waiting::until,
};

const PATH: &str = "/api/v1/statistics";
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// Longer than an answer is given again.
const LATER: Duration = Duration::from_secs(11);
const IN_TIME: Duration = Duration::from_secs(10);

async fn refuse(api: &Instance, email: &str, password: &str) {
    assert_eq!(api.login(email, password).await.status, 401, "{email}");
}

async fn ask(caller: &Instance, query: &str) -> Answer {
    let answer = caller.get(&format!("{PATH}{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// The buckets in which anything happened: when each begins, with its logins and registrations.
fn busy(answer: &Answer) -> Vec<(&str, u64, u64)> {
    let number = |bucket: &Value, name: &str| bucket[name].as_u64().unwrap();
    let buckets = answer.body["buckets"].as_array().unwrap().iter();
    let all = buckets.map(|b| (b["at"].as_str().unwrap(), number(b, "logins"), number(b, "registrations")));
    all.filter(|(_, logins, registrations)| logins + registrations > 0).collect()
}

/// Has the job count the hours that are over, all of them.
async fn roll(deployment: &Deployment, api: &Instance, hours: i64) {
    until("the hours are counted", IN_TIME, async || {
        jobs::count_activity(&api.app).await.unwrap();
        deployment.number("SELECT COUNT(DISTINCT hour) FROM activity_hours WHERE kind = 'login'").await == hours
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn what_happened_is_counted_by_what_it_was(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    team.deployment.clock.advance(HOUR / 3);
    refuse(&team.api, USER, "wrong password").await;
    refuse(&team.api, USER, "wrong password").await;
    refuse(&team.api, "nobody@example.com", PASSWORD).await;
    assert_eq!(team.manager.post(&format!("{}/disable", team.user_path()), json!({})).await.status, 200);
    refuse(&team.api, USER, PASSWORD).await;

    let answer = ask(&team.manager, "").await;
    let refused = json!({"wrong_password": 2, "unknown_account": 1, "account_disabled": 1});
    assert_eq!(
        answer.body["totals"],
        json!({
            "logins": 3, "refused": refused, "registrations": 3, "active_users": 3, "users": 3, "live_sessions": 2,
            "counted_at": "2026-01-01T00:20:00Z",
        })
    );
    let buckets = answer.body["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 24);
    assert_eq!(
        buckets[23],
        json!({
            "at": "2026-01-01T00:00:00Z", "logins": 3, "refused": refused, "registrations": 3, "active_users": 3,
            "sessions": 2,
        })
    );
    assert_eq!(
        buckets[0],
        json!({
            "at": "2025-12-31T01:00:00Z", "logins": 0, "refused": {}, "registrations": 0, "active_users": null,
            "sessions": null,
        })
    );
    let frame = ["window", "offset", "from", "until", "bucket"].map(|name| answer.text(name));
    assert_eq!(frame, ["24h", "+00:00", "2025-12-31T01:00:00Z", "2026-01-01T00:20:00Z", "hour"]);
    assert_eq!(answer.body["previous"], json!({"logins": 0, "refused": 0, "registrations": 0}));
}

#[rstest]
#[tokio::test]
async fn too_many_guesses_and_calls_are_told_apart(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine).set("REDIS_URL", "").set("TRUSTED_PROXIES", "127.0.0.1");
    let team = Team::of(deployment.set("RATE_LIMIT_LOGIN_PER_ADDRESS", "6/1h")).await;
    let stranger = team.api.with_header("x-forwarded-for", "198.51.100.7");
    for _ in 0..6 {
        refuse(&stranger, USER, "wrong password").await;
    }
    assert_eq!(stranger.login(USER, PASSWORD).await.status, 429);
    let answer = ask(&team.admin, "").await;
    let refused = json!({"wrong_password": 5, "too_many_guesses": 1, "rate_limited": 1});
    assert_eq!(answer.body["totals"]["refused"], refused);
}

#[rstest]
#[tokio::test]
async fn an_hour_is_counted_once_and_keeps_its_numbers(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let deployment = &team.deployment;
    refuse(&team.api, USER, "wrong password").await;
    refuse(&team.api, "nobody@example.com", PASSWORD).await;
    // Until ten minutes after its end rows may still come.
    deployment.clock.advance(HOUR + Duration::from_secs(9 * 60));
    jobs::count_activity(&team.api.app).await.unwrap();
    assert_eq!(deployment.number("SELECT COUNT(*) FROM activity_hours WHERE kind <> 'stranger'").await, 0);
    deployment.clock.advance(Duration::from_secs(60));
    let admin = team.api.bearing_as(ADMIN).await;
    let before = ask(&admin, "").await;
    roll(deployment, &team.api, 1).await;
    assert_eq!(deployment.change("DELETE FROM login_histories WHERE outcome = 'refused'").await, 1);
    jobs::count_activity(&team.api.app).await.unwrap();
    deployment.clock.advance(LATER);
    let after = ask(&admin, "").await;
    assert_eq!(after.body["buckets"], before.body["buckets"]);
    assert_eq!(after.body["totals"]["refused"], json!({"wrong_password": 1, "unknown_account": 1}));
    assert_eq!(busy(&after), [("2026-01-01T00:00:00Z", 3, 3), ("2026-01-01T01:00:00Z", 1, 0)]);
}

#[rstest]
#[tokio::test]
async fn days_begin_at_midnight_in_seoul_when_asked_to(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    // From nine in the morning there, to eleven at night, to half an hour past midnight.
    for step in [HOUR * 14, HOUR + HOUR / 2] {
        team.deployment.clock.advance(step);
        team.api.log_in(USER).await;
    }
    let admin = team.api.bearing_as(ADMIN).await;
    let seoul = [("2025-12-31T15:00:00Z", 4, 3), ("2026-01-01T15:00:00Z", 2, 0)];
    for query in ["?window=7d&offset=%2B09:00", "?window=30d&offset=+09:00"] {
        assert_eq!(busy(&ask(&admin, query).await), seoul, "{query}");
    }
    assert_eq!(busy(&ask(&admin, "?window=7d").await), [("2026-01-01T00:00:00Z", 6, 3)]);
    team.deployment.clock.advance(HOUR * 2);
    roll(&team.deployment, &team.api, 3).await;
    let admin = team.api.bearing_as(ADMIN).await;
    let answer = ask(&admin, "?window=7d&offset=%2B09:00").await;
    assert_eq!(busy(&answer), [("2025-12-31T15:00:00Z", 4, 3), ("2026-01-01T15:00:00Z", 3, 0)], "also once counted");
    let frame = ["window", "offset", "from", "bucket"].map(|name| answer.text(name));
    assert_eq!(frame, ["7d", "+09:00", "2025-12-26T15:00:00Z", "day"]);
    assert_eq!(answer.body["buckets"].as_array().unwrap().len(), 7);
    assert_eq!(ask(&admin, "?window=30d").await.body["buckets"].as_array().unwrap().len(), 30);
}

#[rstest]
#[tokio::test]
async fn the_window_before_is_the_same_stretch_of_time(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    refuse(&team.api, "nobody@example.com", PASSWORD).await;
    team.deployment.clock.advance(HOUR);
    for _ in 0..2 {
        team.api.log_in(USER).await;
    }
    jobs::count_activity(&team.api.app).await.unwrap();
    team.deployment.clock.advance(DAY + HOUR / 2);
    roll(&team.deployment, &team.api, 2).await;
    let admin = team.api.bearing_as(ADMIN).await;
    let answer = ask(&admin, "").await;
    // All of the first hour, and half of the second one, half an hour of whose successor has passed.
    assert_eq!(answer.body["previous"], json!({"logins": 3 + 1, "refused": 1, "registrations": 3}));
    assert_eq!(answer.body["totals"]["logins"], 1);
    assert_eq!(answer.body["totals"]["active_users"], 1, "of the last day");
    assert_eq!(ask(&admin, "?window=7d").await.body["totals"]["active_users"], 3);
    assert_eq!(ask(&admin, "?window=7d").await.body["previous"]["logins"], 0);
}

#[rstest]
#[tokio::test]
async fn refusals_that_leave_no_row_are_added_up_from_every_instance(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let other = team.deployment.start().await;
    for (api, times) in [(&team.api, 2), (&other, 1)] {
        for _ in 0..times {
            refuse(api, "nobody@example.com", PASSWORD).await;
        }
    }
    for api in [&team.api, &other] {
        jobs::count_activity(&api.app).await.unwrap();
    }
    refuse(&other, "nobody@example.com", PASSWORD).await;
    let admin = other.bearing_as(ADMIN).await;
    assert_eq!(ask(&admin, "").await.body["totals"]["refused"], json!({"unknown_account": 4}));
    let traces = "SELECT COUNT(*) FROM login_histories WHERE outcome = 'refused'";
    assert_eq!(team.deployment.number(traces).await, 0);
}

#[rstest]
#[tokio::test]
async fn an_answer_is_given_again_for_some_seconds(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    assert_eq!(ask(&team.admin, "").await.body["totals"]["logins"], 3);
    team.api.log_in(USER).await;
    assert_eq!(ask(&team.admin, "").await.body["totals"]["logins"], 3, "the same answer");
    assert_eq!(ask(&team.admin, "?window=7d").await.body["totals"]["logins"], 4, "another question");
    team.deployment.clock.advance(LATER);
    assert_eq!(ask(&team.admin, "").await.body["totals"]["logins"], 4);
}

#[rstest]
#[tokio::test]
async fn where_there_are_very_many_the_last_count_is_told(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    until("the job has had its first turn", IN_TIME, async || {
        team.deployment.number("SELECT COUNT(*) FROM gauges WHERE name = 'counting'").await == 1
    })
    .await;
    let at = match engine {
        Engine::Sqlite => "1767225600000000",
        Engine::Postgres => "timestamptz '2026-01-01T00:00:00Z'",
    };
    let gauges =
        [("users", 1_000_000), ("live_sessions", 70_000), ("active_24h", 1), ("active_7d", 7), ("active_30d", 30)];
    for (name, value) in gauges {
        team.deployment
            .change(&format!("INSERT INTO gauges (name, value, counted_at) VALUES ('{name}', {value}, {at})"))
            .await;
    }
    team.deployment.clock.advance(HOUR / 3);
    let totals = ask(&team.admin, "?window=7d").await.body["totals"].clone();
    assert_eq!(
        (&totals["users"], &totals["live_sessions"], &totals["active_users"]),
        (&json!(1_000_000), &json!(70_000), &json!(7))
    );
    assert_eq!(totals["counted_at"], "2026-01-01T00:00:00Z");
    team.deployment.clock.advance(HOUR);
    let admin = team.api.bearing_as(ADMIN).await;
    until("the job finds that they are few", IN_TIME, async || {
        jobs::count_activity(&team.api.app).await.unwrap();
        team.deployment.number("SELECT COUNT(*) FROM gauges WHERE name = 'users'").await == 0
    })
    .await;
    assert_eq!(ask(&admin, "?window=7d").await.body["totals"]["users"], 3);
}

#[rstest]
#[tokio::test]
async fn many_people_are_counted_by_the_job_and_kept(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let (series, id) = match engine {
        Engine::Postgres => ("SELECT generate_series(1, 21000) AS n", "gen_random_uuid()"),
        Engine::Sqlite => ("SELECT 1 AS n UNION ALL SELECT n + 1 FROM series WHERE n < 21000", "randomblob(16)"),
    };
    let fill = format!(
        "WITH RECURSIVE series AS ({series})
         INSERT INTO users (id, email, locale, status, token_version, created_at, updated_at, last_login_at, search_text)
         SELECT {id}, 'person' || n || '@example.org', 'en', 'active', 1, known.created_at, known.created_at,
                CASE WHEN n <= 5 THEN known.created_at END, ''
         FROM series CROSS JOIN users AS known WHERE known.email = '{MANAGER}'"
    );
    assert_eq!(team.deployment.change(&fill).await, 21_000);
    // The job may have begun to count at the start, of which the next is five minutes on.
    team.deployment.clock.advance(HOUR / 4);
    until("they are counted", IN_TIME, async || {
        jobs::count_activity(&team.api.app).await.unwrap();
        team.deployment.column::<i64>("SELECT value FROM gauges WHERE name = 'users'").await == [21_003]
    })
    .await;
    let totals = ask(&team.admin, "").await.body["totals"].clone();
    assert_eq!(
        (&totals["users"], &totals["active_users"], &totals["live_sessions"]),
        (&json!(21_003), &json!(8), &json!(3))
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let team = Team::new(Engine::Sqlite).await;
    for (query, field, code) in [
        ("window=1h", "window", "unknown_value"),
        ("offset=%2B05:30", "offset", "invalid_offset"),
        ("offset=Seoul", "offset", "invalid_offset"),
        ("days=7", "days", "unknown"),
    ] {
        let answer = team.admin.get(&format!("{PATH}?{query}")).await;
        assert_eq!((answer.status, answer.faults()), (422, vec![(field, code)]), "{query}");
    }
}

#[rstest]
#[tokio::test]
async fn hours_that_nobody_can_ask_for_are_forgotten(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    team.deployment.clock.advance(HOUR * 2);
    roll(&team.deployment, &team.api, 1).await;
    team.deployment.clock.advance(DAY * 62);
    until("they are forgotten", IN_TIME, async || {
        jobs::count_activity(&team.api.app).await.unwrap();
        team.deployment.number("SELECT COUNT(*) FROM activity_hours").await == 0
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn a_history_says_why_a_login_was_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    team.deployment.clock.advance(Duration::from_secs(1));
    refuse(&team.api, USER, "wrong password").await;
    let history = team.manager.get(&format!("{}/login-history", team.user_path())).await;
    let reasons: Vec<_> = history.body["items"].as_array().unwrap().iter().map(|line| &line["reason"]).collect();
    assert_eq!(reasons, [&json!("wrong_password"), &Value::Null]);
}

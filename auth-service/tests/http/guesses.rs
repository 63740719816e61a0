//! Guesses at passwords: few are free, the rest are slow, and strangers cannot lock anybody out.

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::support::{Answer, Deployment, Engine, Instance, PASSWORD};

const EMAIL: &str = "kim@example.com";

/// How many guesses were verified and found wrong.
async fn verified(deployment: &Deployment) -> i64 {
    deployment.number("SELECT CAST(COALESCE(SUM(failures), 0) AS BIGINT) FROM daily_guesses").await
}

async fn guess_wrong(api: &Instance, times: usize) {
    for _ in 0..times {
        assert_eq!(api.login(EMAIL, "wrong").await.status, 401);
    }
}

async fn log_in(api: &Instance) -> u16 {
    api.login(EMAIL, PASSWORD).await.status
}

/// Logs in that many times at once; every attempt must be answered with this status.
async fn log_in_at_once(api: &Instance, times: usize, password: &'static str, status: u16) {
    let calls = (0..times).map(|_| {
        let api = api.clone();
        tokio::spawn(async move { api.login(EMAIL, password).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn four_failures_and_a_success_leave_the_account_open(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let api = Deployment::new(engine).start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    guess_wrong(&api, 4).await;
    for _ in 0..10 {
        assert_eq!(log_in(&api).await, 200, "right passwords cost nothing");
    }
}

#[rstest]
#[tokio::test]
async fn after_five_failures_each_attempt_waits_longer(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    guess_wrong(&api, 5).await;
    for (number, seconds) in [1, 3, 5, 10, 20, 30, 45, 60, 60].into_iter().enumerate() {
        deployment.clock.advance(Duration::from_millis(seconds * 1_000 - 1));
        assert_eq!(log_in(&api).await, 401, "even the right password, just before {seconds} s");
        assert_eq!(verified(&deployment).await, 5 + i64::try_from(number).unwrap());
        deployment.clock.advance(Duration::from_millis(1));
        guess_wrong(&api, 1).await;
        assert_eq!(verified(&deployment).await, 6 + i64::try_from(number).unwrap(), "verified after {seconds} s");
    }
}

#[rstest]
#[tokio::test]
async fn attempts_inside_the_wait_do_not_prolong_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    guess_wrong(&api, 5).await;
    for _ in 0..20 {
        deployment.clock.advance(Duration::from_millis(49));
        guess_wrong(&api, 1).await;
    }
    assert_eq!(verified(&deployment).await, 5, "those in the wait were refused unverified");
    deployment.clock.advance(Duration::from_millis(20));
    assert_eq!(log_in(&api).await, 200);
}

#[rstest]
#[tokio::test]
async fn strangers_cannot_lock_out_a_known_device(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    let first = api.login(EMAIL, PASSWORD).await;
    let device = first.header("x-device-token");
    guess_wrong(&api, 30).await;
    assert_eq!(log_in(&api).await, 401, "a device that nobody knows waits");
    assert_eq!(log_in(&api.with_header("x-device-token", device)).await, 200);
    let with_cookie = api.with_header("cookie", &format!("__Host-device={device}"));
    assert_eq!(log_in(&with_cookie).await, 200);
    guess_wrong(&with_cookie, 5).await;
    assert_eq!(log_in(&with_cookie).await, 401, "the device has a count of its own");
}

#[rstest]
#[tokio::test]
async fn a_right_guess_at_a_closed_account_counts_like_a_wrong_one(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    assert_eq!(deployment.change("UPDATE users SET status = 'disabled'").await, 1);
    for _ in 0..10 {
        assert_eq!(log_in(&api).await, 401);
    }
    assert_eq!(verified(&deployment).await, 5, "the time of a refusal tells nothing of the password");
}

#[rstest]
#[tokio::test]
async fn a_new_password_leaves_no_device_known_but_its_own(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    const NEW: &str = "purple tram over the hill";
    let api = Deployment::new(engine).start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    let (thief, owner) = (api.login(EMAIL, PASSWORD).await, api.login(EMAIL, PASSWORD).await);
    let on = |login: &Answer| api.with_header("x-device-token", login.header("x-device-token"));
    let change = json!({"current_password": PASSWORD, "new_password": NEW});
    let own = on(&owner).bearing(&owner.text("access_token"));
    assert_eq!(own.call(Method::PUT, "/api/v1/users/me/password", change).await.status, 204);
    guess_wrong(&api, 6).await;
    assert_eq!(on(&thief).login(EMAIL, NEW).await.status, 401, "waits like any stranger");
    assert_eq!(on(&owner).login(EMAIL, NEW).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_device_is_known_to_its_own_account_only(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    assert_eq!(api.register("mallory@example.com").await.status, 201);
    let mallory = api.login("mallory@example.com", PASSWORD).await;
    guess_wrong(&api, 5).await;
    assert_eq!(log_in(&api.with_header("x-device-token", mallory.header("x-device-token"))).await, 401);
}

#[rstest]
#[tokio::test]
async fn twenty_right_logins_at_once_all_pass(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    log_in_at_once(&api, 20, PASSWORD, 200).await;
}

#[rstest]
#[tokio::test]
async fn of_a_hundred_wrong_guesses_at_once_five_are_verified(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    log_in_at_once(&api, 100, "wrong", 401).await;
    assert_eq!(verified(&deployment).await, 5);
}

#[rstest]
#[tokio::test]
async fn after_a_hundred_failures_a_day_only_known_devices_remain(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    assert_eq!(api.register(EMAIL).await.status, 201);
    let first = api.login(EMAIL, PASSWORD).await;
    guess_wrong(&api, 1).await;
    deployment.change("UPDATE daily_guesses SET failures = 99").await;
    assert_eq!(log_in(&api).await, 200, "99 are not 100");
    guess_wrong(&api, 1).await;
    assert_eq!(log_in(&api).await, 401);
    guess_wrong(&api, 1).await;
    assert_eq!(verified(&deployment).await, 100, "nothing more is verified");
    assert_eq!(log_in(&api.with_header("x-device-token", first.header("x-device-token"))).await, 200);
    deployment.clock.advance(Duration::from_secs(86_399));
    assert_eq!(log_in(&api).await, 401, "still the same day");
    deployment.clock.advance(Duration::from_secs(1));
    assert_eq!(log_in(&api).await, 200, "the next day");
}

#[tokio::test]
async fn instances_share_the_count() {
    let deployment = Deployment::new(Engine::Postgres);
    let (one, other) = (deployment.start().await, deployment.start().await);
    assert_eq!(one.register(EMAIL).await.status, 201);
    guess_wrong(&one, 3).await;
    guess_wrong(&other, 2).await;
    assert_eq!((log_in(&one).await, log_in(&other).await), (401, 401));
    deployment.clock.advance(Duration::from_secs(1));
    assert_eq!(log_in(&other).await, 200);
}

#[rstest]
#[tokio::test]
async fn an_address_and_a_name_of_one_account_share_the_count(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let api = Deployment::new(engine).start().await;
    let account = json!({"email": EMAIL, "username": "kim", "password": PASSWORD});
    assert_eq!(api.post("/api/v1/auth/register", account).await.status, 201);
    for _ in 0..5 {
        let guess = json!({"username": "KIM", "password": "wrong"});
        assert_eq!(api.post("/api/v1/auth/login", guess).await.status, 401);
    }
    assert_eq!(log_in(&api).await, 401);
}

#[rstest]
#[case(Engine::Sqlite, "nobody-on-sqlite@example.com")]
#[case(Engine::Postgres, "nobody-on-postgres@example.com")]
#[tokio::test]
async fn unknown_names_are_counted_alike(#[case] engine: Engine, #[case] nobody: &str) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    for _ in 0..10 {
        assert_eq!(api.login(nobody, "wrong").await.status, 401);
    }
    assert_eq!(verified(&deployment).await, 5);
}

#[rstest]
#[tokio::test]
async fn guesses_in_a_session_lock_out_that_session_alone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let person = api.person(EMAIL).await;
    let own = api.bearing(&person.access);
    let reauthenticate = async |password: &str| {
        let answer = own.post("/api/v1/auth/reauthenticate", json!({"password": password})).await;
        (answer.status, answer.code().to_owned())
    };
    for _ in 0..5 {
        assert_eq!(reauthenticate("wrong").await, (403, "wrong_password".to_owned()));
    }
    assert_eq!(reauthenticate(PASSWORD).await, (403, "wrong_password".to_owned()));
    assert_eq!(log_in(&api).await, 200);
}

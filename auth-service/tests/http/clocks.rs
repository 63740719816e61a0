//! Clocks that differ, and clocks that step back.

use std::{sync::atomic::Ordering, time::Duration};

use rstest::rstest;
use serde_json::json;
use service_kit::clock::Clock;

use crate::support::{Deployment, Engine, Instance, Person};

/// A clock of its own that is `ahead` of the deployment's.
fn clock_ahead(deployment: &Deployment, ahead: Duration) -> Clock {
    let clock = Clock::manual(deployment.clock.now());
    clock.advance(ahead);
    clock
}

fn step_back(clock: &Clock, by: Duration) {
    match clock {
        Clock::Manual(microseconds) => {
            microseconds.fetch_sub(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
        }
        Clock::System => panic!("the system's clock is not ours to move"),
    }
}

async fn log_out(api: &Instance, person: &Person) {
    assert_eq!(api.bearing(&person.access).post("/api/v1/auth/logout", json!({})).await.status, 204);
}

#[rstest]
#[tokio::test]
async fn instances_whose_clocks_differ_by_half_a_minute_agree(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine).set("REDIS_URL", "");
    let behind = deployment.start().await;
    let ahead = deployment.start_at(clock_ahead(&deployment, Duration::from_secs(30))).await;
    for (here, there, email) in [(&behind, &ahead, "kim@example.com"), (&ahead, &behind, "lee@example.com")] {
        let (first, second) = (here.person(email).await, here.log_in(email).await);
        assert_eq!(there.me(&first.access).await.status, 200, "its tokens are good elsewhere");
        log_out(here, &first).await;
        there.refuses_in_time(&first.access).await;
        assert_eq!(there.me(&second.access).await.status, 200, "other sessions live on");
        log_out(there, &second).await;
        here.refuses_in_time(&second.access).await;
    }
}

#[rstest]
#[tokio::test]
async fn a_clock_that_ran_hours_ahead_has_forgotten_nothing_for_the_others(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let (kim, lee) = (api.person("kim@example.com").await, api.person("lee@example.com").await);
    log_out(&api, &kim).await;
    // It sweeps at its start.
    let hours_ahead = deployment.start_at(clock_ahead(&deployment, Duration::from_secs(12 * 3_600))).await;
    assert_eq!(hours_ahead.me(&lee.access).await.status, 401, "expired there");
    for api in [&api, &deployment.start().await] {
        assert_eq!(api.me(&kim.access).await.status, 401, "revoked");
        assert_eq!(api.me(&lee.access).await.status, 200);
    }
}

#[rstest]
#[tokio::test]
async fn a_clock_that_steps_back_revives_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let (kim, lee) = (api.person("kim@example.com").await, api.person("lee@example.com").await);
    deployment.clock.advance(Duration::from_secs(20 * 60));
    log_out(&api, &kim).await;
    let successor = api.refresh(&lee.refresh).await.text("refresh_token");
    assert_eq!(api.refresh(&successor).await.status, 200);
    step_back(&deployment.clock, Duration::from_secs(19 * 60));
    for api in [&api, &deployment.start().await] {
        assert_eq!(api.me(&kim.access).await.status, 401, "revoked");
        assert_eq!(api.refresh(&kim.refresh).await.status, 401, "revoked");
        assert_eq!(api.refresh(&lee.refresh).await.status, 401, "spent");
    }
}

//! DORMANT_AFTER_DAYS: whoever does not come back is told so, and then closed

use std::time::Duration;

use auth_service::{
    dormant::{self, Dormancy},
    ids::UserId,
    operator::{self, Administrator, Operator},
};
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use crate::{
    support::{Deployment, Engine, Instance, PASSWORD},
    waiting::until,
};

const DAY: Duration = Duration::from_secs(86_400);
const IN_TIME: Duration = Duration::from_secs(5);
const BEGINNING: UserId = UserId(Uuid::nil());

fn days(engine: Engine, after: &str, notice: &str) -> Deployment {
    Deployment::new(engine).set("DORMANT_AFTER_DAYS", after).set("DORMANT_NOTICE_DAYS", notice)
}

fn rule(api: &Instance) -> Dormancy {
    api.app.config.dormancy.unwrap()
}

/// Runs the first rule; gives who is told.
async fn notice(api: &Instance) -> Vec<String> {
    let mut tx = api.app.db.begin().await.unwrap();
    let page = dormant::notice_due(&mut tx, &rule(api), BEGINNING, api.app.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(page.next.is_none());
    let mut told: Vec<String> = page.done.into_iter().map(|notice| notice.email).collect();
    told.sort_unstable();
    told
}

/// Runs the second rule; gives who is closed now.
async fn lock(deployment: &Deployment, api: &Instance) -> Vec<String> {
    let mut tx = api.app.db.begin().await.unwrap();
    let page = dormant::lock_due(&api.app, &mut tx, &rule(api), BEGINNING).await.unwrap();
    api.app.commit(tx, page.done).await.unwrap();
    deployment.column("SELECT email FROM users WHERE status = 'disabled' ORDER BY email").await
}

#[rstest]
#[tokio::test]
async fn whoever_stays_away_is_told_once_and_closed_later(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = days(engine, "365", "30");
    let api = deployment.start().await;
    let person = api.person("away@example.com").await;
    api.person("back@example.com").await;
    assert_eq!(api.register("never@example.com").await.status, 201);
    deployment.clock.advance(DAY * 334);
    assert_eq!(notice(&api).await, [""; 0]);
    deployment.clock.advance(DAY);
    assert_eq!(notice(&api).await, ["away@example.com", "back@example.com", "never@example.com"]);
    assert_eq!(notice(&api).await, [""; 0], "nobody is told twice");
    deployment.clock.advance(DAY * 29);
    api.log_in("back@example.com").await;
    assert_eq!(lock(&deployment, &api).await, [""; 0]);
    deployment.clock.advance(DAY);
    assert_eq!(lock(&deployment, &api).await, ["away@example.com", "never@example.com"]);
    assert_eq!(api.login("away@example.com", PASSWORD).await.status, 401);
    assert_eq!(api.me(&person.access).await.status, 401);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'user_dormant'").await, 2);
    deployment.clock.advance(DAY * 335);
    assert_eq!(notice(&api).await, ["back@example.com"], "who came back is told again, when they stay away again");
}

#[rstest]
#[tokio::test]
async fn an_old_account_is_told_before_it_is_closed_when_the_rule_is_new(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = days(engine, "61", "30");
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    deployment.clock.advance(DAY * 1_000);
    assert_eq!(lock(&deployment, &api).await, [""; 0]);
    assert_eq!(notice(&api).await, ["kim@example.com"]);
    deployment.clock.advance(DAY * 30);
    assert_eq!(lock(&deployment, &api).await, ["kim@example.com"]);
}

#[rstest]
#[tokio::test]
async fn an_account_whose_key_is_used_is_no_dormant_one(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = days(engine, "61", "0");
    let api = deployment.start().await;
    let person = api.person("robot@example.com").await;
    let key = json!({"name": "robot", "scopes": [], "expires_at": "2026-12-01T00:00:00Z"});
    assert_eq!(api.bearing(&person.access).post("/api/v1/api-keys", key).await.status, 201);
    deployment.clock.advance(DAY * 61);
    let set = match engine {
        Engine::Sqlite => format!("UPDATE api_keys SET last_used_at = {}", api.app.now().as_micros()),
        Engine::Postgres => format!("UPDATE api_keys SET last_used_at = '{}'", api.app.now()),
    };
    assert_eq!(deployment.change(&set).await, 1);
    assert_eq!(lock(&deployment, &api).await, [""; 0]);
    assert_eq!(notice(&api).await, [""; 0], "without days of notice nobody is told");
    deployment.clock.advance(DAY * 62);
    assert_eq!(lock(&deployment, &api).await, ["robot@example.com"]);
}

#[rstest]
#[tokio::test]
async fn the_last_administrator_is_never_closed(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = days(engine, "61", "0");
    let (api, config) = (deployment.start().await, deployment.config());
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    for email in ["a@example.com", "b@example.com"] {
        let wish = Administrator { email: email.to_owned(), username: None, password: None };
        operator::create_administrator(&operator, wish).await.unwrap();
    }
    deployment.clock.advance(DAY * 61);
    assert_eq!(lock(&deployment, &api).await.len(), 1);
    assert_eq!(lock(&deployment, &api).await.len(), 1, "the other stays");
}

#[rstest]
#[tokio::test]
async fn the_job_tells_and_closes_by_itself(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = days(engine, "365", "30");
    let person = deployment.start().await.person("kim@example.com").await;
    deployment.clock.advance(DAY * 336);
    // It begins with a round of its jobs.
    let _api = deployment.start().await;
    let notices = "SELECT COUNT(*) FROM mail_outbox WHERE kind = 'dormancy_notice'";
    until("the notice is queued", IN_TIME, async || deployment.number(notices).await == 1).await;
    deployment.clock.advance(DAY * 30);
    let api = deployment.start().await;
    let closed = "SELECT COUNT(*) FROM users WHERE status = 'disabled'";
    until("the account is closed", IN_TIME, async || deployment.number(closed).await == 1).await;
    assert_eq!(api.login(&person.email, PASSWORD).await.status, 401);
}

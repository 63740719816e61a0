//! POST /api/v1/system/doctor

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{Fault, Stage, Trouble, free_port};

use crate::{
    mailbox::with_relay,
    staleness::behind_a_proxy,
    support::{Answer, Deployment, Engine, Instance},
    team::{ADMIN, Team},
    waiting::until,
};

const DOCTOR: &str = "/api/v1/system/doctor";
const LONG: Duration = Duration::from_secs(30);

fn checks(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["checks"].as_array().unwrap().clone()
}

fn check(answer: &Answer, name: &str) -> Value {
    checks(answer).into_iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name} in {answer:?}"))
}

async fn examine(admin: &Instance) -> Answer {
    admin.post(DOCTOR, json!({})).await
}

#[rstest]
#[tokio::test]
async fn a_healthy_system_is_found_healthy(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (_relay, deployment) = with_relay(engine);
    let team = Team::of(deployment).await;
    let answer = examine(&team.admin).await;
    let found: Vec<_> = checks(&answer).iter().map(|one| (one["name"].clone(), one["outcome"].clone())).collect();
    let redis = if engine == Engine::Postgres { "ok" } else { "skipped" };
    let expected = [
        ("signing key", "ok"),
        ("disk", "ok"),
        ("cors", "skipped"),
        ("redis", redis),
        ("mail", "ok"),
        ("database", "ok"),
        ("schema", "ok"),
        ("indexes", "ok"),
        ("clock", "ok"),
    ];
    assert_eq!(found, expected.map(|(name, outcome)| (json!(name), json!(outcome))));
    assert!(checks(&answer).iter().all(|one| one["fix"].is_null() && one["summary"].is_string()), "{answer:?}");
    let (mail, from) = (check(&answer, "mail"), &team.deployment.config().mail.from.to_string());
    assert_eq!(mail["code"], "relay_answers");
    assert_eq!(mail["values"], json!({"host": "127.0.0.1", "from": from}));
    assert_eq!(mail["summary"], format!("127.0.0.1 takes mail from {from}"));
    let events: Vec<String> =
        team.deployment.column("SELECT details FROM audit_logs WHERE event = 'system_examined'").await;
    assert_eq!(events, [r#"{"failed":0}"#]);
}

#[rstest]
#[tokio::test]
async fn each_fault_is_told_with_what_to_do_about_it_and_no_secret(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::of(Deployment::new(engine)).await;
    let nobody = free_port().unwrap();
    let elsewhere = Deployment::new(Engine::Sqlite)
        .set("SMTP_URL", &format!("smtp://user:hunter2@127.0.0.1:{nobody}?tls=none"))
        .set("REDIS_URL", &format!("redis://:hunter2@127.0.0.1:{nobody}/0"));
    let mut config = team.deployment.config();
    config.mail = elsewhere.config().mail;
    config.redis_url = elsewhere.config().redis_url;
    let admin = team.deployment.start_with(config).await.bearing_as(ADMIN).await;
    assert_eq!(team.deployment.change("DROP INDEX idx_users_email_active").await, 0);
    let answer = examine(&admin).await;
    for (name, code, fix) in [
        ("mail", "relay_refuses", "SMTP_URL"),
        ("redis", "redis_unreachable", "REDIS_URL"),
        ("indexes", "index_missing", "auth-system migrate"),
    ] {
        let found = check(&answer, name);
        assert_eq!((&found["outcome"], &found["code"]), (&json!("failed"), &json!(code)), "{found}");
        assert!(found["fix"].as_str().unwrap().contains(fix), "{found}");
    }
    assert_eq!(check(&answer, "database")["outcome"], "ok", "each is tried whatever the others find");
    assert!(!answer.body.to_string().contains("hunter2"), "{answer:?}");
    let events: Vec<String> =
        team.deployment.column("SELECT details FROM audit_logs WHERE event = 'system_examined'").await;
    assert_eq!(events, [r#"{"failed":3}"#]);
}

#[rstest]
#[tokio::test]
async fn one_examination_at_a_time_knocks_at_others_doors(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let team = Team::of(deployment).await;
    team.deployment.outbox_is_empty().await;
    relay.set(Some(Trouble::Hang(Stage::Greeting)));
    let first = tokio::spawn({
        let admin = team.admin.clone();
        async move { examine(&admin).await }
    });
    until("it is under way", LONG, async || team.api.app.examination.try_lock().is_err()).await;
    let second = examine(&team.admin).await;
    assert_eq!((second.status, second.code(), second.header("retry-after")), (503, "busy", "5"));
    let mail = check(&first.await.unwrap(), "mail");
    assert_eq!((&mail["outcome"], mail["fix"].as_str().unwrap().contains("SMTP_URL")), (&json!("failed"), true));
    relay.set(None);
    assert_eq!(check(&examine(&team.admin).await, "mail")["outcome"], "ok", "and then the next");
}

#[tokio::test]
async fn who_is_to_mend_the_database_is_told_that_it_is_away() {
    let (deployment, proxy) = behind_a_proxy();
    let team = Team::of(deployment).await;
    proxy.set(Fault::Refuse);
    let database = check(&examine(&team.admin).await, "database");
    assert_eq!(database["outcome"], "failed", "{database}");
    assert!(database["fix"].as_str().unwrap().contains("DB_PRIMARY_DB_URL"), "{database}");
}

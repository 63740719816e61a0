//! What an instance does with a log that it cannot read, that has grown, or that has expired.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::json;
use test_peers::{Fault, FaultProxy};

use crate::{
    support::{Deployment, Engine},
    waiting::until,
};

/// A deployment without Redis whose instances reach their database through a proxy.
pub fn behind_a_proxy() -> (Deployment, FaultProxy) {
    let deployment = Deployment::new(Engine::Postgres).set("REDIS_URL", "");
    let url = url::Url::parse(deployment.get("DB_PRIMARY_DB_URL")).unwrap();
    let proxy = FaultProxy::start(SocketAddr::from(([127, 0, 0, 1], url.port().unwrap()))).unwrap();
    let mut through = url;
    through.set_port(Some(proxy.address().port())).unwrap();
    (deployment.set("DB_PRIMARY_DB_URL", through.as_str()), proxy)
}

#[tokio::test]
async fn an_instance_that_cannot_read_the_log_admits_nobody_until_it_can() {
    let (deployment, proxy) = behind_a_proxy();
    let api = deployment.set("REVOCATION_MAX_STALENESS", "2s").start().await;
    let (living, ended) = (api.person("lee@example.com").await, api.person("kim@example.com").await);
    assert_eq!(api.bearing(&ended.access).post("/api/v1/auth/logout", json!({})).await.status, 204);
    proxy.set(Fault::Blackhole);
    assert_eq!(api.me(&ended.access).await.status, 401, "what it knows still counts");
    // A revoked token is refused from memory: any other answer is about the memory itself.
    until("503", Duration::from_secs(5), async || api.me(&ended.access).await.status == 503).await;
    let answer = api.me(&living.access).await;
    assert_eq!((answer.status, answer.code()), (503, "temporarily_unavailable"));
    assert_ne!(answer.header("retry-after"), "");
    assert_eq!(api.get("/.well-known/jwks.json").await.status, 200);
    proxy.set(Fault::Pass);
    let recovery = until("200", Duration::from_secs(5), async || api.me(&living.access).await.status == 200).await;
    assert_eq!(api.me(&ended.access).await.status, 401);
    println!("admitted again {recovery:?} after the database came back");
}

/// Ten thousand sessions that end in half an hour, by the deployment's clock.
async fn insert_revocations(deployment: &Deployment) {
    let from = deployment.clock.now().as_microsecond();
    let until = from + 1_920_000_000;
    let sql = match deployment.engine {
        Engine::Postgres => format!(
            "INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
             SELECT gen_random_uuid(), 'session', gen_random_uuid()::text, 0,
                 to_timestamp({from} / 1000000.0), to_timestamp({until} / 1000000.0)
             FROM generate_series(1, 10000)"
        ),
        Engine::Sqlite => format!(
            "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 10000)
             INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
             SELECT randomblob(16), 'session', lower(hex(randomblob(16))), 0, {from}, {until} FROM series"
        ),
    };
    assert_eq!(deployment.change(&sql).await, 10_000);
}

#[rstest]
#[tokio::test]
async fn ten_thousand_revocations_are_loaded_at_the_start_and_leave_when_they_expire(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    drop(deployment.start().await);
    insert_revocations(&deployment).await;
    let began = Instant::now();
    let api = deployment.start().await;
    println!("{engine:?}: started with 10,000 revocations in {:?}", began.elapsed());
    assert_eq!(api.app.revocations.view.len(), 10_000);
    // A day more than their last tokens live.
    deployment.clock.advance(Duration::from_secs(1_921 + 86_400));
    let left = async || api.app.revocations.view.len();
    until("memory is empty", Duration::from_secs(15), async || left().await == 0).await;
    // A sweep takes a thousand rows, so that no statement takes long.
    let rows = async || deployment.number("SELECT COUNT(*) FROM revocations").await;
    until("rows are deleted", Duration::from_secs(15), async || rows().await < 10_000).await;
    assert_eq!(deployment.start().await.app.revocations.view.len(), 0, "expired ones are not loaded");
}

//! The log's cursor: no revocation is passed over, however late it is committed and whatever its clock says.

use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::support::{Deployment, Engine, Instance};

/// A session's revocation as a writer on a clock half a minute behind would write it.
async fn revoke_late(conn: &mut PgConnection, session: &str, now: i64) {
    let insert = sqlx::query(
        "INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
         VALUES (gen_random_uuid(), 'session', $1, 0, to_timestamp($2), to_timestamp($2 + 1920))",
    );
    insert.bind(session).bind(now as f64 - 30.0).execute(conn).await.unwrap();
}

/// One logout that `b` learns of from the database, so its cursor has moved since.
async fn let_another_pass(a: &Instance, b: &Instance, email: &str) {
    let person = a.person(email).await;
    assert_eq!(a.bearing(&person.access).post("/api/v1/auth/logout", json!({})).await.status, 204);
    b.refuses_in_time(&person.access).await;
}

#[tokio::test]
async fn a_revocation_committed_late_on_a_slow_clock_is_seen_in_time() {
    let deployment = Deployment::new(Engine::Postgres).set("REDIS_URL", "");
    let (a, b) = (deployment.start().await, deployment.start().await);
    let person = a.person("kim@example.com").await;
    let mut writer = PgConnection::connect(deployment.get("DB_PRIMARY_DB_URL")).await.unwrap();
    writer.execute("BEGIN").await.unwrap();
    revoke_late(&mut writer, &person.session, deployment.clock.unix_seconds()).await;
    for number in 0..4 {
        let_another_pass(&a, &b, &format!("other{number}@example.com")).await;
    }
    assert_eq!(b.me(&person.access).await.status, 200, "it is not committed yet");
    writer.execute("COMMIT").await.unwrap();
    let latency = b.refuses_in_time(&person.access).await;
    println!("a late commit was seen after {latency:?}");
}

#[tokio::test]
async fn transactions_that_commit_out_of_order_are_all_seen() {
    let deployment = Deployment::new(Engine::Postgres).set("REDIS_URL", "");
    let (a, b) = (deployment.start().await, deployment.start().await);
    let mut writers = Vec::new();
    for number in 0..5 {
        let person = a.person(&format!("person{number}@example.com")).await;
        let mut writer = PgConnection::connect(deployment.get("DB_PRIMARY_DB_URL")).await.unwrap();
        writer.execute("BEGIN").await.unwrap();
        revoke_late(&mut writer, &person.session, deployment.clock.unix_seconds()).await;
        writers.push((person, writer));
    }
    while let Some((person, mut writer)) = writers.pop() {
        writer.execute("COMMIT").await.unwrap();
        b.refuses_in_time(&person.access).await;
        for (waiting, _) in &writers {
            assert_eq!(b.me(&waiting.access).await.status, 200, "{}", waiting.email);
        }
    }
}

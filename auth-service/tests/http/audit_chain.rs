//! The audit log's chain: everything is sealed in time, by one sealer, in one chain.

use std::time::{Duration, Instant};

use auth_service::{
    App,
    audit::{self, Report, seal},
};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    support::{Deployment, Engine},
    waiting::{A_SECOND, until},
};

/// Longer than sealing ever takes, however busy the machine.
const LONG: Duration = Duration::from_secs(30);
const UNSEALED: &str = "SELECT COUNT(*) FROM audit_logs WHERE seq IS NULL";

impl Deployment {
    /// Waits until the chain has everything: of a handful of entries that is promised within a second.
    pub async fn is_sealed_within(&self, deadline: Duration) -> Duration {
        until("everything is sealed", deadline, async || self.number(UNSEALED).await == 0).await
    }

    /// Waits until the chain has everything, where something else is the matter.
    pub async fn is_sealed(&self) {
        self.is_sealed_within(LONG).await;
    }

    /// Writes entries past the service, as many busy instances would.
    pub async fn write_entries(&self, count: usize) {
        let personal = HEXLOWER.encode(digest(&SHA256, b"\x07[null,null]").as_ref());
        let sql = match self.engine {
            Engine::Postgres => format!(
                "INSERT INTO audit_logs (id, at, event, outcome, details, salt, personal_hash)
                 SELECT gen_random_uuid(), timestamptz '2026-01-01' + n * interval '1 ms', 'logged_in', 'done', '{{}}',
                     decode('07', 'hex'), decode('{personal}', 'hex')
                 FROM generate_series(1, {count}) AS n"
            ),
            Engine::Sqlite => format!(
                "WITH RECURSIVE series AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM series WHERE n < {count})
                 INSERT INTO audit_logs (id, at, event, outcome, details, salt, personal_hash)
                 SELECT randomblob(16), 1767225600000000 + n * 1000, 'logged_in', 'done', '{{}}', x'07', x'{personal}'
                 FROM series"
            ),
        };
        assert_eq!(self.change(&sql).await, u64::try_from(count).unwrap());
    }
}

/// What a verification finds.
pub async fn verify(app: &App) -> Report {
    audit::verify(&app.db, None).await.unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_logins_at_once_are_all_sealed_within_a_second(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    join_all((0..50).map(|_| api.log_in("kim@example.com"))).await;
    let took = deployment.is_sealed_within(A_SECOND).await;
    let report = verify(&api.app).await;
    assert_eq!((report.faults.as_slice(), report.entries, report.unsealed), (&[][..], 51, 0));
    assert_eq!(report.head.seq, 51);
    println!("50 logins at once were sealed {took:?} after the last");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_instances_that_seal_at_once_make_one_chain(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let (a, b) = (deployment.start().await, deployment.start().await);
    for _ in 0..5 {
        deployment.write_entries(1_500).await;
        let all = [&a, &b, &a, &b].map(|api| seal::seal_all(&api.app));
        for sealed in join_all(all).await {
            sealed.unwrap();
        }
    }
    deployment.is_sealed().await;
    let report = verify(&b.app).await;
    assert_eq!((report.faults.as_slice(), report.entries, report.head.seq), (&[][..], 7_500, 7_500));
}

#[rstest]
#[tokio::test]
async fn an_instance_goes_on_where_another_left_off(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    deployment.is_sealed().await;
    let before = verify(&api.app).await.head;
    let restarted = deployment.start().await;
    restarted.log_in("kim@example.com").await;
    deployment.is_sealed().await;
    let report = audit::verify(&restarted.app.db, Some(&before)).await.unwrap();
    assert_eq!((report.faults.as_slice(), report.head.seq), (&[][..], before.seq + 1));
}

#[tokio::test]
async fn what_commits_late_is_sealed_late() {
    let deployment = Deployment::new(Engine::Postgres);
    let api = deployment.start().await;
    let mut writer = PgConnection::connect(deployment.get("DB_PRIMARY_DB_URL")).await.unwrap();
    let personal = HEXLOWER.encode(digest(&SHA256, b"\x07[null,null]").as_ref());
    writer.execute("BEGIN").await.unwrap();
    let insert = sqlx::query(
        "INSERT INTO audit_logs (id, at, event, outcome, details, salt, personal_hash)
         VALUES (gen_random_uuid(), timestamptz '2025-12-31', 'late', 'done', '{}', decode('07', 'hex'), decode($1, 'hex'))",
    );
    insert.bind(personal).execute(&mut writer).await.unwrap();
    api.person("kim@example.com").await;
    deployment.is_sealed().await;
    writer.execute("COMMIT").await.unwrap();
    deployment.is_sealed().await;
    assert_eq!(
        deployment.number("SELECT seq FROM audit_logs WHERE event = 'late'").await,
        3,
        "though it is the oldest"
    );
    assert_eq!(verify(&api.app).await.faults, []);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sealing_keeps_up_with_thousands_of_entries_a_second(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    deployment.write_entries(20_000).await;
    let began = Instant::now();
    deployment.is_sealed().await;
    let took = began.elapsed();
    println!("20,000 entries were sealed on {engine:?} in {took:?}: {:.0}/s", 20_000.0 / took.as_secs_f64());
    let began = Instant::now();
    assert_eq!(verify(&api.app).await.faults, []);
    println!("and verified in {:?}", began.elapsed());
}

#[rstest]
#[tokio::test]
async fn the_details_and_the_personal_parts_of_an_entry_are_what_was_sealed(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await.with_header("user-agent", "a \"quoted\" 브라우저\u{1f600}\\");
    api.person("kim@example.com").await;
    assert_eq!(
        api.post("/api/v1/auth/login", json!({"email": "kim@example.com", "password": "wrong one"})).await.status,
        401
    );
    deployment.is_sealed().await;
    let report = verify(&api.app).await;
    assert_eq!((report.faults.as_slice(), report.entries), (&[][..], 3));
}

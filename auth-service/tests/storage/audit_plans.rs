//! The plans of what reads the audit log, which grows for years: an index finds the page, whatever is asked for.

use std::path::Path;

use auth_service::db::{Engine, migrate};
use rstest::rstest;
use sqlx::AssertSqlSafe;

use crate::{
    databases::{Database, Raw},
    statements::{SOURCE, statements_in},
};

/// Statements of the stores, and the index that each must go by.
const EXPECTED: [(&str, &str, &str); 23] = [
    ("audit/store.rs", "LIST", "idx_audit_logs_at"),
    ("audit/store.rs", "LIST_REFUSED", "idx_audit_logs_refused"),
    ("audit/store.rs", "LIST_BY_EVENT", "idx_audit_logs_event"),
    ("audit/store.rs", "LIST_BY_ACTOR", "idx_audit_logs_actor"),
    ("audit/store.rs", "LIST_BY_TARGET", "idx_audit_logs_target"),
    ("audit/store.rs", "LIST_BY_ADDRESS", "idx_audit_logs_ip_address"),
    ("audit/store.rs", "LIST_BY_REQUEST", "idx_audit_logs_request"),
    ("audit/store.rs", "LIST_SEALED", "idx_audit_logs_seq"),
    ("audit/store.rs", "FIND_LAST_IN", "idx_audit_logs_seq"),
    ("audit/store.rs", "FIND_LAST_BY", "idx_audit_logs_actor"),
    ("audit/store.rs", "FIND_LAST_ABOUT", "idx_audit_logs_target"),
    ("audit/store.rs", "FIND_UNSEALED_OF", "idx_audit_logs_unsealed"),
    ("audit/chain/store.rs", "LIST_UNSEALED", "idx_audit_logs_unsealed"),
    ("audit/chain/store.rs", "FIND_LAST", "idx_audit_logs_seq"),
    ("audit/chain/store.rs", "FIND_LAST_TO", "idx_audit_logs_seq"),
    ("audit/chain/store.rs", "LIST_SEALED", "idx_audit_logs_seq"),
    ("audit/chain/store.rs", "LIST_OLDEST", "idx_audit_logs_seq"),
    ("mail/review/store.rs", "LIST", "idx_mail_outbox_created_at"),
    ("mail/review/store.rs", "LIST_WAITING", "idx_mail_outbox_waiting"),
    ("mail/review/store.rs", "LIST_HANDED_OVER", "idx_mail_outbox_handed_over"),
    ("mail/review/store.rs", "LIST_SENT", "idx_mail_outbox_sent"),
    ("mail/review/store.rs", "LIST_FAILED", "idx_mail_outbox_failed"),
    ("login/store.rs", "LIST_HISTORY", "idx_login_histories_user"),
];

/// A log in which everything but a few entries is sealed, and statistics about it.
async fn fill(database: &Database) {
    let (series, id, other) = match database.engine {
        Engine::Postgres => {
            ("SELECT generate_series(1, 20000) AS n", "gen_random_uuid()", "md5((n % 500)::text)::uuid")
        }
        Engine::Sqlite => (
            "SELECT 1 AS n UNION ALL SELECT n + 1 FROM series WHERE n < 20000",
            "randomblob(16)",
            "CAST(printf('%016d', n % 500) AS BLOB)",
        ),
    };
    let at = match database.engine {
        Engine::Postgres => "timestamptz '2026-01-01' + n * interval '1 s'",
        Engine::Sqlite => "1767225600000000 + n * 1000000",
    };
    let hash = match database.engine {
        Engine::Postgres => "decode('00', 'hex')",
        Engine::Sqlite => "x'00'",
    };
    database
        .run(&format!(
            "WITH RECURSIVE series AS ({series})
             INSERT INTO audit_logs (id, at, event, outcome, actor_id, target_kind, target_id, request_id, details,
                                     ip_address, personal_hash, seq)
             SELECT {id}, {at}, CASE WHEN n % 100 = 0 THEN 'role_created' ELSE 'logged_in' END,
                 CASE WHEN n % 50 = 0 THEN 'refused' ELSE 'done' END, {other}, 'user',
                 {other}, 'request-' || n, '{{}}', '10.0.0.' || (n % 200), {hash}, CASE WHEN n < 19990 THEN n END
             FROM series;
             INSERT INTO users (id, email, locale, status, token_version, created_at, updated_at, search_text)
             SELECT id, request_id, 'en', 'active', 1, at, at, '' FROM audit_logs WHERE seq < 500;
             INSERT INTO login_histories (id, user_id, at, outcome, method)
             SELECT entry.id, users.id, entry.at, 'logged_in', 'password'
             FROM audit_logs AS entry JOIN users ON users.email = 'request-' || (entry.seq % 500);
             INSERT INTO mail_outbox (id, user_id, kind, recipient, locale, details, created_at, next_attempt_at, attempts,
                                      handed_over_at, sent_at, failed_at)
             SELECT entry.id, users.id, 'new_device', 'a@example.com', 'en', '{{}}', entry.at, entry.at, 1,
                 CASE WHEN entry.seq % 100 <> 0 THEN entry.at END, CASE WHEN entry.seq % 2 <> 0 THEN entry.at END,
                 CASE WHEN entry.seq % 200 = 0 THEN entry.at END
             FROM audit_logs AS entry JOIN users ON users.email = 'request-' || (entry.seq % 500);
             ANALYZE;"
        ))
        .await;
}

/// What the engine does with a statement that was prepared for whatever it may be asked with.
async fn plan(database: &Database, sql: &str) -> String {
    match database.connect().await {
        Raw::Postgres(conn) => {
            let mut raw = Raw::Postgres(conn);
            raw.run(&format!("SET plan_cache_mode = force_generic_plan; PREPARE one AS {sql}")).await.unwrap();
            let binds = (1..=13).take_while(|number| sql.contains(&format!("${number}"))).map(|_| "NULL");
            let binds = binds.collect::<Vec<_>>().join(", ");
            let explain = if binds.is_empty() {
                "EXPLAIN EXECUTE one".to_owned()
            } else {
                format!("EXPLAIN EXECUTE one ({binds})")
            };
            let Raw::Postgres(mut conn) = raw else { unreachable!() };
            let lines: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(explain)).fetch_all(&mut conn).await.unwrap();
            lines.into_iter().map(|(line,)| line + "\n").collect()
        }
        Raw::Sqlite(mut conn) => {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let lines: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut conn).await.unwrap();
            lines.into_iter().map(|(.., line)| line + "\n").collect()
        }
    }
}

#[rstest]
#[tokio::test]
async fn the_log_is_read_by_index_and_never_sorted(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let database = Database::empty(engine);
    migrate::apply(&database.open(), migrate::SCRIPTS).await.unwrap();
    fill(&database).await;
    for (file, name, index) in EXPECTED {
        let statements = statements_in(&Path::new(SOURCE).join(file));
        let statement = statements.iter().find(|statement| statement.place == format!("{file} {name}")).unwrap();
        let plan = plan(&database, statement.on(engine)).await;
        assert!(plan.contains(&format!("{index} ")) || plan.contains(&format!("{index}\n")), "{name}: {plan}");
        for slow in ["Seq Scan", "Sort", "TEMP B-TREE"] {
            assert!(!plan.contains(slow), "{name}: {plan}");
        }
    }
}

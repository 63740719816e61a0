//! Scripts by hand and by `auth-system migrate`, in any order, twice, and at once.

use auth_service::db::{
    Db, Engine,
    dialect::Pair,
    migrate::{self, MigrateError, SCRIPTS, Schema, Script},
};
use rstest::rstest;

use crate::databases::{Database, SCRIPTS_FOLDER, postgres};

const ADD_THINGS: Script = Script {
    version: 2,
    name: "add_things",
    sql: Pair {
        postgres: "BEGIN; SELECT pg_advisory_xact_lock(7209034);
            CREATE TABLE IF NOT EXISTS things (id INTEGER PRIMARY KEY);
            INSERT INTO schema_migrations (version, name, applied_at) VALUES (2, 'add_things', now())
            ON CONFLICT DO NOTHING; COMMIT;",
        sqlite: "BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS things (id INTEGER PRIMARY KEY);
            INSERT INTO schema_migrations (version, name, applied_at) VALUES (2, 'add_things', 0)
            ON CONFLICT DO NOTHING; COMMIT;",
    },
};

const FAIL_HALFWAY: Script = Script {
    version: 2,
    name: "fail_halfway",
    sql: Pair {
        postgres: "BEGIN; CREATE TABLE things (id INTEGER PRIMARY KEY); INSERT INTO nowhere VALUES (1); COMMIT;",
        sqlite: "BEGIN IMMEDIATE; CREATE TABLE things (id INTEGER PRIMARY KEY); INSERT INTO nowhere VALUES (1); COMMIT;",
    },
};

/// The scripts of a later release.
fn with(script: Script) -> Vec<Script> {
    SCRIPTS.iter().copied().chain([script]).collect()
}

/// The deployment guide's two calls.
fn apply_by_psql(url: &str) {
    for script in ["init.sql", "migrations/001_add_performance_indexes.sql"] {
        postgres().psql(url, ["-f", &format!("{SCRIPTS_FOLDER}/{script}")]).unwrap();
    }
}

async fn assert_current(database: &Database, db: &Db) {
    assert_eq!(migrate::check(db, SCRIPTS).await.unwrap(), Schema::Current);
    let recorded = database.lines("SELECT name FROM schema_migrations ORDER BY version").await;
    assert_eq!(recorded, ["init", "add_performance_indexes"]);
    let unchecked = database.lines("SELECT name FROM schema_migrations WHERE checksum IS NULL").await;
    assert_eq!(unchecked, Vec::<String>::new(), "checksums are filled in");
}

#[tokio::test]
async fn a_database_made_by_psql_alone_is_current() {
    let database = Database::empty(Engine::Postgres);
    apply_by_psql(database.url());
    let db = database.open();
    assert_eq!(migrate::check(&db, SCRIPTS).await.unwrap(), Schema::Current);
    assert_eq!(migrate::apply(&db, SCRIPTS).await.unwrap(), Vec::<i32>::new());
    assert_current(&database, &db).await;
}

#[tokio::test]
async fn psql_after_migrate_changes_nothing_however_often() {
    let database = Database::empty(Engine::Postgres);
    let db = database.open();
    assert_eq!(migrate::apply(&db, SCRIPTS).await.unwrap(), [0, 1]);
    apply_by_psql(database.url());
    apply_by_psql(database.url());
    assert_current(&database, &db).await;
    assert_eq!(migrate::apply(&db, SCRIPTS).await.unwrap(), Vec::<i32>::new());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_at_once_end_current(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let database = Database::empty(engine);
    let mut appliers = Vec::new();
    for number in 0..8 {
        let (db, url) = (database.open(), database.url().to_owned());
        appliers.push(tokio::spawn(async move {
            match engine {
                Engine::Postgres if number % 2 == 0 => {
                    tokio::task::spawn_blocking(move || apply_by_psql(&url)).await.unwrap();
                }
                Engine::Postgres | Engine::Sqlite => drop(migrate::apply(&db, SCRIPTS).await.unwrap()),
            }
        }));
    }
    for applier in appliers {
        applier.await.unwrap();
    }
    let db = database.open();
    migrate::apply(&db, SCRIPTS).await.unwrap();
    assert_current(&database, &db).await;
}

#[rstest]
#[tokio::test]
async fn a_later_script_is_missed_then_applied_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let database = Database::empty(engine);
    let (db, scripts) = (database.open(), with(ADD_THINGS));
    migrate::apply(&db, SCRIPTS).await.unwrap();
    let behind = migrate::check(&db, &scripts).await.unwrap();
    assert_eq!(behind.to_string(), "the schema is behind: run `auth-system migrate` to apply [002]");
    assert_eq!(migrate::apply(&db, &scripts).await.unwrap(), [2]);
    assert_eq!(migrate::apply(&db, &scripts).await.unwrap(), Vec::<i32>::new());
    assert_eq!(migrate::check(&db, &scripts).await.unwrap(), Schema::Current);
    database.run("INSERT INTO things (id) VALUES (1)").await;
    let refused = migrate::apply(&db, SCRIPTS).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Newer(2)), "{refused}");
    assert!(refused.to_string().contains("start a newer auth-system"), "{refused}");
    assert!(migrate::check(&db, SCRIPTS).await.is_err());
}

#[rstest]
#[tokio::test]
async fn a_script_applied_with_other_contents_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let database = Database::empty(engine);
    let db = database.open();
    migrate::apply(&db, &with(ADD_THINGS)).await.unwrap();
    let refused = migrate::apply(&db, &with(FAIL_HALFWAY)).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Changed(2)), "{refused}");
    assert!(refused.to_string().contains("another build"), "{refused}");
}

#[rstest]
#[tokio::test]
async fn a_script_that_fails_leaves_nothing_half_done(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let database = Database::empty(engine);
    let db = database.open();
    migrate::apply(&db, SCRIPTS).await.unwrap();
    let failed = migrate::apply(&db, &with(FAIL_HALFWAY)).await.unwrap_err().to_string();
    assert!(failed.contains("nowhere"), "{failed}");
    assert!(database.connect().await.run("SELECT * FROM things").await.is_err(), "the table was rolled back");
    // By the same connections: none of them is left in the failed transaction.
    assert_eq!(migrate::apply(&db, &with(ADD_THINGS)).await.unwrap(), [2]);
    database.run("INSERT INTO things (id) VALUES (1)").await;
}

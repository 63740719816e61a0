//! Where connections lead, and how they are set.

use auth_service::db::{Db, Engine};
use futures_util::FutureExt;
use service_kit::config::Secret;

use crate::databases::Database;

#[tokio::test]
async fn only_what_may_lag_is_read_from_the_replica() {
    let (primary, replica) = (Database::empty(Engine::Postgres), Database::empty(Engine::Postgres));
    let mut config = primary.config();
    config.replica_url = Some(Secret::new(replica.url()));
    let db = Db::open(&config, None).unwrap();
    db.read_replica().await.unwrap().run_script("CREATE TABLE came_to_read_replica ()").await.unwrap();
    db.read().await.unwrap().run_script("CREATE TABLE came_to_read ()").await.unwrap();
    db.write().await.unwrap().run_script("CREATE TABLE came_to_write ()").await.unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.run_script("CREATE TABLE came_to_begin ()").await.unwrap();
    tx.commit().await.unwrap();
    let tables = "SELECT relname::text FROM pg_class WHERE relname LIKE 'came%' ORDER BY 1";
    assert_eq!(primary.lines(tables).await, ["came_to_begin", "came_to_read", "came_to_write"]);
    assert_eq!(replica.lines(tables).await, ["came_to_read_replica"]);
}

#[tokio::test]
async fn without_a_replica_the_primary_serves_everything() {
    let primary = Database::empty(Engine::Postgres);
    primary.open().read_replica().await.unwrap().run_script("CREATE TABLE came_here ()").await.unwrap();
    assert_eq!(primary.lines("SELECT relname::text FROM pg_class WHERE relname = 'came_here'").await.len(), 1);
}

#[tokio::test]
async fn sqlite_writes_survive_the_loss_of_power() {
    let database = Database::empty(Engine::Sqlite);
    // Settings belong to a connection, so it is the service's own that tells them.
    let tell = "CREATE TABLE settings AS SELECT s.synchronous || ' ' || j.journal_mode || ' ' || f.foreign_keys AS line
        FROM pragma_synchronous AS s, pragma_journal_mode AS j, pragma_foreign_keys AS f";
    database.open().write().await.unwrap().run_script(tell).await.unwrap();
    assert_eq!(database.lines("SELECT line FROM settings").await, ["2 wal 1"], "FULL, WAL, enforced");
}

#[tokio::test]
async fn sqlite_readers_cannot_write() {
    let database = Database::empty(Engine::Sqlite);
    let db = database.open();
    db.write().await.unwrap().run_script("CREATE TABLE things (id INTEGER)").await.unwrap();
    let refused = db.read().await.unwrap().run_script("INSERT INTO things VALUES (1)").await.unwrap_err().to_string();
    assert!(refused.contains("readonly"), "{refused}");
}

#[tokio::test]
async fn a_transaction_that_is_dropped_is_rolled_back() {
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let database = Database::empty(engine);
        let db = database.open();
        db.write().await.unwrap().run_script("CREATE TABLE things (name TEXT)").await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.run_script("INSERT INTO things VALUES ('dropped')").await.unwrap();
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        tx.run_script("INSERT INTO things VALUES ('kept')").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(database.lines("SELECT name FROM things").await, ["kept"], "{engine:?}");
    }
}

#[tokio::test]
async fn a_caller_who_leaves_while_a_transaction_begins_leaves_none_behind() {
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let database = Database::empty(engine);
        let db = database.open();
        db.write().await.unwrap().run_script("CREATE TABLE things (name TEXT)").await.unwrap();
        // Sent, and mostly not yet answered.
        drop(db.begin().now_or_never());
        db.write().await.unwrap().run_script("INSERT INTO things VALUES ('kept')").await.unwrap();
        assert_eq!(database.lines("SELECT name FROM things").await, ["kept"], "{engine:?}");
        db.begin().await.unwrap().commit().await.unwrap();
    }
}

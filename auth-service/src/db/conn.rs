//! A leased connection, the transaction on it, and the one macro that runs a statement on either engine.

use std::time::Duration;

use deadpool::managed::{Object, Pool};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, SqliteConnection};
use tokio::time::error::Elapsed;

use super::{
    DbError, Engine, dialect,
    pool::{Maker, PATIENCE},
};

/// The longest wait for a rollback in the background before the connection is given up.
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(1);

/// A connection of either engine, in a transaction or not.
pub enum Conn {
    /// On PostgreSQL.
    Postgres(Lease<PgConnection>),
    /// On SQLite.
    Sqlite(Lease<SqliteConnection>),
}

impl Conn {
    /// The engine behind it.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Postgres(_) => Engine::Postgres,
            Self::Sqlite(_) => Engine::Sqlite,
        }
    }

    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        let sql = dialect::BEGIN.on(self.engine());
        match self {
            Self::Postgres(lease) => lease.begin(sql).await,
            Self::Sqlite(lease) => lease.begin(sql).await,
        }
    }

    /// Makes the transaction durable. Without it everything since `begin` is rolled back.
    ///
    /// # Errors
    /// When the commit did not happen, or, after a lost connection, may not have happened.
    pub async fn commit(self) -> Result<(), DbError> {
        match self {
            Self::Postgres(lease) => lease.commit().await,
            Self::Sqlite(lease) => lease.commit().await,
        }
    }

    /// The same, however long it takes: for transactions that changed whole tables, all of which may now be written.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub async fn commit_unhurried(self) -> Result<(), DbError> {
        match self {
            Self::Postgres(lease) => lease.commit_unhurried().await,
            Self::Sqlite(lease) => lease.commit_unhurried().await,
        }
    }

    /// Runs a script of several statements.
    ///
    /// # Errors
    /// Of the first statement that failed.
    pub async fn run_script(&mut self, script: &'static str) -> Result<(), DbError> {
        match self {
            Self::Postgres(lease) => lease.run_script(script).await,
            Self::Sqlite(lease) => lease.run_script(script).await,
        }
    }
}

/// Runs one SQL text with binds on whichever engine `conn` is: `run!(conn, fetch_optional, FIND, id)`.
///
/// Verbs: `execute` gives the number of rows touched; `fetch_optional`, `fetch_one` and `fetch_all` give rows of the
/// type that is expected, by `FromRow`.
macro_rules! run {
    ($conn:expr, execute, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $conn {
            $crate::db::Conn::Postgres(lease) => {
                let running = sqlx::query($sql)$(.bind($bind))*.execute(lease.get());
                let outcome = $crate::db::limit(running).await;
                lease.settle(outcome).map(|done| done.rows_affected())
            }
            $crate::db::Conn::Sqlite(lease) => {
                let running = sqlx::query($sql)$(.bind($bind))*.execute(lease.get());
                let outcome = $crate::db::limit(running).await;
                lease.settle(outcome).map(|done| done.rows_affected())
            }
        }
    };
    ($conn:expr, $fetch:ident, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $conn {
            $crate::db::Conn::Postgres(lease) => {
                let running = sqlx::query_as($sql)$(.bind($bind))*.$fetch(lease.get());
                let outcome = $crate::db::limit(running).await;
                lease.settle(outcome)
            }
            $crate::db::Conn::Sqlite(lease) => {
                let running = sqlx::query_as($sql)$(.bind($bind))*.$fetch(lease.get());
                let outcome = $crate::db::limit(running).await;
                lease.settle(outcome)
            }
        }
    };
}
pub(crate) use run;

/// Bounds one statement.
pub(crate) async fn limit<T>(running: impl Future<Output = T>) -> Result<T, Elapsed> {
    tokio::time::timeout(PATIENCE, running).await
}

/// A connection of either driver.
pub trait Leasable: Connection<Options: ConnectOptions<Connection = Self>> + Sync + 'static {
    /// Runs statements that have no binds and whose rows nobody wants.
    fn run_raw(&mut self, sql: &'static str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

impl Leasable for PgConnection {
    async fn run_raw(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        self.execute(sqlx::raw_sql(sql)).await.map(drop)
    }
}

impl Leasable for SqliteConnection {
    async fn run_raw(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        self.execute(sqlx::raw_sql(sql)).await.map(drop)
    }
}

/// A connection out of its pool. It goes back when dropped, unless a statement on it was cut short.
pub struct Lease<C: Leasable> {
    /// Taken by `drop` alone.
    object: Option<Object<Maker<C>>>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Clean,
    InTransaction,
    Broken,
}

impl<C: Leasable> Lease<C> {
    pub(super) const fn new(object: Object<Maker<C>>) -> Self {
        Self { object: Some(object), state: State::Clean }
    }

    /// The connection itself.
    pub(crate) fn get(&mut self) -> &mut C {
        match &mut self.object {
            Some(object) => object,
            None => unreachable!("the connection is taken by drop alone"),
        }
    }

    /// Turns the end of a statement into ours, and gives the connection up if it cannot be trusted any more.
    pub(crate) fn settle<T>(&mut self, outcome: Result<Result<T, sqlx::Error>, Elapsed>) -> Result<T, DbError> {
        let outcome = match outcome {
            Ok(done) => done.map_err(DbError::from),
            Err(_) => Err(DbError::Unavailable("a statement did not end in time".into())),
        };
        if matches!(outcome, Err(DbError::Unavailable(_))) {
            self.state = State::Broken;
        }
        outcome
    }

    /// Without a time limit, for scripts change whole tables. One that failed may have begun a transaction of its own,
    /// which ends with the connection.
    async fn run_script(&mut self, script: &'static str) -> Result<(), DbError> {
        let outcome = self.get().run_raw(script).await;
        if outcome.is_err() {
            self.state = State::Broken;
        }
        Ok(outcome?)
    }

    async fn begin(&mut self, sql: &'static str) -> Result<(), DbError> {
        // Before it is sent: the database begins one also for a caller that goes away while this waits.
        self.state = State::InTransaction;
        let outcome = limit(self.get().run_raw(sql)).await;
        self.settle(outcome)
    }

    async fn commit(mut self) -> Result<(), DbError> {
        let outcome = limit(self.get().run_raw("COMMIT")).await;
        self.settle(outcome)?;
        self.state = State::Clean;
        Ok(())
    }

    async fn commit_unhurried(mut self) -> Result<(), DbError> {
        self.run_script("COMMIT").await?;
        self.state = State::Clean;
        Ok(())
    }
}

impl<C: Leasable> Drop for Lease<C> {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else { return };
        match self.state {
            State::Clean => drop(object),
            State::Broken => give_up(object),
            State::InTransaction => {
                tokio::spawn(async move {
                    let done = tokio::time::timeout(ROLLBACK_PATIENCE, object.run_raw("ROLLBACK")).await;
                    if !matches!(done, Ok(Ok(()))) {
                        give_up(object);
                    }
                });
            }
        }
    }
}

/// Closes a connection, and the idle ones of its pool with it: what broke one broke all, and a caller should not have
/// to find that out once per connection.
fn give_up<C: Leasable>(object: Object<Maker<C>>) {
    let pool: Option<Pool<Maker<C>>> = Object::pool(&object);
    drop(Object::take(object));
    if let Some(pool) = pool {
        pool.retain(|_, _| false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;
    use crate::db::{Db, DbConfig};

    /// A transaction whose commit takes until the sender is gone.
    async fn begin_slow(db: &Db) -> (Conn, Sender<()>) {
        let mut tx = db.begin().await.unwrap();
        tx.run_script("CREATE TABLE IF NOT EXISTS things (name TEXT); INSERT INTO things VALUES ('one')")
            .await
            .unwrap();
        let (done, waits) = channel();
        let Conn::Sqlite(lease) = &mut tx else { unreachable!("it is SQLite") };
        lease.get().lock_handle().await.unwrap().set_commit_hook(move || waits.recv().is_err());
        (tx, done)
    }

    #[tokio::test]
    async fn a_commit_of_whole_tables_may_take_longer_than_any_of_a_request() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().to_owned();
        let config = DbConfig { primary_url: None, replica_url: None, pool_max_size: 1, data_dir, auto_migrate: false };
        let db = Db::open(&config, None).unwrap();
        let (unhurried, done) = begin_slow(&db).await;
        tokio::time::pause();
        let committing = tokio::spawn(unhurried.commit_unhurried());
        tokio::time::advance(PATIENCE * 10).await;
        assert!(!committing.is_finished());
        drop(done);
        committing.await.unwrap().unwrap();
        tokio::time::resume();
        let (hurried, done) = begin_slow(&db).await;
        tokio::time::pause();
        let given_up = hurried.commit().await;
        drop(done);
        assert!(matches!(given_up, Err(DbError::Unavailable(_))), "{given_up:?}");
    }
}

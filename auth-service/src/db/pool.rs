//! Connections: a bounded pool per engine and role, and the time limits that hold for every use of them.

use std::{os::unix::fs::DirBuilderExt, sync::Arc, time::Duration};

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleResult};
use sqlx::{
    ConnectOptions, Connection, PgConnection, SqliteConnection,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    Conn, DbConfig, DbError,
    conn::{Leasable, Lease},
    folder_lock::FolderLock,
};

/// The longest wait for a connection, and the longest run of one statement: past it the answer is 503.
pub(super) const PATIENCE: Duration = Duration::from_millis(1_800);
/// Connections that read an SQLite file beside its one writer.
const SQLITE_READERS: usize = 4;

/// Which engine a database runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL 14 or later.
    Postgres,
    /// The embedded SQLite.
    Sqlite,
}

impl Engine {
    /// Its name in names of files and in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

/// The database of an instance, cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Pools>);

enum Pools {
    Postgres { primary: Pool<Maker<PgConnection>>, replica: Option<Pool<Maker<PgConnection>>> },
    Sqlite { writer: Pool<Maker<SqliteConnection>>, readers: Pool<Maker<SqliteConnection>>, _presence: FolderLock },
}

impl Db {
    /// Sets up the pools; the first connection is made when it is first needed.
    ///
    /// # Errors
    /// When a URL cannot be read, or the folder of the SQLite file cannot be made.
    pub fn open(config: &DbConfig, extra_roots: Option<&[u8]>) -> Result<Self, DbError> {
        let pools = match &config.primary_url {
            Some(url) => Pools::Postgres {
                primary: pool(Maker(postgres_options(url.expose(), extra_roots)?), config.pool_max_size)?,
                replica: match &config.replica_url {
                    Some(url) => Some(pool(Maker(postgres_options(url.expose(), extra_roots)?), config.pool_max_size)?),
                    None => None,
                },
            },
            None => {
                let options = sqlite_options(config)?;
                Pools::Sqlite {
                    writer: pool(Maker(options.clone()), 1)?,
                    readers: pool(Maker(options.pragma("query_only", "ON")), SQLITE_READERS)?,
                    // After the folder is there.
                    _presence: FolderLock::shared(&config.data_dir)?,
                }
            }
        };
        Ok(Self(Arc::new(pools)))
    }

    /// The engine this database runs on.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match &*self.0 {
            Pools::Postgres { .. } => Engine::Postgres,
            Pools::Sqlite { .. } => Engine::Sqlite,
        }
    }

    /// A connection to read by, on the primary: what it returns may decide.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when none can be had in time.
    pub async fn read(&self) -> Result<Conn, DbError> {
        match &*self.0 {
            Pools::Postgres { primary, .. } => lease(primary).await.map(Conn::Postgres),
            Pools::Sqlite { readers, .. } => lease(readers).await.map(Conn::Sqlite),
        }
    }

    /// A connection for lists and reports that may lag: the replica where there is one.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when none can be had in time.
    pub async fn read_replica(&self) -> Result<Conn, DbError> {
        match &*self.0 {
            Pools::Postgres { replica: Some(replica), .. } => lease(replica).await.map(Conn::Postgres),
            Pools::Postgres { replica: None, .. } | Pools::Sqlite { .. } => self.read().await,
        }
    }

    /// A connection to run one statement by that writes and commits by itself.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when none can be had in time.
    pub async fn write(&self) -> Result<Conn, DbError> {
        match &*self.0 {
            Pools::Postgres { primary, .. } => lease(primary).await.map(Conn::Postgres),
            Pools::Sqlite { writer, .. } => lease(writer).await.map(Conn::Sqlite),
        }
    }

    /// A transaction: rolled back unless [`Conn::commit`] is called.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when no connection can be had in time.
    pub async fn begin(&self) -> Result<Conn, DbError> {
        let mut conn = self.write().await?;
        conn.begin().await?;
        Ok(conn)
    }

    /// The most connections to the primary, or of the writer.
    #[must_use]
    pub fn capacity(&self) -> usize {
        match &*self.0 {
            Pools::Postgres { primary, .. } => primary.status().max_size,
            Pools::Sqlite { writer, .. } => writer.status().max_size,
        }
    }

    /// Connections of the primary or the writer: open, of which idle.
    #[must_use]
    pub fn usage(&self) -> (usize, usize) {
        let status = match &*self.0 {
            Pools::Postgres { primary, .. } => primary.status(),
            Pools::Sqlite { writer, .. } => writer.status(),
        };
        (status.size, status.available)
    }
}

/// Makes connections of one kind.
#[derive(Debug)]
pub(super) struct Maker<C: Connection>(C::Options);

impl<C: Leasable> Manager for Maker<C> {
    type Type = C;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<C, sqlx::Error> {
        self.0.connect().await
    }

    /// Nothing to do: a lease that failed never comes back, and takes the idle ones with it.
    async fn recycle(&self, _: &mut C, _: &Metrics) -> RecycleResult<sqlx::Error> {
        Ok(())
    }
}

fn pool<C: Leasable>(maker: Maker<C>, size: usize) -> Result<Pool<Maker<C>>, DbError> {
    // Lifo: a burst's connections grow old unused and can be seen in the metrics, the rest stay warm.
    let pool = Pool::builder(maker).max_size(size).queue_mode(QueueMode::Lifo).build();
    pool.map_err(|cause| DbError::Unavailable(cause.to_string().into()))
}

async fn lease<C: Leasable>(pool: &Pool<Maker<C>>) -> Result<Lease<C>, DbError> {
    let object: Object<Maker<C>> = match tokio::time::timeout(PATIENCE, pool.get()).await {
        Ok(Ok(object)) => object,
        Ok(Err(PoolError::Backend(cause))) => return Err(DbError::Unavailable(cause.to_string().into())),
        Ok(Err(cause)) => return Err(DbError::Unavailable(cause.to_string().into())),
        Err(_) => return Err(DbError::Unavailable("no connection in time".into())),
    };
    Ok(Lease::new(object))
}

fn postgres_options(url: &str, extra_roots: Option<&[u8]>) -> Result<PgConnectOptions, DbError> {
    let options: PgConnectOptions = url.parse().map_err(DbError::Statement)?;
    let options = match extra_roots {
        // `sslrootcert` in the address says more, so it goes first.
        Some(pem) if !url.contains("sslrootcert=") => options.ssl_root_cert_from_pem(pem.to_vec()),
        Some(_) | None => options,
    };
    Ok(options.application_name("auth-system").disable_statement_logging())
}

fn sqlite_options(config: &DbConfig) -> Result<SqliteConnectOptions, DbError> {
    let cannot = |cause: std::io::Error| {
        DbError::Unavailable(format!("DATA_DIR {} cannot be made: {cause}", config.data_dir.display()).into())
    };
    // Its owner's alone: password hashes and sealed keys are in it.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir).map_err(cannot)?;
    Ok(SqliteConnectOptions::new()
        .filename(config.data_dir.join("auth.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged write survives the loss of power, not only of the process.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging())
}

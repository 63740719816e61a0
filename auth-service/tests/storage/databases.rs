//! Databases of a test's own, and a look into them behind the service's back.

use std::path::PathBuf;

use auth_service::db::{Db, DbConfig, Engine};
use service_kit::config::Secret;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection, raw_sql, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use test_peers::Postgres;

/// Where the scripts are.
pub const SCRIPTS_FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");

/// An empty database.
pub struct Database {
    pub engine: Engine,
    folder: TempDir,
    /// Of PostgreSQL.
    url: String,
}

/// A connection of either engine.
pub enum Raw {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

pub fn postgres() -> &'static Postgres {
    Postgres::shared().unwrap_or_else(|error| panic!("{error}"))
}

impl Database {
    pub fn empty(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => Self::at(postgres().create_database().unwrap()),
            Engine::Sqlite => Self { engine, folder: tempfile::tempdir().unwrap(), url: String::new() },
        }
    }

    /// A database of some PostgreSQL server.
    pub fn at(url: String) -> Self {
        Self { engine: Engine::Postgres, folder: tempfile::tempdir().unwrap(), url }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn config(&self) -> DbConfig {
        DbConfig {
            primary_url: (self.engine == Engine::Postgres).then(|| Secret::new(self.url.as_str())),
            replica_url: None,
            pool_max_size: 5,
            data_dir: self.folder.path().to_owned(),
            auto_migrate: false,
        }
    }

    /// One more process's way to it.
    pub fn open(&self) -> Db {
        Db::open(&self.config(), None).unwrap()
    }

    /// The SQLite file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("auth.db")
    }

    pub async fn connect(&self) -> Raw {
        match self.engine {
            Engine::Postgres => Raw::Postgres(PgConnection::connect(&self.url).await.unwrap()),
            Engine::Sqlite => {
                let options = SqliteConnectOptions::new().filename(self.file());
                Raw::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
            }
        }
    }

    /// The one text column of every row.
    pub async fn lines(&self, sql: &str) -> Vec<String> {
        let query = AssertSqlSafe(sql.to_owned());
        let rows: Vec<(String,)> = match self.connect().await {
            Raw::Postgres(mut conn) => sqlx::query_as(query).fetch_all(&mut conn).await.unwrap(),
            Raw::Sqlite(mut conn) => sqlx::query_as(query).fetch_all(&mut conn).await.unwrap(),
        };
        rows.into_iter().map(|(line,)| line).collect()
    }

    /// Runs the script that this engine takes.
    pub async fn run(&self, sql: &str) {
        self.connect().await.run(sql).await.unwrap();
    }
}

impl Raw {
    /// Runs statements whose rows nobody wants.
    pub async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let script = raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Postgres(conn) => script.execute(conn).await.map(drop),
            Self::Sqlite(conn) => script.execute(conn).await.map(drop),
        }
    }
}

//! Looks into a deployment's database behind the service's back, by SQL that both engines read alike.

use std::path::Path;

use sqlx::{
    AssertSqlSafe, Connection, FromRow, PgConnection, SqliteConnection,
    postgres::PgRow,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use crate::support::{Deployment, Engine};

impl Deployment {
    /// The first column of every row.
    pub async fn column<T>(&self, sql: &str) -> Vec<T>
    where
        (T,): for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let query = AssertSqlSafe(sql.to_owned());
        let rows: Vec<(T,)> = match self.engine {
            Engine::Postgres => sqlx::query_as(query).fetch_all(&mut self.connect_postgres().await).await.unwrap(),
            Engine::Sqlite => sqlx::query_as(query).fetch_all(&mut self.connect_sqlite().await).await.unwrap(),
        };
        rows.into_iter().map(|(value,)| value).collect()
    }

    /// The number that a query answers.
    pub async fn number(&self, sql: &str) -> i64 {
        self.column(sql).await[0]
    }

    /// Changes what is stored; says how many rows.
    pub async fn change(&self, sql: &str) -> u64 {
        let query = AssertSqlSafe(sql.to_owned());
        match self.engine {
            Engine::Postgres => {
                let done = sqlx::query(query).execute(&mut self.connect_postgres().await).await;
                done.unwrap().rows_affected()
            }
            Engine::Sqlite => {
                let done = sqlx::query(query).execute(&mut self.connect_sqlite().await).await;
                done.unwrap().rows_affected()
            }
        }
    }

    async fn connect_postgres(&self) -> PgConnection {
        PgConnection::connect(self.get("DB_PRIMARY_DB_URL")).await.unwrap()
    }

    async fn connect_sqlite(&self) -> SqliteConnection {
        let file = Path::new(self.get("DATA_DIR")).join("auth.db");
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap()
    }
}

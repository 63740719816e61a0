//! Statements put together from fixed pieces, for lists whose filters and order are chosen at run time, and for rows of
//! any table.
//!
//! The only place that runs SQL which is not a constant: pieces are `&'static str`, and values are binds.

use sqlx::{AssertSqlSafe, FromRow, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use super::{Conn, DbError, Ts, limit};

/// A value in a statement.
#[derive(Clone, Debug)]
pub enum Bind {
    /// A text.
    Text(String),
    /// An instant.
    Time(Ts),
    /// An id.
    Id(Uuid),
    /// A number.
    Number(i64),
}

/// A statement that grows piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    sql: String,
    binds: Vec<Bind>,
}

impl Statement {
    /// Begins with this text.
    #[must_use]
    pub fn new(sql: &'static str) -> Self {
        Self { sql: sql.to_owned(), binds: Vec::new() }
    }

    /// Adds a text.
    pub fn push(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a value.
    pub fn bind(&mut self, value: Bind) -> &mut Self {
        self.binds.push(value);
        self.sql.push_str(&format!("${}", self.binds.len()));
        self
    }

    /// Adds a list of values in parentheses; an empty one holds nothing.
    pub fn bind_all(&mut self, values: impl IntoIterator<Item = Bind>) -> &mut Self {
        let mut separator = "(";
        for value in values {
            self.push(separator).bind(value);
            separator = ", ";
        }
        self.push(if separator == "(" { "(NULL)" } else { ")" })
    }

    /// Runs it for what it changes; says how many rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn execute(&self, conn: &mut Conn) -> Result<u64, DbError> {
        let sql = AssertSqlSafe(self.sql.clone());
        match conn {
            Conn::Postgres(lease) => {
                let query = self.binds.iter().fold(sqlx::query(sql), |query, bind| match bind {
                    Bind::Text(text) => query.bind(text),
                    Bind::Time(time) => query.bind(time),
                    Bind::Id(id) => query.bind(id),
                    Bind::Number(number) => query.bind(number),
                });
                let outcome = limit(query.execute(lease.get())).await;
                lease.settle(outcome).map(|done| done.rows_affected())
            }
            Conn::Sqlite(lease) => {
                let query = self.binds.iter().fold(sqlx::query(sql), |query, bind| match bind {
                    Bind::Text(text) => query.bind(text),
                    Bind::Time(time) => query.bind(time),
                    Bind::Id(id) => query.bind(id),
                    Bind::Number(number) => query.bind(number),
                });
                let outcome = limit(query.execute(lease.get())).await;
                lease.settle(outcome).map(|done| done.rows_affected())
            }
        }
    }

    /// Runs it for what it finds.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fetch_all<T>(&self, conn: &mut Conn) -> Result<Vec<T>, DbError>
    where
        T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let sql = AssertSqlSafe(self.sql.clone());
        match conn {
            Conn::Postgres(lease) => {
                // Planned for the values at hand: a plan for any values would suit none of them.
                let query = self.binds.iter().fold(sqlx::query_as(sql).persistent(false), |query, bind| match bind {
                    Bind::Text(text) => query.bind(text),
                    Bind::Time(time) => query.bind(time),
                    Bind::Id(id) => query.bind(id),
                    Bind::Number(number) => query.bind(number),
                });
                let outcome = limit(query.fetch_all(lease.get())).await;
                lease.settle(outcome)
            }
            Conn::Sqlite(lease) => {
                let query = self.binds.iter().fold(sqlx::query_as(sql), |query, bind| match bind {
                    Bind::Text(text) => query.bind(text),
                    Bind::Time(time) => query.bind(time),
                    Bind::Id(id) => query.bind(id),
                    Bind::Number(number) => query.bind(number),
                });
                let outcome = limit(query.fetch_all(lease.get())).await;
                lease.settle(outcome)
            }
        }
    }
}

//! Many rows of a table in one statement, given as one JSON array: a bind per value takes longer to send than to store.

use serde::Serialize;

use super::{Bind, Conn, DbError, Engine, Statement};

/// What a column holds, and how its JSON says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// An id, as UUIDs are written.
    Id,
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// An instant, in microseconds since 1970.
    Time,
    /// True or false.
    Flag,
    /// Bytes, in hexadecimal.
    Bytes,
}

/// A table, and those of its columns that are filled.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns, each a member of a row.
    pub columns: &'static [(&'static str, Column)],
}

impl Table {
    /// Adds rows, each an object that has a member per column; says how many. Everything or nothing.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when a unique value is taken; when the database fails.
    pub async fn insert<R: Serialize + Sync>(&self, conn: &mut Conn, rows: &[R]) -> Result<u64, DbError> {
        if rows.is_empty() {
            return Ok(0);
        }
        // Rows are texts, numbers and flags, which always serialise.
        let rows = Bind::Text(serde_json::to_string(rows).unwrap_or_default());
        let statement = match conn.engine() {
            Engine::Postgres => self.on_postgres(rows),
            Engine::Sqlite => self.on_sqlite(rows),
        };
        statement.execute(conn).await
    }

    fn on_postgres(&self, rows: Bind) -> Statement {
        let mut statement = self.begin();
        for (place, (name, column)) in self.columns.iter().enumerate() {
            let [before, after] = match column {
                Column::Id | Column::Text | Column::Number | Column::Flag => ["", ""],
                Column::Time => ["'epoch'::timestamptz + ", " * INTERVAL '1 microsecond'"],
                Column::Bytes => ["decode(", ", 'hex')"],
            };
            statement.push(separator(place)).push(before).push("one.").push(name).push(after);
        }
        statement.push(" FROM json_to_recordset(").bind(rows).push("::json) AS one (");
        for (place, (name, column)) in self.columns.iter().enumerate() {
            let kind = match column {
                Column::Id => " uuid",
                Column::Text | Column::Bytes => " text",
                Column::Number | Column::Time => " bigint",
                Column::Flag => " boolean",
            };
            statement.push(separator(place)).push(name).push(kind);
        }
        statement.push(")");
        statement
    }

    fn on_sqlite(&self, rows: Bind) -> Statement {
        let mut statement = self.begin();
        for (place, (name, column)) in self.columns.iter().enumerate() {
            let [before, after] = match column {
                Column::Text | Column::Number | Column::Time | Column::Flag => ["value ->> '", "'"],
                Column::Id => ["unhex(value ->> '", "', '-')"],
                Column::Bytes => ["unhex(value ->> '", "')"],
            };
            statement.push(separator(place)).push(before).push(name).push(after);
        }
        statement.push(" FROM json_each(").bind(rows).push(")");
        statement
    }

    fn begin(&self) -> Statement {
        let mut statement = Statement::new("INSERT INTO ");
        statement.push(self.name).push(" (");
        for (place, (name, _)) in self.columns.iter().enumerate() {
            statement.push(separator(place)).push(name);
        }
        statement.push(") SELECT ");
        statement
    }
}

const fn separator(place: usize) -> &'static str {
    if place == 0 { "" } else { ", " }
}

//! SQL about what is backed up.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Executor};

use crate::db::{Conn, DbError, dialect::Pair, migrate::SCRIPTS, run};

const COUNT: &str = "
    SELECT 'users' AS name, COUNT(*) AS total FROM users
    UNION ALL SELECT 'roles', COUNT(*) FROM roles
    UNION ALL SELECT 'user_roles', COUNT(*) FROM user_roles
    UNION ALL SELECT 'sessions', COUNT(*) FROM sessions
    UNION ALL SELECT 'refresh_tokens', COUNT(*) FROM refresh_tokens
    UNION ALL SELECT 'revocations', COUNT(*) FROM revocations
    UNION ALL SELECT 'api_keys', COUNT(*) FROM api_keys
    UNION ALL SELECT 'signing_keys', COUNT(*) FROM signing_keys
    UNION ALL SELECT 'audit_logs', COUNT(*) FROM audit_logs";

/// How many rows the main tables have, however long it takes.
pub async fn count(conn: &mut Conn) -> Result<BTreeMap<String, i64>, DbError> {
    let rows: Result<Vec<(String, i64)>, sqlx::Error> = match conn {
        Conn::Postgres(lease) => sqlx::query_as(COUNT).fetch_all(lease.get()).await,
        Conn::Sqlite(lease) => sqlx::query_as(COUNT).fetch_all(lease.get()).await,
    };
    Ok(rows?.into_iter().collect())
}

const FIND_VERSION: &str = "SELECT MAX(version) FROM schema_migrations";

/// The number of the newest script that is applied.
pub async fn find_version(conn: &mut Conn) -> Result<Option<i32>, DbError> {
    let (version,): (Option<i32>,) = run!(conn, fetch_one, FIND_VERSION)?;
    Ok(version)
}

const HAS_USERS: Pair = Pair {
    postgres: "SELECT COUNT(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('users')",
    sqlite: "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'users'",
};
const HAS_ACCOUNTS: &str = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM users LIMIT 1) AS first_account";

/// Whether the database has our tables.
pub async fn has_schema(conn: &mut Conn) -> Result<bool, DbError> {
    let sql = HAS_USERS.on(conn.engine());
    let (tables,): (i64,) = run!(conn, fetch_one, sql)?;
    Ok(tables > 0)
}

/// Whether the database holds accounts.
pub async fn has_accounts(conn: &mut Conn) -> Result<bool, DbError> {
    if !has_schema(conn).await? {
        return Ok(false);
    }
    let (accounts,): (i64,) = run!(conn, fetch_one, HAS_ACCOUNTS)?;
    Ok(accounts > 0)
}

/// The tables of every release up to this one.
pub fn tables() -> impl Iterator<Item = &'static str> {
    const MAKES: &str = "CREATE TABLE IF NOT EXISTS ";
    SCRIPTS
        .iter()
        .flat_map(|script| script.sql.postgres.lines())
        .filter_map(|line| line.strip_prefix(MAKES)?.split([' ', '(']).next())
}

/// Runs statements whose only variable parts are numbers, however long they take.
pub async fn run_numbers(conn: &mut Conn, sql: String) -> Result<(), DbError> {
    let script = sqlx::raw_sql(AssertSqlSafe(sql));
    match conn {
        Conn::Postgres(lease) => lease.get().execute(script).await.map(drop)?,
        Conn::Sqlite(lease) => lease.get().execute(script).await.map(drop)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_those_of_the_schema() {
        let tables: Vec<_> = tables().collect();
        assert!(
            ["schema_migrations", "users", "signing_keys", "revocations"].iter().all(|known| tables.contains(known))
        );
        assert!(
            tables.len() > 20 && tables.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        );
    }
}

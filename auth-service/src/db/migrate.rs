//! Brings a database up to date: the scripts that an operator may also run by hand, applied once each and in order.
//!
//! Every script is safe to run twice, takes the advisory lock (PostgreSQL) or the write lock (SQLite) in its own
//! transaction, and records its number itself, so `psql -f` and this runner may come in any order, or at once.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

use super::{Conn, Db, DbError, Engine, dialect, refuse_while_restored, run};

/// One numbered script, with its text for each engine.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    /// 0 for the baseline, then without gaps.
    pub version: i32,
    /// The part of the file's name after the number.
    pub name: &'static str,
    /// The text for each engine.
    pub sql: dialect::Pair,
}

/// The scripts of this release, oldest first.
pub const SCRIPTS: &[Script] = &[
    Script {
        version: 0,
        name: "init",
        sql: dialect::Pair {
            postgres: include_str!("../../scripts/init.sql"),
            sqlite: include_str!("../../scripts/init.sqlite.sql"),
        },
    },
    Script {
        version: 1,
        name: "add_performance_indexes",
        sql: dialect::Pair {
            postgres: include_str!("../../scripts/migrations/001_add_performance_indexes.sql"),
            sqlite: include_str!("../../scripts/migrations/001_add_performance_indexes.sqlite.sql"),
        },
    },
];

/// A schema that cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A script that was applied is not the one of this release.
    #[error("script {0:03} was applied with other contents: this database belongs to another build of auth-system")]
    Changed(i32),
    /// The database knows scripts that this release does not.
    #[error("the schema has script {0:03}, which this release does not know: start a newer auth-system")]
    Newer(i32),
}

/// How a schema stands to this release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Every script is applied.
    Current,
    /// These scripts are missing.
    Behind(Vec<i32>),
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("the schema is current"),
            Self::Behind(missing) => {
                write!(f, "the schema is behind: run `auth-system migrate` to apply {missing:03?}")
            }
        }
    }
}

/// Compares the database with `scripts`, changing nothing.
///
/// # Errors
/// When the database fails, or holds scripts that are not of this release.
pub async fn check(db: &Db, scripts: &[Script]) -> Result<Schema, MigrateError> {
    let mut conn = db.read().await?;
    refuse_while_restored(&mut conn).await?;
    let applied = list_applied(&mut conn).await?;
    let missing = find_missing(&applied, scripts, db.engine())?;
    Ok(if missing.is_empty() { Schema::Current } else { Schema::Behind(missing.iter().map(|s| s.version).collect()) })
}

/// Applies what is missing and fills in the checksums of what was applied by hand; returns the versions applied.
///
/// # Errors
/// When the database fails, or holds scripts that are not of this release.
pub async fn apply(db: &Db, scripts: &[Script]) -> Result<Vec<i32>, MigrateError> {
    let mut conn = db.write().await?;
    refuse_while_restored(&mut conn).await?;
    let applied = list_applied(&mut conn).await?;
    let missing = find_missing(&applied, scripts, db.engine())?;
    for script in &missing {
        conn.run_script(script.sql.on(db.engine())).await?;
    }
    for script in scripts {
        fill_in_checksum(&mut conn, script.version, &checksum(script, db.engine())).await?;
    }
    Ok(missing.iter().map(|script| script.version).collect())
}

#[derive(sqlx::FromRow)]
struct Applied {
    version: i32,
    checksum: Option<String>,
}

const LIST_APPLIED: &str = "SELECT version, checksum FROM schema_migrations ORDER BY version";

async fn list_applied(conn: &mut Conn) -> Result<Vec<Applied>, DbError> {
    let sql = dialect::HAS_MIGRATIONS_TABLE.on(conn.engine());
    let (tables,): (i64,) = run!(conn, fetch_one, sql)?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    run!(conn, fetch_all, LIST_APPLIED)
}

const FILL_IN_CHECKSUM: &str = "UPDATE schema_migrations SET checksum = $2 WHERE version = $1 AND checksum IS NULL";

async fn fill_in_checksum(conn: &mut Conn, version: i32, checksum: &str) -> Result<(), DbError> {
    run!(conn, execute, FILL_IN_CHECKSUM, version, checksum).map(drop)
}

fn find_missing<'s>(
    applied: &[Applied],
    scripts: &'s [Script],
    engine: Engine,
) -> Result<Vec<&'s Script>, MigrateError> {
    if let Some(unknown) = applied.iter().find(|row| scripts.iter().all(|script| script.version != row.version)) {
        return Err(MigrateError::Newer(unknown.version));
    }
    let mut missing = Vec::new();
    for script in scripts {
        match applied.iter().find(|row| row.version == script.version) {
            None => missing.push(script),
            Some(Applied { checksum: Some(known), .. }) if *known != checksum(script, engine) => {
                return Err(MigrateError::Changed(script.version));
            }
            Some(_) => {}
        }
    }
    Ok(missing)
}

fn checksum(script: &Script, engine: Engine) -> String {
    HEXLOWER.encode(digest(&SHA256, script.sql.on(engine).as_bytes()).as_ref())
}

//! PostgreSQL: a dump of our tables in one snapshot, and their restore in one transaction.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek, Write},
    process::Stdio,
};

use super::{
    BackupError, Manifest, Over, Restoring, Sessions, archive::Archive, ending, programs::Programs, restore::record,
    store, take,
};
use crate::{
    config::Config,
    db::{
        Db, Engine, Ts,
        migrate::{self, MigrateError, SCRIPTS},
        run,
    },
};

/// As long as it is open, what it sees can be seen by others too.
const FREEZE: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const SNAPSHOT: &str = "SELECT pg_export_snapshot(), current_schema()::text, current_setting('server_version_num')";
const SCHEMA: &str = "SELECT current_schema()::text, current_setting('server_version_num')";
/// The name that servers give themselves, and that of the command at work here too.
const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE application_name = 'auth-system' AND datname = current_database() AND pid <> pg_backend_pid()";
/// The search's index needs it; a server that lacks it never had the index.
const EXTENSION: &str = "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; EXCEPTION WHEN OTHERS THEN NULL; END $$;";
/// Numbers of transactions of another server mean nothing here: every instance must see what is still revoked.
const RENUMBER: &str = "UPDATE revocations SET xact = pg_current_xact_id();";
const STOCK: &str = "ANALYZE";

/// Starts a dump of our tables, as they are in one snapshot.
pub async fn dump(db: &Db, config: &Config, now: Ts) -> Result<take::Contents, BackupError> {
    let mut conn = db.begin().await?;
    conn.run_script(FREEZE).await?;
    let (snapshot, schema, server): (String, String, String) = run!(&mut conn, fetch_one, SNAPSHOT)?;
    let major = Programs::require("pg_dump", major_of(&server))?;
    let described = take::describe(&mut conn, now).await?;
    let manifest = Manifest { pg_dump_major: Some(major), pg_schema: Some(schema.clone()), ..described };
    let programs = programs(config)?;
    let mut arguments =
        ["--format=custom", "--no-owner", "--no-privileges", "--no-password"].map(str::to_owned).to_vec();
    arguments.push(format!("--snapshot={snapshot}"));
    arguments.extend(store::tables().map(|table| format!("--table={}.{table}", quote(&schema))));
    let output = programs.start("pg_dump", &arguments, Stdio::null())?;
    let input = Box::new(Running { output, _programs: programs });
    Ok(take::Contents { input, manifest, snapshot: Some(conn) })
}

/// Puts the tables of a backup in the place of those that are there, in one transaction.
pub async fn restore(archive: Archive, restoring: &Restoring<'_>, now: Ts) -> Result<(), BackupError> {
    let manifest = archive.manifest().clone();
    let db = Db::open(&restoring.config.db, restoring.config.extra_roots.as_deref())?;
    let (schema, server) = examine(&db, restoring.over).await?;
    if manifest.pg_schema.as_deref().is_some_and(|of_backup| of_backup != schema) {
        return Err(BackupError::refused(format!(
            "the backup's tables lie in another schema than {schema}: set the role's search_path as it was"
        )));
    }
    Programs::require("psql", server)?;
    Programs::require("pg_restore", server.max(manifest.pg_dump_major.unwrap_or(0)))?;
    let life = restoring.config.sessions.access_token_life;
    let ending = match restoring.sessions {
        Sessions::End => ending::script(Engine::Postgres, life, now),
        Sessions::Keep => String::new(),
    };
    let script = Script { schema, server, over: restoring.over, ending, manifest: manifest.clone() };
    let programs = programs(restoring.config)?;
    let work = tokio::task::spawn_blocking(move || {
        let dump = unpack(archive)?;
        programs.run_script(|psql| script.write(psql, &programs, dump))
    });
    work.await.unwrap_or_else(|cause| Err(BackupError::Program(cause.to_string())))?;
    // What was open before may have been closed on the way meanwhile.
    drop(db);
    finish(restoring, &manifest, now).await.map_err(|cause| {
        BackupError::Program(format!("the database IS restored, but its audit log does not say so: {cause}"))
    })
}

async fn finish(restoring: &Restoring<'_>, manifest: &Manifest, now: Ts) -> Result<(), BackupError> {
    let db = Db::open(&restoring.config.db, restoring.config.extra_roots.as_deref())?;
    let mut tx = db.begin().await?;
    record(&mut tx, manifest, restoring.sessions, now).await?;
    tx.commit().await?;
    // Until then the planner knows nothing of what came; the server's own housekeeping takes stock too, only later.
    if let Err(cause) = store::run_numbers(&mut db.write().await?, STOCK.to_owned()).await {
        tracing::warn!(%cause, "searches are slow until the database has taken stock: run ANALYZE");
    }
    Ok(())
}

/// The schema that tables go to, and the server's major version; refuses what must not be touched.
async fn examine(db: &Db, over: Over) -> Result<(String, u32), BackupError> {
    let mut conn = db.write().await?;
    let (others,): (i64,) = run!(&mut conn, fetch_one, OTHERS)?;
    if others > 0 {
        return Err(BackupError::refused(format!(
            "{others} connections of auth-system to this database are open: stop every instance first"
        )));
    }
    let holds_accounts = store::has_accounts(&mut conn).await?;
    if holds_accounts && over == Over::Nothing {
        return Err(BackupError::refused(
            "the database holds accounts: to put the backup in their place, say --replace",
        ));
    }
    let (schema, server): (Option<String>, String) = run!(&mut conn, fetch_one, SCHEMA)?;
    drop(conn);
    match migrate::check(db, SCRIPTS).await {
        Err(newer @ MigrateError::Newer(_)) => return Err(newer.into()),
        Err(MigrateError::Db(cause)) => return Err(cause.into()),
        Ok(_) | Err(MigrateError::Changed(_)) => {}
    }
    let schema = schema.ok_or_else(|| BackupError::refused("the role has no schema of its search_path"))?;
    Ok((schema, major_of(&server)))
}

/// What psql is told.
struct Script {
    schema: String,
    /// The server's major version.
    server: u32,
    over: Over,
    ending: String,
    manifest: Manifest,
}

impl Script {
    fn write(&self, psql: &mut dyn Write, programs: &Programs, dump: File) -> Result<(), BackupError> {
        let lost = |cause: io::Error| BackupError::Program(format!("the restore was cut off: {cause}"));
        let schema = quote(&self.schema);
        let tables: Vec<String> = store::tables().map(|table| format!("{schema}.{table}")).collect();
        // In one statement and without CASCADE: whatever others have hung on our tables is not lost unnoticed.
        let before = format!(
            "SET client_min_messages = warning;\n{EXTENSION}\nBEGIN;\n{}\nDROP TABLE IF EXISTS {};\n",
            self.guard(),
            tables.join(", ")
        );
        psql.write_all(before.as_bytes()).map_err(lost)?;
        let arguments = ["--file=-", "--no-owner", "--no-privileges", "--exit-on-error"].map(str::to_owned);
        let output = programs.start("pg_restore", &arguments, Stdio::from(dump))?;
        copy_script(&mut BufReader::new(output), psql, self.server)
            .map_err(|cause| BackupError::Program(cause.to_string()))?;
        let after = format!("\nSET search_path = {schema};\n{}\n{RENUMBER}\n{}\nCOMMIT;\n", self.checks(), self.ending);
        psql.write_all(after.as_bytes()).map_err(lost)
    }

    /// Statements that fail where accounts came while the backup was being read, and none were to be lost.
    fn guard(&self) -> String {
        if self.over == Over::Accounts {
            return String::new();
        }
        let users = format!("{}.users", quote(&self.schema));
        format!(
            "DO $guard$ BEGIN IF to_regclass('{}') IS NOT NULL THEN LOCK TABLE {users}; IF EXISTS (SELECT 1 FROM {users}) THEN RAISE EXCEPTION 'accounts came meanwhile: stop every instance, and say --replace to lose them'; END IF; END IF; END $guard$;",
            users.replace('\'', "''")
        )
    }

    /// Statements that fail unless there are as many rows as there were.
    fn checks(&self) -> String {
        let check = |(table, rows): (&String, &i64)| {
            format!(
                "IF (SELECT COUNT(*) FROM {}) <> {rows} THEN RAISE EXCEPTION 'the backup cannot be used: not every row of {table} is in it'; END IF;",
                quote(table)
            )
        };
        // Names of tables that we know, and no others: they come from the backup.
        let known = |(table, _): &(&String, &i64)| store::tables().any(|known| known == table.as_str());
        let checks: String = self.manifest.rows.iter().filter(known).map(check).collect();
        format!("DO $$ BEGIN {checks} END $$;")
    }
}

/// Copies what pg_restore writes. From version 17 on it begins by setting what older servers do not know.
fn copy_script(script: &mut impl BufRead, out: &mut dyn Write, server: u32) -> io::Result<()> {
    let mut line = String::new();
    while script.read_line(&mut line)? > 0 {
        let is_unknown = server < 17 && line.starts_with("SET transaction_timeout");
        if !is_unknown {
            out.write_all(line.as_bytes())?;
        }
        // Only what comes before the first statement of the dump: below are rows, which may say anything.
        if !["--", "SET ", "SELECT pg_catalog.set_config", "\n", "\\restrict"]
            .iter()
            .any(|begin| line.starts_with(begin))
        {
            break;
        }
        line.clear();
    }
    io::copy(script, out).map(drop)
}

/// A dump that is being read, and the file of roots that it may need.
struct Running {
    output: super::programs::Output,
    _programs: Programs,
}

impl io::Read for Running {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.output.read(buffer)
    }
}

/// The contents, proven to the last byte before anything is touched, in a file that has no name.
fn unpack(archive: Archive) -> Result<File, BackupError> {
    let mut file = tempfile::tempfile().map_err(|cause| BackupError::File(format!("no temporary file: {cause}")))?;
    archive.copy_contents(&mut file)?;
    file.rewind().map_err(|cause| BackupError::File(cause.to_string()))?;
    Ok(file)
}

fn programs(config: &Config) -> Result<Programs, BackupError> {
    let url = config.db.primary_url.as_ref().map_or("", |url| url.expose());
    Programs::new(url, config.extra_roots.as_deref())
}

/// `server_version_num` is 150018 for 15.18.
fn major_of(server: &str) -> u32 {
    server.parse::<u32>().map_or(0, |number| number / 10_000)
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(script: &str, server: u32) -> String {
        let mut out = Vec::new();
        copy_script(&mut script.as_bytes(), &mut out, server).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_old_server_is_not_told_what_it_does_not_know() {
        let begin = "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n";
        let rest = "SELECT pg_catalog.set_config('search_path', '', false);\n\nCREATE TABLE a (b text);\nCOPY a FROM stdin;\nSET transaction_timeout = 0;\n\\.\n";
        let script = format!("{begin}SET transaction_timeout = 0;\n{rest}");
        assert_eq!(copied(&script, 16), format!("{begin}{rest}"), "and rows stay as they are");
        assert_eq!(copied(&script, 17), script);
        assert_eq!(copied("", 15), "");
    }
}

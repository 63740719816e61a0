//! PostgreSQL: a dump of our tables in one snapshot, and their restore in one transaction.

use std::{
    fs::File,
    io::{self, Seek, Write},
    process::Stdio,
};

use super::{
    BackupError, Manifest, Over, Restoring, Sessions, archive::Archive, programs::Programs, restore::record, store,
    take,
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
        Sessions::End => store::ending(Engine::Postgres, life, now),
        Sessions::Keep => String::new(),
    };
    let script = Script { schema, ending, manifest: manifest.clone() };
    let programs = programs(restoring.config)?;
    let work = tokio::task::spawn_blocking(move || {
        let dump = unpack(archive)?;
        programs.run_script(|psql| script.write(psql, &programs, dump))
    });
    work.await.unwrap_or_else(|cause| Err(BackupError::Program(cause.to_string())))?;
    let mut tx = db.begin().await?;
    record(&mut tx, &manifest, restoring.sessions, now).await?;
    tx.commit().await?;
    // Until then the planner knows nothing of what came.
    store::run_numbers(&mut db.write().await?, STOCK.to_owned()).await?;
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
            "SET client_min_messages = warning;\n{EXTENSION}\nBEGIN;\nDROP TABLE IF EXISTS {};\n",
            tables.join(", ")
        );
        psql.write_all(before.as_bytes()).map_err(lost)?;
        let arguments = ["--file=-", "--no-owner", "--no-privileges", "--exit-on-error"].map(str::to_owned);
        let mut output = programs.start("pg_restore", &arguments, Stdio::from(dump))?;
        io::copy(&mut output, psql).map_err(|cause| BackupError::Program(cause.to_string()))?;
        let after = format!("\nSET search_path = {schema};\n{}\n{RENUMBER}\n{}\nCOMMIT;\n", self.checks(), self.ending);
        psql.write_all(after.as_bytes()).map_err(lost)
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

//! PostgreSQL: a dump of our tables in one snapshot, and their restore in one transaction.

use std::{
    fs::File,
    io::{self, Seek},
    process::Stdio,
};

use super::{
    BackupError, Manifest, Over, Restoring, Sessions,
    archive::Archive,
    ending,
    programs::Programs,
    proof::prove_dump,
    restore::entry,
    script::{Script, quote},
    store, take,
};
use crate::{
    config::Config,
    db::{
        Db, DbConfig, Engine, Ts,
        migrate::{self, MigrateError, SCRIPTS},
        refuse_while_restored, run,
    },
};

/// As long as it is open, what it sees can be seen by others too.
const FREEZE: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const SNAPSHOT: &str = "SELECT pg_export_snapshot(), current_schema()::text, current_setting('server_version_num')";
const SCHEMA: &str = "SELECT current_schema()::text, current_setting('server_version_num'), pg_backend_pid()";
/// The name that servers give themselves, and that of the command at work here too.
const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE application_name = 'auth-system' AND datname = current_database() AND pid <> pg_backend_pid()";
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
pub async fn restore(archive: Archive, restoring: &Restoring<'_>) -> Result<(), BackupError> {
    let (config, now) = (restoring.config, Ts::from(restoring.clock.now()));
    let manifest = archive.manifest().clone();
    // One connection, which is the one that does not count when others are looked for.
    let alone = DbConfig { pool_max_size: 1, replica_url: None, ..config.db.clone() };
    let db = Db::open(&alone, config.extra_roots.as_deref())?;
    let Target { schema, server, own_pid } = examine(&db, restoring.over).await?;
    if manifest.pg_schema.as_deref().is_some_and(|of_backup| of_backup != schema) {
        return Err(BackupError::refused(format!(
            "the backup's tables lie in another schema than {schema}: set the role's search_path as it was"
        )));
    }
    Programs::require("psql", server)?;
    Programs::require("pg_restore", server.max(manifest.pg_dump_major.unwrap_or(0)))?;
    let sessions = match restoring.sessions {
        Sessions::End => ending::script(Engine::Postgres, config.sessions.access_token_life, now),
        Sessions::Keep => String::new(),
    };
    let noted = entry(&manifest, restoring.sessions).to_postgres(now);
    let script =
        Script { schema, server, own_pid, over: restoring.over, ending: format!("{sessions}\n{noted}"), manifest };
    let (programs, expected) = (programs(config)?, restoring.expect.clone());
    let work = tokio::task::spawn_blocking(move || {
        let mut dump = unpack(archive)?;
        if let Some(expected) = &expected {
            prove_dump(&mut dump, &programs, expected)?;
        }
        programs.run_script(|psql| script.write(psql, &programs, dump))
    });
    work.await.unwrap_or_else(|cause| Err(BackupError::Program(cause.to_string())))?;
    take_stock(config, db).await;
    Ok(())
}

/// Until then the planner knows nothing of what came; the server's own housekeeping takes stock too, only later.
async fn take_stock(config: &Config, before: Db) {
    // What was open before may have been closed on the way meanwhile.
    drop(before);
    let taken = async {
        let db = Db::open(&config.db, config.extra_roots.as_deref())?;
        store::run_numbers(&mut db.write().await?, STOCK.to_owned()).await
    };
    if let Err(cause) = taken.await {
        tracing::warn!(%cause, "searches are slow until the database has taken stock: run ANALYZE");
    }
}

/// Where tables go to.
struct Target {
    schema: String,
    /// The server's major version.
    server: u32,
    /// The connection by which it was looked at.
    own_pid: i32,
}

/// Looks where tables go to; refuses what must not be touched.
async fn examine(db: &Db, over: Over) -> Result<Target, BackupError> {
    let mut conn = db.write().await?;
    refuse_while_restored(&mut conn).await?;
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
    let (schema, server, own_pid): (Option<String>, String, i32) = run!(&mut conn, fetch_one, SCHEMA)?;
    drop(conn);
    match migrate::check(db, SCRIPTS).await {
        Err(newer @ MigrateError::Newer(_)) => return Err(newer.into()),
        Err(MigrateError::Db(cause)) => return Err(cause.into()),
        Ok(_) | Err(MigrateError::Changed(_)) => {}
    }
    let schema = schema.ok_or_else(|| BackupError::refused("the role has no schema of its search_path"))?;
    Ok(Target { schema, server: major_of(&server), own_pid })
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

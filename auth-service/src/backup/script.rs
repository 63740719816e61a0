//! What psql is told so that the tables of a backup take the place of those that are there, in one transaction.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    process::Stdio,
};

use super::{BackupError, Manifest, Over, programs::Programs, store};
use crate::db::RESTORE_LOCK;

/// The search's index needs it; a server that lacks it never had the index.
const EXTENSION: &str = "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; EXCEPTION WHEN OTHERS THEN NULL; END $$;";
/// Numbers of transactions of another server mean nothing here: every instance must see what is still revoked.
const RENUMBER: &str = "UPDATE revocations SET xact = pg_current_xact_id();";

/// A restore, as psql is told of it.
pub struct Script {
    /// The schema that the tables go to.
    pub schema: String,
    /// The server's major version.
    pub server: u32,
    /// The one connection of this command, which is no server's.
    pub own_pid: i32,
    /// What may be lost.
    pub over: Over,
    /// Statements for the end of the transaction: what ends sessions, and the entry of the audit log.
    pub ending: String,
    /// What the backup says of itself.
    pub manifest: Manifest,
}

impl Script {
    /// Writes it to psql, with what pg_restore makes of the dump.
    ///
    /// # Errors
    /// When psql reads no more, or pg_restore fails; then nothing is committed.
    pub fn write(&self, psql: &mut dyn Write, programs: &Programs, dump: File) -> Result<(), BackupError> {
        let lost = |cause: io::Error| BackupError::Program(format!("the restore was cut off: {cause}"));
        let schema = quote(&self.schema);
        let tables: Vec<String> = store::tables().map(|table| format!("{schema}.{table}")).collect();
        // In one statement and without CASCADE: whatever others have hung on our tables is not lost unnoticed.
        let before = format!(
            "SET client_min_messages = warning;\n{EXTENSION}\nBEGIN;\n{}\n{}\nDROP TABLE IF EXISTS {};\n",
            self.alone(),
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

    /// Statements that fail where an instance is there, also one that came while the backup was being read. Whoever starts
    /// from now on finds the lock taken; whoever has found it free is connected by now, and seen here.
    fn alone(&self) -> String {
        format!(
            "DO $alone$ BEGIN IF NOT pg_try_advisory_xact_lock({RESTORE_LOCK}) OR EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'auth-system' AND datname = current_database() AND pid <> {}) THEN RAISE EXCEPTION 'an instance of auth-system, or another restore, has come to this database: stop every instance first'; END IF; END $alone$;",
            self.own_pid
        )
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

/// A name as SQL takes it.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
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

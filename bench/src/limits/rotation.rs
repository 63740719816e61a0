//! The least that a durable rotation can be on PostgreSQL: one UPDATE, one INSERT, one commit, by pgbench.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::site::Site;

/// As many as refresh at once in the rows beside it.
pub const CLIENTS: usize = 16;
const TABLE: &str = "
    CREATE TABLE rotations (id BIGSERIAL PRIMARY KEY, session BIGINT NOT NULL, spent_at TIMESTAMPTZ);
    INSERT INTO rotations (session) SELECT generate_series(1, 100000);";
const SCRIPT: &str = r"\set id random(1, 100000)
BEGIN;
UPDATE rotations SET spent_at = now() WHERE id = :id;
INSERT INTO rotations (session) VALUES (:id);
COMMIT;
";

/// A database with the table that is written to.
pub struct Rotations {
    url: String,
    folder: TempDir,
}

impl Rotations {
    pub fn prepare(site: &Site) -> Result<Self> {
        let (url, folder) = (site.postgres.create_database()?, tempfile::tempdir()?);
        site.postgres.psql(&url, ["-c", TABLE])?;
        fs::write(folder.path().join("rotation.sql"), SCRIPT)?;
        Ok(Self { url, folder })
    }

    /// Rotations a second.
    pub fn per_second(&self, duration: Duration) -> Result<f64> {
        let (clients, seconds) = (CLIENTS.to_string(), duration.as_secs().max(1).to_string());
        let mut command = Command::new("pgbench");
        command.args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "-c",
            &clients,
            "-T",
            &seconds,
            "-f",
            "rotation.sql",
            &self.url,
        ]);
        let output = command.current_dir(self.folder.path()).output();
        let output = output.context("cannot start pgbench; Debian's package postgresql has it")?;
        ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
        let report = String::from_utf8(output.stdout)?;
        let rate = report.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        Ok(rate.context("pgbench reports no tps")?.parse()?)
    }
}

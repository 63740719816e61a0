//! The programs of PostgreSQL: found in `PATH`, new enough, and told the database's address by their environment, for
//! everybody on a machine can read command lines.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use percent_encoding::percent_decode_str;
use service_kit::redis::system_roots_pem;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tempfile::NamedTempFile;
use url::Url;

use super::BackupError;

/// Parameters of addresses that libpq knows by a variable.
const PARAMETERS: [(&str, &str); 16] = [
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("dbname", "PGDATABASE"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    // As the server's own driver knows them, too.
    ("ssl-mode", "PGSSLMODE"),
    ("ssl-root-cert", "PGSSLROOTCERT"),
    ("ssl-ca", "PGSSLROOTCERT"),
    ("ssl-cert", "PGSSLCERT"),
    ("ssl-key", "PGSSLKEY"),
    ("hostaddr", "PGHOSTADDR"),
    ("options", "PGOPTIONS"),
];
/// Variables that would have the programs go elsewhere than the address says.
const MISLEADING: [&str; 5] = ["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGPASSFILE", "PGOPTIONS"];
/// The file of the authorities that the programs trust. Left to themselves they look for one at home, and verify by it
/// even what was not to be verified; where the server trusts the system's, they would find none.
const ROOTS: &str = "PGSSLROOTCERT";
/// Where there is no file.
const NOWHERE: &str = "/nonexistent/root.crt";
/// What of a program's complaint is shown.
const LONGEST_COMPLAINT: usize = 400;

/// The programs, for one database.
pub struct Programs {
    address: Vec<(&'static str, String)>,
    /// Its owner's alone, and there as long as programs may read it.
    _roots: Option<NamedTempFile>,
}

/// A running program whose output is read. Its end is read only if it ended well.
pub struct Output {
    child: Child,
    output: Option<ChildStdout>,
    complaints: Complaints,
}

/// What a program says of its troubles, in a file, for nobody reads while it runs.
struct Complaints {
    program: &'static str,
    file: File,
}

impl Programs {
    /// For the database at this address.
    ///
    /// # Errors
    /// When the address, or the file of authorities that it names, cannot be read.
    pub fn new(url: &str, extra_roots: Option<&[u8]>) -> Result<Self, BackupError> {
        let unreadable = || BackupError::refused("DB_PRIMARY_DB_URL cannot be read");
        let mut address = parse_address(&Url::parse(url).map_err(|_| unreadable())?);
        // As the server's own driver understands it, for the environment may have a word in it too.
        let mode = url.parse::<PgConnectOptions>().map_err(|_| unreadable())?.get_ssl_mode();
        let named = address.iter().position(|(name, _)| *name == ROOTS).map(|place| address.remove(place).1);
        let roots = match mode {
            PgSslMode::VerifyCa | PgSslMode::VerifyFull => find_roots(named.as_deref(), extra_roots)?,
            PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer | PgSslMode::Require => None,
        };
        let file = roots.as_deref().map(write_roots).transpose()?;
        let path = file.as_ref().map_or_else(|| NOWHERE.into(), |file| file.path().to_string_lossy().into_owned());
        address.push((ROOTS, path));
        Ok(Self { address, _roots: file })
    }

    /// The major version of a program, which must not be lower than `oldest`.
    ///
    /// # Errors
    /// Names the package when there is none, or it is too old.
    pub fn require(program: &'static str, oldest: u32) -> Result<u32, BackupError> {
        let install = format!("install the package postgresql-client-{oldest}, or a newer one");
        let output = Command::new(program).arg("--version").output();
        let output = output.map_err(|_| BackupError::Program(format!("{program} is not in PATH: {install}")))?;
        let major = parse_major(&String::from_utf8_lossy(&output.stdout));
        let major =
            major.ok_or_else(|| BackupError::Program(format!("{program} does not tell its version: {install}")))?;
        if major >= oldest {
            return Ok(major);
        }
        Err(BackupError::Program(format!("{program} in PATH is version {major}, and {oldest} is needed: {install}")))
    }

    /// Starts a program whose output is to be read.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, program: &'static str, arguments: &[String], input: Stdio) -> Result<Output, BackupError> {
        let complaints = Complaints::new(program)?;
        let mut command = self.command(program, &complaints)?;
        command.args(arguments).stdin(input).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|cause| BackupError::Program(format!("{program}: {cause}")))?;
        Ok(Output { output: child.stdout.take(), child, complaints })
    }

    /// Runs psql with a script that `write` writes; what `write` does not end by a COMMIT never happened.
    ///
    /// # Errors
    /// When a statement fails, or `write` does.
    pub fn run_script(&self, write: impl FnOnce(&mut dyn Write) -> Result<(), BackupError>) -> Result<(), BackupError> {
        let mut complaints = Complaints::new("psql")?;
        let mut command = self.command("psql", &complaints)?;
        command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().map_err(|cause| BackupError::Program(format!("psql: {cause}")))?;
        let written = match child.stdin.take() {
            Some(mut input) => write(&mut input),
            None => Ok(()),
        };
        let status = child.wait().map_err(|cause| BackupError::Program(format!("psql: {cause}")))?;
        // Whoever writes to a psql that has given up knows only that nobody reads: psql knows why.
        if status.success() { written } else { Err(complaints.explain()) }
    }

    fn command(&self, program: &str, complaints: &Complaints) -> Result<Command, BackupError> {
        let mut command = Command::new(program);
        for name in MISLEADING {
            command.env_remove(name);
        }
        let errors = complaints.file.try_clone().map_err(|cause| BackupError::File(cause.to_string()))?;
        command.envs(self.address.iter().map(|(name, value)| (name, value))).env("PGAPPNAME", "auth-system-backup");
        command.stderr(errors);
        Ok(command)
    }
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(output) = &mut self.output else { return Ok(0) };
        let length = output.read(buffer)?;
        if length == 0 && !buffer.is_empty() {
            self.output = None;
            if !self.child.wait()?.success() {
                return Err(io::Error::other(self.complaints.explain().to_string()));
            }
        }
        Ok(length)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Complaints {
    fn new(program: &'static str) -> Result<Self, BackupError> {
        let file = tempfile::tempfile().map_err(|cause| BackupError::File(format!("no temporary file: {cause}")))?;
        Ok(Self { program, file })
    }

    /// The first complaint, on one line.
    fn explain(&mut self) -> BackupError {
        let mut text = Vec::new();
        // What cannot be read is not shown.
        drop(self.file.rewind().and_then(|()| self.file.read_to_end(&mut text)));
        let text = String::from_utf8_lossy(&text);
        let first =
            text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it failed and does not say why");
        let first: String = first.chars().filter(|c| !c.is_control()).take(LONGEST_COMPLAINT).collect();
        let name = format!("{}: ", self.program);
        BackupError::Program(if first.starts_with(&name) { first } else { format!("{name}{first}") })
    }
}

fn parse_address(url: &Url) -> Vec<(&'static str, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let port = url.port().map(|port| port.to_string());
    let parts = [
        ("PGHOST", url.host_str().map(|host| decode(host.trim_matches(['[', ']'])))),
        ("PGPORT", port),
        ("PGUSER", Some(decode(url.username()))),
        ("PGPASSWORD", url.password().map(decode)),
        ("PGDATABASE", Some(decode(url.path().trim_start_matches('/')))),
    ];
    let mut address: Vec<_> =
        parts.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect();
    for (name, value) in url.query_pairs() {
        if let Some((_, variable)) = PARAMETERS.iter().find(|(known, _)| *known == name) {
            address.retain(|(known, _)| known != variable);
            address.push((variable, value.into_owned()));
        }
    }
    address
}

/// Whom the server's own connection trusts: the public authorities, and those of the file that the address names, or else
/// of the configuration.
fn find_roots(named: Option<&str>, extra_roots: Option<&[u8]>) -> Result<Option<Vec<u8>>, BackupError> {
    let added = match named {
        Some(path) => fs::read(path).map_err(|cause| BackupError::file(Path::new(path), &cause))?,
        None => extra_roots.unwrap_or_default().to_vec(),
    };
    let roots = [system_roots_pem(), added].join(&b'\n');
    Ok(if roots.trim_ascii().is_empty() { None } else { Some(roots) })
}

fn write_roots(pem: &[u8]) -> Result<NamedTempFile, BackupError> {
    let cannot = |cause: io::Error| BackupError::File(format!("no temporary file: {cause}"));
    let mut file = NamedTempFile::new().map_err(cannot)?;
    file.write_all(pem).map_err(cannot)?;
    Ok(file)
}

fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    number.split(|digit: char| !digit.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Vec<(&'static str, String)> {
        parse_address(&Url::parse(url).unwrap())
    }

    #[test]
    fn an_address_is_told_in_variables_and_its_parameters_win() {
        let told =
            address("postgresql://au%40th:p%40ss@db.internal:6000/authdb?sslmode=verify-full&sslrootcert=/ca.pem");
        let expected = [
            ("PGHOST", "db.internal"),
            ("PGPORT", "6000"),
            ("PGUSER", "au@th"),
            ("PGPASSWORD", "p@ss"),
            ("PGDATABASE", "authdb"),
            ("PGSSLMODE", "verify-full"),
            ("PGSSLROOTCERT", "/ca.pem"),
        ];
        assert_eq!(told, expected.map(|(name, value)| (name, value.to_owned())));
        let socket = address("postgresql://auth@localhost/authdb?host=/run/postgresql&statement-cache-capacity=5");
        assert!(socket.contains(&("PGHOST", "/run/postgresql".to_owned())) && socket.len() == 3, "{socket:?}");
    }

    #[test]
    fn a_missing_or_old_program_is_named_with_its_package() {
        assert_eq!(parse_major("pg_dump (PostgreSQL) 16.4 (Debian 16.4-1)"), Some(16));
        let missing = Programs::require("pg_dump_that_is_not_there", 16).unwrap_err().to_string();
        assert!(missing.contains("not in PATH") && missing.contains("postgresql-client-16"), "{missing}");
    }
}

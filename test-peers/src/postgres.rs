//! A private PostgreSQL server.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::account::Account;
use crate::folder::Folder;
use crate::installation::{self, PEERS, PostgresPrograms};
use crate::process::{Launch, Process};
use crate::{PeerError, free_port};

/// Whom the server runs as when we are root.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// PostgreSQL's fast shutdown: transactions are rolled back, shared memory is released.
const FAST_SHUTDOWN: &str = "INT";

/// Settings of every server. Shared memory lies in the data folder: `/dev/shm` is small in containers, and keeps what a
/// killed server has left there.
const SETTINGS: [&str; 4] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "dynamic_shared_memory_type=mmap",
];

/// What a server without durability leaves out: nothing here survives the machine anyway.
const NO_DURABILITY: [&str; 2] = ["fsync=off", "full_page_writes=off"];

/// A PostgreSQL server on a free port of 127.0.0.1, with trust for everyone, ended and removed with this value.
#[derive(Debug)]
pub struct Postgres {
    pub(crate) process: Process,
    psql: PathBuf,
    port: u16,
    databases: AtomicU32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    Off,
    On,
}

impl Postgres {
    /// Starts the installed version, 15 if there are several, with `fsync` off.
    ///
    /// # Errors
    /// [`PeerError`] says what to install, or shows the server's log.
    pub fn start() -> Result<Self, PeerError> {
        Self::launch(&installation::postgres(None)?, Durability::Off)
    }

    /// Starts a major version such as 16, with `fsync` off.
    ///
    /// # Errors
    /// [`PeerError`] says what to install, or shows the server's log.
    pub fn start_version(major: u16) -> Result<Self, PeerError> {
        Self::launch(&installation::postgres(Some(major))?, Durability::Off)
    }

    /// Starts the installed version with `fsync` on, as in production.
    ///
    /// # Errors
    /// [`PeerError`] says what to install, or shows the server's log.
    pub fn start_durable() -> Result<Self, PeerError> {
        Self::launch(&installation::postgres(None)?, Durability::On)
    }

    /// The one server that tests of this process share, each in its own database; started at the first call.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn shared() -> Result<&'static Self, &'static PeerError> {
        static SHARED: OnceLock<Result<Postgres, PeerError>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database for its superuser `postgres`: `postgresql://postgres@127.0.0.1:PORT/database`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Errors
    /// [`PeerError::Failed`] with what psql says.
    pub fn create_database(&self) -> Result<String, PeerError> {
        self.create_database_from("template1")
    }

    /// Creates a copy of a database, to which nobody may be connected, and returns its URL.
    ///
    /// # Errors
    /// [`PeerError::Failed`] with what psql says.
    pub fn create_database_from(&self, template: &str) -> Result<String, PeerError> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        // Copying files takes a third of the time of the default, which logs every page.
        let create = format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY"#);
        self.psql(&self.url("postgres"), ["-c", &create])?;
        Ok(self.url(&name))
    }

    /// Drops a database of [`Postgres::create_database`] by its URL, whoever is connected.
    ///
    /// # Errors
    /// [`PeerError::Failed`] with what psql says.
    pub fn drop_database(&self, url: &str) -> Result<(), PeerError> {
        let name = database_name(url);
        self.psql(&self.url("postgres"), ["-c", &format!(r#"DROP DATABASE "{name}" WITH (FORCE)"#)]).map(drop)
    }

    /// Runs psql with these arguments on a database's URL and returns what it prints, unaligned and without headings.
    ///
    /// # Errors
    /// [`PeerError::Failed`] with what psql says, at the first failing statement.
    pub fn psql<'a>(&self, url: &str, arguments: impl IntoIterator<Item = &'a str>) -> Result<String, PeerError> {
        let mut command = Command::new(&self.psql);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url]).args(arguments);
        run(&mut command)
    }

    /// Stops the server; connections end with an error.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn stop(&self) -> Result<(), PeerError> {
        self.process.stop()
    }

    /// Starts the stopped or killed server on the same port with the same data.
    ///
    /// # Errors
    /// [`PeerError::NotReady`] with the server's log.
    pub fn start_again(&self) -> Result<(), PeerError> {
        let status = self.process.folder().join("data/postmaster.pid");
        self.process.start(|pid| is_ready(&status, pid))
    }

    /// Ends the server and its backends at once (SIGKILL), as a crash would.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn kill(&self) -> Result<(), PeerError> {
        self.process.kill()
    }

    /// Freezes the server and its backends (SIGSTOP): connections hang.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn pause(&self) -> Result<(), PeerError> {
        self.process.signal("STOP")
    }

    /// Thaws the frozen server.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn resume(&self) -> Result<(), PeerError> {
        self.process.signal("CONT")
    }

    fn launch(programs: &PostgresPrograms, durability: Durability) -> Result<Self, PeerError> {
        let psql = installation::psql()?;
        let folder = Folder::create(FAST_SHUTDOWN)?;
        let account = Account::in_place_of_root(folder.path(), &ACCOUNTS)?;
        let mut programs_folder = programs.folder.clone();
        if let Some(account) = account {
            account.own(folder.path())?;
            programs_folder = reachable(&programs.folder, folder.path())?;
        }
        let data = folder.path().join("data");
        let mut initdb = Command::new(programs_folder.join("initdb"));
        initdb.args(["--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8", "--username=postgres", "--pgdata"]);
        initdb.arg(&data).current_dir(folder.path());
        if let Some(account) = account {
            account.run(&mut initdb);
        }
        run(&mut initdb)?;
        let port = free_port()?;
        let launch = Launch {
            program: programs_folder.join("postgres"),
            arguments: arguments(&data, port, durability),
            account,
        };
        let postgres = Self { process: Process::new(folder, launch), psql, port, databases: AtomicU32::new(0) };
        postgres.start_again()?;
        Ok(postgres)
    }
}

fn arguments(data: &Path, port: u16, durability: Durability) -> Vec<OsString> {
    let port = format!("port={port}");
    let mut settings: Vec<&str> = SETTINGS.into_iter().chain([port.as_str()]).collect();
    match durability {
        Durability::Off => settings.extend(NO_DURABILITY),
        Durability::On => {}
    }
    let settings = settings.into_iter().flat_map(|setting| ["-c".into(), setting.into()]);
    ["-D".into(), data.into()].into_iter().chain(settings).collect()
}

/// The folder of the programs, or a copy of it when they are in the work tree, which root may keep to itself.
fn reachable(programs: &Path, folder: &Path) -> Result<PathBuf, PeerError> {
    let Some(installation) = programs.parent().filter(|_| programs.starts_with(PEERS)) else {
        return Ok(programs.to_path_buf());
    };
    let copy = folder.join("programs");
    run(Command::new("cp").arg("-R").arg(installation).arg(&copy))?;
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(&copy))?;
    Ok(copy.join("bin"))
}

/// What `pg_ctl` looks at: the first line is the server's process, the eighth its state.
fn is_ready(status: &Path, pid: u32) -> bool {
    let status = fs::read_to_string(status).unwrap_or_default();
    let mut lines = status.lines();
    lines.next() == Some(pid.to_string().as_str()) && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

fn database_name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

fn run(command: &mut Command) -> Result<String, PeerError> {
    let program = PathBuf::from(command.get_program());
    let output = command.output().map_err(PeerError::io(format!("start {}", program.display())))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let output = [output.stdout, output.stderr].concat();
    Err(PeerError::Failed { program, output: String::from_utf8_lossy(&output).into_owned() })
}

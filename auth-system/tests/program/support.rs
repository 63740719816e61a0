//! What every test stands on: a folder and an environment for the program, and servers for it to stand on.

use std::{
    future::Future,
    path::PathBuf,
    process::{Command, Output},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use auth_token::{Algorithm, RsaBits, SigningKey};
use tempfile::TempDir;
use test_peers::{Postgres, Redis, free_port};

use crate::program::Program;

/// The built program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_auth-system");
/// Long enough for a busy machine; what is promised within a time is asserted where it is promised.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What a program stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, and counts in memory.
    Sqlite,
    /// PostgreSQL and Redis.
    Postgres,
}

/// A folder with an environment to start the program in: nothing else is inherited.
#[derive(Clone)]
pub struct Workplace {
    folder: Arc<TempDir>,
    env: Vec<(String, String)>,
    pub port: u16,
    pub metrics_port: u16,
    pub gateway_port: u16,
    pub admin_port: u16,
}

impl Workplace {
    /// An empty folder, and an environment that says nothing but where to listen.
    pub fn bare() -> Self {
        let [port, metrics_port, gateway_port, admin_port] = [(); 4].map(|()| free_port().unwrap());
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let place = Self { folder, env: Vec::new(), port, metrics_port, gateway_port, admin_port };
        place
            .set("SERVICE_ADDR", &format!(":{port}"))
            .set("METRICS_ADDR", &format!("127.0.0.1:{metrics_port}"))
            .set("GATEWAY_ADDR", &format!(":{gateway_port}"))
            .set("ADMIN_ADDR", &format!(":{admin_port}"))
    }

    /// An empty database on this engine, and a key that need not be made first.
    pub fn on(engine: Engine) -> Self {
        let place = Self::bare().set("JWT_PRIVATE_KEY", signing_key());
        match engine {
            Engine::Sqlite => place,
            Engine::Postgres => {
                let database = postgres().create_database().unwrap();
                place.set("DB_PRIMARY_DB_URL", &database).set("REDIS_URL", Redis::shared().unwrap().url())
            }
        }
    }

    /// The same with a variable set, in place of what it was.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of a variable that is set.
    pub fn value(&self, name: &str) -> &str {
        let value = self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        value.unwrap_or_else(|| panic!("{name} is not set"))
    }

    /// A file or folder in this place.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let output = self.command(arguments).output().unwrap();
        Finished::from(output)
    }

    /// Starts the servers and waits until they are ready.
    pub async fn start(&self) -> Program {
        let program = self.spawn(&[]);
        program.until_ready().await;
        program
    }

    /// Starts the program and waits for nothing.
    pub fn spawn(&self, arguments: &[&str]) -> Program {
        Program::spawn(self.command(arguments), Arc::clone(&self.folder), self.port)
    }

    /// Starts the program, to be found at another port than this place's own.
    pub fn spawn_at(&self, arguments: &[&str], port: u16) -> Program {
        Program::spawn(self.command(arguments), Arc::clone(&self.folder), port)
    }

    /// Starts the program by a command of this place that was changed.
    pub fn spawn_command(&self, command: Command) -> Program {
        Program::spawn(command, Arc::clone(&self.folder), self.port)
    }

    /// The port in a variable that holds an address.
    pub fn port_of(&self, name: &str) -> u16 {
        let value = self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        value.and_then(|value| value.rsplit(':').next()?.parse().ok()).unwrap_or_else(|| panic!("{name} is no address"))
    }

    /// Starts the program from a shell script, in which `"$@"` stands for it.
    #[cfg(target_os = "linux")]
    pub fn spawn_from_shell(&self, script: &str) -> Program {
        let mut command = self.prepare(Command::new("sh"));
        command.args(["-c", script, "sh", PROGRAM]).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        Program::spawn(command, Arc::clone(&self.folder), self.port)
    }

    /// A command in this place, to be changed before it is run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.prepare(Command::new(PROGRAM));
        command.args(arguments);
        command
    }

    /// A shell in this place.
    pub fn shell(&self) -> Command {
        self.prepare(Command::new("sh"))
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.current_dir(self.folder.path()).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A command that ran to its end.
#[derive(Debug)]
pub struct Finished {
    /// The exit code, if no signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Whether a condition comes true in time.
pub async fn comes_within(limit: Duration, condition: impl AsyncFn() -> bool) -> bool {
    let looking = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(limit, looking).await.is_ok()
}

/// What a call gives, and how long it took.
pub async fn timed<T>(call: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    (call.await, began.elapsed())
}

/// The server whose databases tests share; tests that stop a server start their own.
pub fn postgres() -> &'static Postgres {
    Postgres::shared().unwrap_or_else(|error| panic!("{error}"))
}

/// One RSA key for all tests of this process: making one takes longer than most tests.
fn signing_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        SigningKey::generate(Algorithm::Rs256, RsaBits::default()).unwrap().to_pkcs8_pem().unwrap().to_string()
    })
}

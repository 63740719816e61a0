//! A folder to run the program in, and the running program.

use std::{
    fs::File,
    future::Future,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use auth_token::{Algorithm, RsaBits, SigningKey};
use tempfile::TempDir;
use test_peers::{Postgres, Redis, free_port};

use crate::client::Client;

/// The built program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_auth-system");
/// Long enough for a busy machine; what is promised within a time is asserted where it is promised.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What a failed test shows of the log.
const LAST_LINES: usize = 30;

/// What a program stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, and counts in memory.
    Sqlite,
    /// PostgreSQL and Redis.
    Postgres,
}

/// A folder with an environment to start the program in: nothing else is inherited.
pub struct Workplace {
    folder: Arc<TempDir>,
    env: Vec<(String, String)>,
    pub port: u16,
    pub metrics_port: u16,
}

impl Workplace {
    /// An empty folder, and an environment that says nothing but where to listen.
    pub fn bare() -> Self {
        let (port, metrics_port) = (free_port().unwrap(), free_port().unwrap());
        let place = Self { folder: Arc::new(tempfile::tempdir().unwrap()), env: Vec::new(), port, metrics_port };
        place.set("SERVICE_ADDR", &format!(":{port}")).set("METRICS_ADDR", &format!("127.0.0.1:{metrics_port}"))
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
        self.spawn_command(self.command(arguments))
    }

    /// Starts the program from a shell script, in which `"$@"` stands for it.
    pub fn spawn_from_shell(&self, script: &str) -> Program {
        let mut command = self.prepare(Command::new("sh"));
        command.args(["-c", script, "sh", PROGRAM]).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        self.spawn_command(command)
    }

    fn spawn_command(&self, mut command: Command) -> Program {
        let [out, err] = ["stdout", "stderr"].map(|name| self.path(name));
        command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        Program {
            child: command.spawn().unwrap(),
            out,
            err,
            client: Client::new(self.port),
            _folder: Arc::clone(&self.folder),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.prepare(Command::new(PROGRAM));
        command.args(arguments);
        command
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.current_dir(self.folder.path()).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The running program, ended with this value.
pub struct Program {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    pub client: Client,
    /// Outlives the place that it was started in.
    _folder: Arc<TempDir>,
}

impl Program {
    /// What it has printed and logged.
    pub fn out(&self) -> String {
        read(&self.out)
    }

    /// What it has complained of.
    pub fn err(&self) -> String {
        read(&self.err)
    }

    fn last_lines(&self) -> String {
        let out = self.out();
        let lines: Vec<&str> = out.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the readiness check says so.
    pub async fn until_ready(&self) {
        self.until("it is ready", async || self.client.is_ready().await).await;
    }

    /// Waits until its log, or what it prints, holds a text.
    pub async fn until_logged(&self, text: &str) {
        self.until(text, async || self.out().contains(text)).await;
    }

    /// Waits for a condition; one that does not come shows the log.
    pub async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        if !comes_within(DEADLINE, condition).await {
            panic!("waited in vain until {what}; the log ends:\n{}{}", self.last_lines(), self.err());
        }
    }

    /// Sends a signal such as `TERM`.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args(["-s", signal, &self.id().to_string()]).status().unwrap();
        assert!(status.success(), "{signal} was not sent");
    }

    /// Waits for its end; the exit code, or nothing when a signal ended it.
    pub async fn ended(&mut self) -> Option<i32> {
        let mut status = None;
        let deadline = Instant::now() + DEADLINE;
        while status.is_none() {
            assert!(Instant::now() < deadline, "it does not end; the log ends:\n{}", self.last_lines());
            status = self.child.try_wait().unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        status.as_ref().and_then(ExitStatus::code)
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        assert_eq!(self.child.wait().unwrap().signal(), Some(9), "it ended by itself:\n{}", self.last_lines());
    }

    /// Asks it to stop, and waits for its end.
    pub async fn stop(mut self) {
        self.signal("TERM");
        assert_eq!(self.ended().await, Some(0), "{}{}", self.out(), self.err());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
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

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

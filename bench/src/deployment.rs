//! Our program as an operator runs it: the release binary in production mode on a database of its own, limits off.

mod gateway;

use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use auth_token::{Algorithm, RsaBits, SigningKey};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_peers::free_port;

use crate::process::Running;
use crate::site::Site;
use crate::wire::{self, Connection};

/// Everybody's password.
pub const PASSWORD: &str = "TestPass123!";
const READY: &str = "/api/v1/health/ready";
/// Between services and gateways.
const FEED_TOKEN: &str = "bench-only-0123456789abcdef0123456789abcdef";
/// A load would be counted as abuse.
const RULES: [&str; 6] = [
    "LOGIN_PER_ADDRESS",
    "LOGIN_ACCOUNTS_PER_ADDRESS",
    "REGISTER_PER_ADDRESS",
    "REFRESH_PER_SESSION",
    "API_PER_USER",
    "API_PER_ADDRESS",
];

/// What instances stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    /// With Redis.
    Postgres,
}

type Env = Vec<(String, String)>;

/// A database, a key, and the settings that every instance on them shares.
pub struct Deployment {
    pub key: SigningKey,
    folder: TempDir,
    /// What services and gateways must agree on.
    shared: Env,
    service: Env,
}

/// A running instance, ended with this value.
pub struct Instance {
    pub process: Running,
    pub address: SocketAddr,
    /// From its start until it answered that it is ready.
    pub ready_after: Duration,
}

/// What a login gives.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Deployment {
    pub fn new(site: &Site, engine: Engine, algorithm: Algorithm) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let key = SigningKey::generate(algorithm, RsaBits::default())?;
        let (private, public) = (folder.path().join("private.pem"), folder.path().join("public.pem"));
        fs::write(&private, key.to_pkcs8_pem()?.as_bytes())?;
        fs::write(&public, key.public_pem().context("no public key")?)?;
        let mut service = vec![
            ("AUTO_MIGRATE".to_owned(), "true".to_owned()),
            ("JWT_ALGORITHM".to_owned(), algorithm.to_string()),
            ("JWT_PRIVATE_KEY_PATH".to_owned(), private.display().to_string()),
            ("JWT_PUBLIC_KEY_PATH".to_owned(), public.display().to_string()),
            ("DATA_DIR".to_owned(), folder.path().join("data").display().to_string()),
        ];
        if engine == Engine::Postgres {
            service.push(("DB_PRIMARY_DB_URL".to_owned(), site.postgres.create_database()?));
            service.push(("REDIS_URL".to_owned(), site.redis.url().to_owned()));
        }
        Ok(Self { key, folder, shared: shared(), service })
    }

    /// Starts one more instance and waits until it is ready.
    pub fn start(&self) -> Result<Instance> {
        let (address, metrics) = (local_address()?, local_address()?);
        let mut command = self.command(&["service"])?;
        command.env("SERVICE_ADDR", address.to_string()).env("METRICS_ADDR", metrics.to_string());
        self.launch(command, address, READY)
    }

    /// A command of the program, for the instances of this deployment.
    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(program()?);
        command.args(arguments).env_clear().envs(self.shared.iter().chain(&self.service).cloned());
        command.current_dir(self.folder.path());
        Ok(command)
    }

    /// Starts a server, and waits until it says at this path that it is ready.
    fn launch(&self, mut command: Command, address: SocketAddr, ready: &str) -> Result<Instance> {
        let log = File::options().create(true).append(true).open(self.log())?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let began = Instant::now();
        let process = Running::new(command.spawn()?);
        let ready =
            wire::wait_for(address, ready).with_context(|| fs::read_to_string(self.log()).unwrap_or_default())?;
        Ok(Instance { process, address, ready_after: ready - began })
    }

    /// Runs one of the program's commands to its end.
    pub fn run(&self, arguments: &[&str], input: &str) -> Result<()> {
        let mut child =
            self.command(arguments)?.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("no standard input")?.write_all(input.as_bytes())?;
        let outcome = child.wait_with_output()?;
        ensure!(outcome.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&outcome.stderr));
        Ok(())
    }

    /// The public key, for whoever verifies tokens.
    pub fn public_pem(&self) -> Result<String> {
        self.key.public_pem().context("no public key")
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Instance {
    /// Registers people, and returns the request by which each logs in.
    pub fn register(&self, people: usize) -> Result<Vec<bytes::Bytes>> {
        let mut connection = Connection::open(self.address)?;
        let credentials = |number| json!({"email": format!("person{number}@example.com"), "password": PASSWORD});
        let mut register = |credentials: &Value| {
            let answer = connection.ask(&wire::post("/api/v1/auth/register", None, credentials))?;
            ensure!(answer.status == 201, "registering: {}", String::from_utf8_lossy(answer.body));
            Ok(wire::post("/api/v1/auth/login", None, credentials))
        };
        (0..people).map(|number| register(&credentials(number))).collect()
    }

    /// Logs in by each of these requests.
    pub fn log_in(&self, logins: &[bytes::Bytes]) -> Result<Vec<Tokens>> {
        let mut connection = Connection::open(self.address)?;
        let mut log_in = |login: &bytes::Bytes| {
            let answer = connection.ask(login)?;
            Ok(Tokens { access: answer.text("access_token")?, refresh: answer.text("refresh_token")? })
        };
        logins.iter().map(&mut log_in).collect()
    }
}

/// The program that was built beside this one.
fn program() -> Result<PathBuf> {
    let folder = std::env::current_exe()?;
    let program = folder.parent().unwrap_or(Path::new(".")).join("auth-system");
    ensure!(program.exists(), "{} is missing: run `cargo xtask bench`, which builds it", program.display());
    Ok(program)
}

/// An address of this machine that nothing listens on.
pub fn local_address() -> Result<SocketAddr> {
    Ok(SocketAddr::from(([127, 0, 0, 1], free_port()?)))
}

fn shared() -> Env {
    let named = [
        ("ENV", "production"),
        ("ALLOWED_HOSTS", "127.0.0.1"),
        ("JWT_ISSUER", "https://auth.example.com"),
        ("JWT_AUDIENCE", "bench"),
        ("GATEWAY_FEED_TOKEN", FEED_TOKEN),
    ];
    let limits = RULES.map(|rule| (format!("RATE_LIMIT_{rule}"), "off".to_owned()));
    named.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().chain(limits).collect()
}

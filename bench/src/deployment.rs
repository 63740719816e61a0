//! Our program as an operator runs it: the release binary in production mode on a database of its own, limits off.

use std::fs::{self, File};
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

const PASSWORD: &str = "TestPass123!";
const READY: &str = "/api/v1/health/ready";
/// A load would be counted as abuse.
const RULES: [&str; 4] =
    ["LOGIN_PER_ADDRESS", "LOGIN_ACCOUNTS_PER_ADDRESS", "REGISTER_PER_ADDRESS", "REFRESH_PER_SESSION"];

/// What instances stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    /// With Redis.
    Postgres,
}

/// A database, a key, and the settings that every instance on them shares.
pub struct Deployment {
    pub key: SigningKey,
    folder: TempDir,
    env: Vec<(String, String)>,
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
        let mut env = vec![
            ("ENV".to_owned(), "production".to_owned()),
            ("ALLOWED_HOSTS".to_owned(), "127.0.0.1".to_owned()),
            ("AUTO_MIGRATE".to_owned(), "true".to_owned()),
            ("JWT_ALGORITHM".to_owned(), algorithm.to_string()),
            ("JWT_PRIVATE_KEY_PATH".to_owned(), private.display().to_string()),
            ("JWT_PUBLIC_KEY_PATH".to_owned(), public.display().to_string()),
            ("DATA_DIR".to_owned(), folder.path().join("data").display().to_string()),
        ];
        env.extend(RULES.map(|rule| (format!("RATE_LIMIT_{rule}"), "off".to_owned())));
        if engine == Engine::Postgres {
            env.push(("DB_PRIMARY_DB_URL".to_owned(), site.postgres.create_database()?));
            env.push(("REDIS_URL".to_owned(), site.redis.url().to_owned()));
        }
        Ok(Self { key, folder, env })
    }

    /// Starts one more instance and waits until it is ready.
    pub fn start(&self) -> Result<Instance> {
        let (address, metrics) = (local(free_port()?), local(free_port()?));
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(program()?);
        command.arg("service").env_clear().envs(self.env.iter().cloned()).current_dir(self.folder.path());
        command.env("SERVICE_ADDR", address.to_string()).env("METRICS_ADDR", metrics.to_string());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let began = Instant::now();
        let process = Running::new(command.spawn()?);
        let ready =
            wire::wait_for(address, READY).with_context(|| fs::read_to_string(self.log()).unwrap_or_default())?;
        Ok(Instance { process, address, ready_after: ready - began })
    }

    /// Runs a command of the program to its end, which must be a good one; says how long it took.
    pub fn run(&self, arguments: &[String]) -> Result<Duration> {
        let mut command = Command::new(program()?);
        command.args(arguments).env_clear().envs(self.env.iter().cloned()).current_dir(self.folder.path());
        let began = Instant::now();
        let output = command.stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(began.elapsed())
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

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

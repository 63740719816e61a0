//! The configuration of the whole program, read in one go and refused as a whole.

use std::{net::SocketAddr, path::PathBuf};

use auth_service::{
    Config,
    keys::{DEFAULT_PRIVATE, DEFAULT_PUBLIC, KeySource},
};
use auth_token::Algorithm;
use service_kit::{
    config::{Documented, Env},
    metrics::MetricsConfig,
    serve::ServeLimits,
    telemetry::TelemetryConfig,
};

/// Everything that the environment says.
pub struct Settings {
    /// The Auth API.
    pub service: Config,
    /// Connections.
    pub serve: ServeLimits,
    /// Logs, traces, error reports.
    pub telemetry: TelemetryConfig,
    /// The metrics listener.
    pub metrics: MetricsConfig,
    /// What looks wrong but does not stop the program.
    pub warnings: Vec<String>,
}

/// Reads `.env` from this folder into the environment, unless this is production. What is set already stays.
pub fn load_dotenv() {
    if Env::from_process().environment() != service_kit::config::Environment::Production {
        // Absent more often than not.
        drop(dotenvy::dotenv());
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// Everything that is wrong with it, a line each.
    pub fn load() -> anyhow::Result<Self> {
        let (settings, env) = Self::read(Env::from_process());
        Ok(Self { warnings: env.finish()?.warnings, ..settings })
    }

    /// Every variable that the program reads.
    pub fn documented() -> Vec<Documented> {
        let (_, env) = Self::read(Env::from_pairs::<String, String>([]));
        env.finish().map(|loaded| loaded.documented).unwrap_or_default()
    }

    /// Where the Auth API listens, whatever else is wrong with the environment.
    pub fn service_addr() -> SocketAddr {
        Self::read(Env::from_process()).0.service.addr
    }

    /// The configured algorithm and the files of its private and public key, whatever else is wrong.
    pub fn key_files() -> (Algorithm, PathBuf, PathBuf) {
        let keys = Self::read(Env::from_process()).0.service.keys;
        match keys.source {
            KeySource::Files { private, public } => (keys.algorithm, private, public),
            KeySource::Inline { .. } | KeySource::Secret(_) | KeySource::Missing => {
                (keys.algorithm, DEFAULT_PRIVATE.into(), DEFAULT_PUBLIC.into())
            }
        }
    }

    fn read(mut env: Env) -> (Self, Env) {
        let service = Config::read(&mut env);
        env.section("Connections");
        let serve = ServeLimits::read(&mut env);
        env.section("Telemetry");
        let telemetry = TelemetryConfig::read(&mut env);
        let metrics = MetricsConfig::read(&mut env, "METRICS_ADDR", "127.0.0.1:9000");
        (Self { service, serve, telemetry, metrics, warnings: Vec::new() }, env)
    }
}

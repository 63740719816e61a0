//! The configuration of the whole program, read in one go and refused as a whole.

use std::{net::SocketAddr, path::PathBuf};

use api_gateway::Config as GatewayConfig;
use auth_admin::Config as AdminConfig;
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

/// Where the gateway's metrics are when it runs alone.
const GATEWAY_METRICS: &str = "GATEWAY_METRICS_ADDR";
/// Where the console's are.
const ADMIN_METRICS: &str = "ADMIN_METRICS_ADDR";

/// Everything that the environment says to a process that runs the Auth API.
pub struct Settings {
    /// The Auth API.
    pub service: Config,
    /// The gateway, if it runs in the same process.
    pub gateway: GatewayConfig,
    /// The console, likewise.
    pub admin: AdminConfig,
    /// Connections.
    pub serve: ServeLimits,
    /// Logs, traces, error reports.
    pub telemetry: TelemetryConfig,
    /// The metrics listener.
    pub metrics: MetricsConfig,
    /// What looks wrong but does not stop the program.
    pub warnings: Vec<String>,
}

/// What it says to a process that runs the gateway alone.
pub struct GatewaySettings {
    /// The gateway.
    pub gateway: GatewayConfig,
    /// Connections.
    pub serve: ServeLimits,
    /// Logs, traces, error reports.
    pub telemetry: TelemetryConfig,
    /// The metrics listener.
    pub metrics: MetricsConfig,
    /// What looks wrong but does not stop the program.
    pub warnings: Vec<String>,
}

/// What it says to a process that runs the console alone.
pub struct AdminSettings {
    /// The console.
    pub admin: AdminConfig,
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

    /// Every variable that the program reads, in whatever role.
    pub fn documented() -> Vec<Documented> {
        let nothing = || Env::from_pairs::<String, String>([]);
        let of = |env: Env| env.finish().map(|loaded| loaded.documented).unwrap_or_default();
        let mut documented = of(Self::read(nothing()).1);
        for of_role in [of(GatewaySettings::read(nothing()).1), of(AdminSettings::read(nothing()).1)] {
            for one in of_role {
                if documented.iter().all(|known| known.name != one.name) {
                    documented.push(one);
                }
            }
        }
        documented
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
        let mut service = Config::read(&mut env);
        let gateway = GatewayConfig::read(&mut env);
        let admin = AdminConfig::read(&mut env);
        env.section("Connections");
        let serve = ServeLimits::read(&mut env);
        env.section("Telemetry");
        let telemetry = TelemetryConfig::read(&mut env);
        let metrics = MetricsConfig::read(&mut env, "METRICS_ADDR", "127.0.0.1:9000");
        env.also_known([GATEWAY_METRICS, ADMIN_METRICS]);
        service.settings = env.settings();
        (Self { service, gateway, admin, serve, telemetry, metrics, warnings: Vec::new() }, env)
    }
}

impl GatewaySettings {
    /// Reads the environment. What the Auth API needs and the gateway does not, such as a signing key, may be missing.
    ///
    /// # Errors
    /// Everything that is wrong with it, a line each.
    pub fn load() -> anyhow::Result<Self> {
        let (settings, mut env) = Self::read(Env::from_process());
        env.also_known(Settings::documented().into_iter().map(|variable| variable.name));
        Ok(Self { warnings: env.finish()?.warnings, ..settings })
    }

    /// The file of routes, whatever else is wrong with the environment.
    pub fn file() -> Option<PathBuf> {
        Self::read(Env::from_process()).0.gateway.file
    }

    /// Where the gateway listens, whatever else is wrong.
    pub fn addr() -> SocketAddr {
        Self::read(Env::from_process()).0.gateway.addr
    }

    fn read(mut env: Env) -> (Self, Env) {
        let gateway = GatewayConfig::read(&mut env);
        env.section("Connections");
        let serve = ServeLimits::read(&mut env);
        env.section("Telemetry");
        let telemetry = TelemetryConfig::read(&mut env);
        let metrics = MetricsConfig::read(&mut env, GATEWAY_METRICS, "127.0.0.1:9001");
        (Self { gateway, serve, telemetry, metrics, warnings: Vec::new() }, env)
    }
}

impl AdminSettings {
    /// Reads the environment; what only the other servers need may be missing.
    ///
    /// # Errors
    /// Everything that is wrong with it, a line each.
    pub fn load() -> anyhow::Result<Self> {
        let (settings, mut env) = Self::read(Env::from_process());
        settings.admin.require_secret(&mut env);
        env.also_known(Settings::documented().into_iter().map(|variable| variable.name));
        Ok(Self { warnings: env.finish()?.warnings, ..settings })
    }

    fn read(mut env: Env) -> (Self, Env) {
        let admin = AdminConfig::read(&mut env);
        env.section("Connections");
        let serve = ServeLimits::read(&mut env);
        env.section("Telemetry");
        let telemetry = TelemetryConfig::read(&mut env);
        let metrics = MetricsConfig::read(&mut env, ADMIN_METRICS, "127.0.0.1:9002");
        (Self { admin, serve, telemetry, metrics, warnings: Vec::new() }, env)
    }
}

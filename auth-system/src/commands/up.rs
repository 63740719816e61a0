//! `auth-system up` and its single roles: starts servers and keeps them until told to stop.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use api_gateway::{HealthDetails, Listeners, Neighbours};
use auth_service::{App, ids::Entropy};
use service_kit::config::{Environment, Secret};
use service_kit::metrics::MetricsConfig;
use service_kit::proxies::OwnConnections;
use service_kit::serve::ServeLimits;
use service_kit::telemetry::TelemetryConfig;
use service_kit::{clock::Clock, metrics, serve, shutdown::Shutdown, telemetry};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::settings::{GatewaySettings, Settings};

/// Which servers a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Servers {
    /// Every one.
    All,
    /// The Auth API alone.
    Service,
}

/// Serves until SIGTERM or Ctrl-C, then finishes what is in flight.
///
/// # Errors
/// When the configuration cannot be used, or a port is taken.
pub fn run(servers: Servers) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let mut settings = Settings::load()?;
    let telemetry = start_telemetry(&settings.telemetry, &settings.warnings)?;
    settings.service.make_development_secrets()?;
    in_runtime(telemetry, serve_all(servers, settings, began))
}

/// Serves the gateway alone.
///
/// # Errors
/// As [`run`].
pub fn run_gateway() -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let settings = GatewaySettings::load()?;
    let telemetry = start_telemetry(&settings.telemetry, &settings.warnings)?;
    in_runtime(telemetry, serve_gateway(settings, began))
}

fn start_telemetry(config: &TelemetryConfig, warnings: &[String]) -> anyhow::Result<telemetry::Telemetry> {
    let telemetry = telemetry::start(config, "auth-system", env!("CARGO_PKG_VERSION"))?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(telemetry)
}

fn in_runtime(
    telemetry: telemetry::Telemetry,
    servers: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(servers);
    // What may hang, such as a hung database's connection, is not waited for.
    runtime.shutdown_background();
    drop(telemetry);
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn serve_all(servers: Servers, settings: Settings, began: Instant) -> anyhow::Result<()> {
    let Settings { mut service, mut gateway, serve: limits, metrics: metrics_config, .. } = settings;
    let shutdown = Shutdown::on_signal()?;
    outlive_hangups(match servers {
        Servers::All => gateway.file.as_deref(),
        Servers::Service => None,
    })?;
    let (metrics_listener, exporter) = (bind(metrics_config.address, "METRICS_ADDR").await?, metrics::install()?);
    let listener = bind(service.addr, "SERVICE_ADDR").await?;
    let front = match servers {
        Servers::All => Some(bind(gateway.addr, "GATEWAY_ADDR").await?),
        Servers::Service => None,
    };
    let own = OwnConnections::default();
    if front.is_some() {
        // The two share a process, so they need no secret from outside to know each other by.
        let token = service.revocation.token.take().unwrap_or_else(|| Secret::new(Entropy.token().to_wire().as_str()));
        service.revocation.token = Some(token.clone());
        gateway.feed.token = Some(token);
        service.proxies = service.proxies.with_own(own.clone());
    }
    let welcome = welcome(&service, front.as_ref(), metrics_config.address);
    let is_development = service.environment == Environment::Development;
    let api_addr = listener.local_addr()?;
    let app = App::start(service, Clock::System).await?;
    let neighbours = Neighbours { api: Some(api_addr), console: None, own_connections: Some(own) };
    let front = match front {
        Some(listener) => {
            let gateway = api_gateway::App::start(gateway, &neighbours, Clock::System, shutdown.clone())?;
            Some(Listeners::open(gateway, listener).await?)
        }
        None => None,
    };
    tracing::info!(addr = %api_addr, "the Auth API listens after {} ms", began.elapsed().as_millis());
    if is_development {
        println!("{welcome}");
    }
    tokio::spawn(drain(app.clone(), shutdown.clone()));
    let page = metrics::router(exporter);
    let page = match &front {
        Some(front) => page.route_service(HealthDetails::PATH, front.health_details()),
        None => page,
    };
    let metrics = serve::serve(metrics_listener, page, limits, shutdown.clone());
    let servers = serve_in_turn(front, (listener, app), limits, shutdown);
    let (metrics, servers) = tokio::join!(metrics, servers);
    metrics.and(servers).context("serving")
}

/// The gateway leaves first: until its last request is answered, it needs the Auth API behind it.
async fn serve_in_turn(
    front: Option<Listeners>,
    (listener, app): (TcpListener, App),
    limits: ServeLimits,
    shutdown: Shutdown,
) -> io::Result<()> {
    let api = auth_service::router(app);
    let Some(front) = front else { return serve::serve(listener, api, limits, shutdown).await };
    let (first, second) = (limits.drain_time.mul_f64(2.0 / 3.0), limits.drain_time.mul_f64(1.0 / 3.0));
    let (gone, behind) = Shutdown::manual();
    let gateway = async {
        let outcome = front.serve(ServeLimits { drain_time: first, ..limits }, shutdown.clone()).await;
        // If it ended by itself, the API ends with it.
        gone.request();
        outcome
    };
    let api = serve::serve(listener, api, ServeLimits { drain_time: second, ..limits }, behind);
    let (gateway, api) = tokio::join!(gateway, api);
    gateway.and(api)
}

async fn serve_gateway(settings: GatewaySettings, began: Instant) -> anyhow::Result<()> {
    let GatewaySettings { gateway, serve: limits, metrics: MetricsConfig { address }, .. } = settings;
    let shutdown = Shutdown::on_signal()?;
    outlive_hangups(gateway.file.as_deref())?;
    let (metrics_listener, exporter) = (bind(address, "GATEWAY_METRICS_ADDR").await?, metrics::install()?);
    let listener = bind(gateway.addr, "GATEWAY_ADDR").await?;
    let addr = listener.local_addr()?;
    let app = api_gateway::App::start(gateway, &Neighbours::default(), Clock::System, shutdown.clone())?;
    let listeners = Listeners::open(app, listener).await?;
    tracing::info!(%addr, "the gateway listens after {} ms", began.elapsed().as_millis());
    let page = metrics::router(exporter).route_service(HealthDetails::PATH, listeners.health_details());
    let metrics = serve::serve(metrics_listener, page, limits, shutdown.clone());
    let (metrics, gateway) = tokio::join!(metrics, listeners.serve(limits, shutdown));
    metrics.and(gateway).context("serving")
}

/// From here on SIGHUP, which by default ends a process, has the gateway's file read again, or else is only logged.
fn outlive_hangups(file: Option<&Path>) -> io::Result<()> {
    // The process has it handled for good; the gateway listens for itself once it has read its file.
    let mut hangup = signal(SignalKind::hangup())?;
    if file.is_none() {
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                tracing::info!("SIGHUP: nothing to reload");
            }
        });
    }
    Ok(())
}

/// Answers "not ready" from the first moment of leaving, so that load balancers stop sending.
async fn drain(app: App, shutdown: Shutdown) {
    shutdown.requested().await;
    app.drain();
}

async fn bind(addr: SocketAddr, variable: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("{variable}: cannot listen on {addr}; is another instance running?"))
}

fn welcome(service: &auth_service::Config, front: Option<&TcpListener>, metrics: SocketAddr) -> String {
    let port = service.addr.port();
    let gateway = front.and_then(|front| front.local_addr().ok());
    let gateway =
        gateway.map_or_else(String::new, |addr| format!("    Gateway        http://localhost:{}\n", addr.port()));
    let database = match &service.db.primary_url {
        Some(_) => "PostgreSQL".to_owned(),
        None => format!("SQLite, {}", service.db.data_dir.join("auth.db").display()),
    };
    format!(
        "\n  auth-system {version} is ready\n\n    Auth API       http://localhost:{port}\n{gateway}    Documentation  http://localhost:{port}/docs\n    Metrics        http://{metrics}/metrics\n    Database       {database}\n    Signing key    {key}\n\n  Press Ctrl-C to stop.\n",
        version = env!("CARGO_PKG_VERSION"),
        key = service.keys.source,
    )
}

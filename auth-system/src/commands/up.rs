//! `auth-system up` and its single roles: starts servers and keeps them until told to stop.

use std::{process::ExitCode, time::Instant};

use anyhow::Context;
use auth_service::App;
use service_kit::{clock::Clock, config::Environment, metrics, serve, shutdown::Shutdown, telemetry};
use tokio::net::TcpListener;

use crate::settings::Settings;

/// Serves until SIGTERM or Ctrl-C, then finishes what is in flight.
///
/// # Errors
/// When the configuration cannot be used, or a port is taken.
pub fn run() -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let mut settings = Settings::load()?;
    let telemetry = telemetry::start(&settings.telemetry, "auth-system", env!("CARGO_PKG_VERSION"))?;
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    settings.service.make_development_secrets()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve_all(settings, began));
    // What may hang, such as a hung database's connection, is not waited for.
    runtime.shutdown_background();
    drop(telemetry);
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn serve_all(settings: Settings, began: Instant) -> anyhow::Result<()> {
    let Settings { service, serve: limits, metrics: metrics_config, .. } = settings;
    let shutdown = Shutdown::on_signal()?;
    let exporter = metrics::install()?;
    let listener = bind(service.addr, "SERVICE_ADDR").await?;
    let metrics_listener = bind(metrics_config.address, "METRICS_ADDR").await?;
    let welcome = welcome(&service, metrics_config.address);
    let is_development = service.environment == Environment::Development;
    let app = App::start(service, Clock::System).await?;
    tracing::info!(addr = %listener.local_addr()?, "the Auth API listens after {} ms", began.elapsed().as_millis());
    if is_development {
        println!("{welcome}");
    }
    tokio::spawn(drain(app.clone(), shutdown.clone()));
    let metrics = serve::serve(metrics_listener, metrics::router(exporter), limits, shutdown.clone());
    let api = serve::serve(listener, auth_service::router(app), limits, shutdown);
    let (metrics, api) = tokio::join!(metrics, api);
    metrics.and(api).context("serving")
}

/// Answers "not ready" from the first moment of leaving, so that load balancers stop sending.
async fn drain(app: App, shutdown: Shutdown) {
    shutdown.requested().await;
    app.drain();
}

async fn bind(addr: std::net::SocketAddr, variable: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("{variable}: cannot listen on {addr}; is another instance running?"))
}

fn welcome(service: &auth_service::Config, metrics: std::net::SocketAddr) -> String {
    let port = service.addr.port();
    let database = match &service.db.primary_url {
        Some(_) => "PostgreSQL".to_owned(),
        None => format!("SQLite, {}", service.db.data_dir.join("auth.db").display()),
    };
    format!(
        "\n  auth-system {version} is ready\n\n    Auth API       http://localhost:{port}\n    Documentation  http://localhost:{port}/docs\n    Metrics        http://{metrics}/metrics\n    Database       {database}\n    Signing key    {key}\n\n  Press Ctrl-C to stop.\n",
        version = env!("CARGO_PKG_VERSION"),
        key = service.keys.source,
    )
}

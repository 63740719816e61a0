//! `auth-system gateway` and `auth-system admin`: one server in a process of its own.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use api_gateway::{HealthDetails, Listeners, Neighbours};
use auth_admin::Neighbour;
use service_kit::metrics::MetricsConfig;
use service_kit::telemetry::MetricLog;
use service_kit::{clock::Clock, metrics, serve, shutdown::Shutdown};

use super::serving::{bind, in_runtime, outlive_hangups, start_telemetry};
use crate::settings::{AdminSettings, GatewaySettings};

/// Serves the gateway alone.
///
/// # Errors
/// When the configuration cannot be used, or a port is taken.
pub fn run_gateway() -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let settings = GatewaySettings::load()?;
    let telemetry = start_telemetry(&settings.telemetry, &settings.warnings)?;
    let metric_log = telemetry.metric_log();
    in_runtime(telemetry, serve_gateway(settings, began, metric_log))
}

/// Serves the console alone.
///
/// # Errors
/// As [`run_gateway`].
pub fn run_admin() -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let settings = AdminSettings::load()?;
    let telemetry = start_telemetry(&settings.telemetry, &settings.warnings)?;
    let metric_log = telemetry.metric_log();
    in_runtime(telemetry, serve_admin(settings, began, metric_log))
}

async fn serve_gateway(settings: GatewaySettings, began: Instant, metric_log: MetricLog) -> anyhow::Result<()> {
    let GatewaySettings { gateway, serve: limits, metrics: MetricsConfig { address }, .. } = settings;
    let shutdown = Shutdown::on_signal()?;
    outlive_hangups(gateway.file.as_deref())?;
    let (metrics_listener, exporter) = (bind(address, "GATEWAY_METRICS_ADDR").await?, metrics::install()?);
    let listener = bind(gateway.addr, "GATEWAY_ADDR").await?;
    let addr = listener.local_addr()?;
    let app = api_gateway::App::start(gateway, &Neighbours::default(), Clock::System, shutdown.clone())?;
    let listeners = Listeners::open(app, listener).await?;
    tracing::info!(%addr, "the gateway listens after {} ms", began.elapsed().as_millis());
    let page = metrics::router(exporter.clone()).route_service(HealthDetails::PATH, listeners.health_details());
    let metrics = serve::serve(metrics_listener, page, limits, shutdown.clone());
    let serving = async { tokio::join!(metrics, listeners.serve(limits, shutdown)) };
    let (metrics, gateway) = metric_log.beside("api-gateway", exporter, serving).await;
    metrics.and(gateway).context("serving")
}

async fn serve_admin(settings: AdminSettings, began: Instant, metric_log: MetricLog) -> anyhow::Result<()> {
    let AdminSettings { admin, serve: limits, metrics: MetricsConfig { address }, .. } = settings;
    let shutdown = Shutdown::on_signal()?;
    outlive_hangups(None)?;
    let (metrics_listener, exporter) = (bind(address, "ADMIN_METRICS_ADDR").await?, metrics::install()?);
    let listener = bind(admin.addr, "ADMIN_ADDR").await?;
    let addr = listener.local_addr()?;
    let app = auth_admin::App::start(admin, Neighbour::default(), Clock::System).map_err(anyhow::Error::msg)?;
    tracing::info!(%addr, "the console listens after {} ms", began.elapsed().as_millis());
    let metrics = serve::serve(metrics_listener, metrics::router(exporter.clone()), limits, shutdown.clone());
    let console = serve::serve(listener, auth_admin::router(app), limits, shutdown);
    let serving = async { tokio::join!(metrics, console) };
    let (metrics, console) = metric_log.beside("auth-admin", exporter, serving).await;
    metrics.and(console).context("serving")
}

//! What every process that serves begins and ends with.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use service_kit::telemetry::{self, TelemetryConfig};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Begins to log, and logs what looked wrong in the environment.
///
/// # Errors
/// When the telemetry cannot be started.
pub fn start_telemetry(config: &TelemetryConfig, warnings: &[String]) -> anyhow::Result<telemetry::Telemetry> {
    let telemetry = telemetry::start(config, "auth-system", env!("CARGO_PKG_VERSION"))?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(telemetry)
}

/// Runs servers to their end.
///
/// # Errors
/// What they ended by.
pub fn in_runtime(
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

/// From here on SIGHUP, which by default ends a process, has the gateway's file read again, or else is only logged.
///
/// # Errors
/// When the operating system refuses the handler.
pub fn outlive_hangups(file: Option<&Path>) -> io::Result<()> {
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

/// A listener at an address that a variable names.
///
/// # Errors
/// When it cannot be had.
pub async fn bind(addr: SocketAddr, variable: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("{variable}: cannot listen on {addr}; is another instance running?"))
}

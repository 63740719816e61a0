//! Prometheus metrics: one recorder per process, read from a listener that is not the public one.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::header;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::config::Env;
use crate::edge::Edge;
use crate::proxies::TrustedProxies;
use crate::serve;

/// Seconds; from an answer out of memory to the request time-out.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];
/// Counters of every server.
const COUNTED_BY_ALL: [&str; 2] = ["http_requests_shed_total", "log_lines_lost_total"];
const UPKEEP: Duration = Duration::from_secs(5);

/// Where metrics are read.
#[derive(Clone, Copy, Debug)]
pub struct MetricsConfig {
    /// Loopback unless said otherwise: metrics are for operators, not for the public.
    pub address: SocketAddr,
}

impl MetricsConfig {
    /// Reads the variable `name`, for each server has its own: `METRICS_ADDR` with default `127.0.0.1:9000`, and so on.
    pub fn read(env: &mut Env, name: &'static str, default: &'static str) -> Self {
        Self { address: serve::read_address(env, name, default, "Where GET /metrics answers (Prometheus).") }
    }
}

/// Installs the process's recorder. Histograms named `…_seconds` get buckets.
///
/// # Errors
/// When one is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?;
    // Of a counter that appears with its first event, no alert sees that event.
    for name in COUNTED_BY_ALL {
        metrics::counter!(name).increment(0);
    }
    Ok(handle)
}

/// `GET /metrics`, and a task that folds what was recorded. Call it inside the runtime.
pub fn router(handle: PrometheusHandle) -> Router {
    let folding = handle.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(UPKEEP);
        loop {
            tick.tick().await;
            // Otherwise samples pile up between two readings, for ever when nobody reads.
            folding.run_upkeep();
        }
    });
    let render = async move || ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render());
    let routes = Router::new().route("/metrics", get(render)).layer(Edge::new(TrustedProxies::default()));
    // Turns the handler into a route once instead of at each request.
    routes.with_state(())
}

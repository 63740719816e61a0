//! What is counted and logged of each request: one line and two meters, never a query, a body or a token.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram};

use super::Arrival;

const WARN_EVERY: Duration = Duration::from_secs(60);
/// More peers than a sane network has proxies; beyond it the warnings already say enough.
const WARNED_PEERS: usize = 64;

/// The meters of one route: registered at the first answer of a kind, afterwards one atomic update each.
#[derive(Clone, Debug)]
pub(super) struct RouteMeters {
    in_flight: Gauge,
    answers: Arc<RwLock<Vec<AnswerMeter>>>,
}

#[derive(Debug)]
struct AnswerMeter {
    method: &'static str,
    status: StatusCode,
    count: Counter,
    seconds: Histogram,
}

impl RouteMeters {
    pub(super) fn new() -> Self {
        Self { in_flight: metrics::gauge!("http_requests_in_flight"), answers: Arc::default() }
    }

    fn record(&self, method: &'static str, route: &str, status: StatusCode, seconds: f64) {
        let matches = |meter: &&AnswerMeter| meter.method == method && meter.status == status;
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = answers.iter().find(matches) {
            return meter.record(seconds);
        }
        drop(answers);
        let meter = AnswerMeter::register(method, route, status);
        meter.record(seconds);
        self.answers.write().unwrap_or_else(PoisonError::into_inner).push(meter);
    }
}

impl AnswerMeter {
    fn register(method: &'static str, route: &str, status: StatusCode) -> Self {
        let (route, code) = (route.to_owned(), status.as_str().to_owned());
        let count = metrics::counter!(
            "http_requests_total", "method" => method, "route" => route.clone(), "status" => code
        );
        let seconds = metrics::histogram!("http_request_duration_seconds", "method" => method, "route" => route);
        Self { method, status, count, seconds }
    }

    fn record(&self, seconds: f64) {
        self.count.increment(1);
        self.seconds.record(seconds);
    }
}

/// A request in progress; leaves the gauge also when the client goes away first.
pub(super) struct InFlight(RouteMeters);

impl InFlight {
    pub(super) fn begin(meters: &RouteMeters) -> Self {
        meters.in_flight.increment(1.0);
        Self(meters.clone())
    }

    /// Counts and logs the answer.
    pub(super) fn end(self, arrival: &Arrival, status: StatusCode) {
        let elapsed = arrival.at.elapsed().as_secs_f64();
        self.0.record(method_label(&arrival.method), arrival.route(), status, elapsed);
        log(arrival, status, elapsed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.decrement(1.0);
    }
}

/// Warns of proxies that nobody declared, once a minute each.
#[derive(Clone, Debug, Default)]
pub(super) struct UndeclaredProxies(Arc<Mutex<Vec<(IpAddr, Instant)>>>);

impl UndeclaredProxies {
    pub(super) fn notice(&self, proxy: IpAddr) {
        let now = Instant::now();
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        warned.retain(|(_, at)| now.duration_since(*at) < WARN_EVERY);
        if warned.len() < WARNED_PEERS && warned.iter().all(|(known, _)| *known != proxy) {
            warned.push((proxy, now));
            tracing::warn!(%proxy, "X-Forwarded-For from a proxy that TRUSTED_PROXIES does not name");
        }
    }
}

/// The access log: what went well is `debug`, a caller's mistake `info`, ours `error`.
fn log(arrival: &Arrival, status: StatusCode, elapsed: f64) {
    let Arrival { method, client, .. } = arrival;
    let (route, status, client) = (arrival.route(), status.as_u16(), client.ip);
    let latency_ms = (elapsed * 1e6).round() / 1e3;
    match status {
        500.. => tracing::error!(target: "access", %method, route, status, latency_ms, %client, "answered"),
        400.. => tracing::info!(target: "access", %method, route, status, latency_ms, %client, "answered"),
        _ => tracing::debug!(target: "access", %method, route, status, latency_ms, %client, "answered"),
    }
}

/// Callers may invent methods; labels they must not.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

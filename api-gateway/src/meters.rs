//! What is counted of a route, registered at the first answer of a kind, and what is shown as zero before it happens.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Method, StatusCode};
use metrics::{Counter, Histogram};

/// The meters of one route.
pub struct RouteMeters {
    route: Arc<str>,
    seconds: Histogram,
    /// Behind no lock: to take one is to write where all threads do, at each request.
    answers: ArcSwap<Vec<(StatusCode, Counter)>>,
}

impl RouteMeters {
    /// The meters of the route with this name.
    pub fn new(route: &Arc<str>) -> Self {
        let label = route.to_string();
        Self {
            route: Arc::clone(route),
            seconds: metrics::histogram!("gateway_request_duration_seconds", "route" => label),
            answers: ArcSwap::default(),
        }
    }

    /// Counts an answer, whose head took `seconds`.
    pub fn record(&self, status: StatusCode, seconds: f64) {
        self.seconds.record(seconds);
        if let Some((_, counter)) = self.answers.load().iter().find(|(known, _)| *known == status) {
            return counter.increment(1);
        }
        let labels = [("route", self.route.to_string()), ("status", status.as_str().to_owned())];
        let counter = metrics::counter!("gateway_requests_total", &labels);
        counter.increment(1);
        // Two threads that meet here add it twice, and the first is found.
        self.answers.rcu(|known| known.iter().cloned().chain([(status, counter.clone())]).collect::<Vec<_>>());
    }
}

/// Shows counters as zero from the start: of one that appears with its first event, no alert sees that event.
pub fn show_zeros() {
    metrics::counter!("token_validations_failed_total").increment(0);
    for outcome in ["done", "refused"] {
        metrics::counter!("gateway_reloads_total", "outcome" => outcome).increment(0);
    }
    for outcome in ["good", "bad", "unknown"] {
        metrics::counter!("gateway_api_key_resolutions_total", "outcome" => outcome).increment(0);
    }
    for rule in ["gateway_address", "gateway_user", "gateway_api_key", "gateway_route"] {
        metrics::counter!("rate_limited_total", "rule" => rule).increment(0);
    }
}

/// Callers may invent methods; a log line is no place for them.
pub fn method_label(method: &Method) -> &str {
    if method.as_str().len() <= 16 { method.as_str() } else { "OTHER" }
}

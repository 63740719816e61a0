//! What is counted of a route: registered at the first answer of a kind, afterwards one atomic update each.

use std::sync::{Arc, PoisonError, RwLock};

use http::{Method, StatusCode};
use metrics::{Counter, Histogram};

/// The meters of one route.
pub struct RouteMeters {
    route: Arc<str>,
    seconds: Histogram,
    answers: RwLock<Vec<(StatusCode, Counter)>>,
}

impl RouteMeters {
    /// The meters of the route with this name.
    pub fn new(route: &Arc<str>) -> Self {
        let label = route.to_string();
        Self {
            route: Arc::clone(route),
            seconds: metrics::histogram!("gateway_request_duration_seconds", "route" => label),
            answers: RwLock::default(),
        }
    }

    /// Counts an answer, whose head took `seconds`.
    pub fn record(&self, status: StatusCode, seconds: f64) {
        self.seconds.record(seconds);
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counter)) = answers.iter().find(|(known, _)| *known == status) {
            return counter.increment(1);
        }
        drop(answers);
        let labels = [("route", self.route.to_string()), ("status", status.as_str().to_owned())];
        let counter = metrics::counter!("gateway_requests_total", &labels);
        counter.increment(1);
        self.answers.write().unwrap_or_else(PoisonError::into_inner).push((status, counter));
    }
}

/// Callers may invent methods; a log line is no place for them.
pub fn method_label(method: &Method) -> &str {
    if method.as_str().len() <= 16 { method.as_str() } else { "OTHER" }
}

//! What the gateway answers by itself: an index, its health, and the key that signs its assertions.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use std::time::Instant;

use crate::arrival::Arrival;
use crate::gateway::Gateway;
use crate::identity::Freshness;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::routing::Routing;

impl Gateway {
    /// The answer to a path that is the gateway's own; nothing for any other. `/internal` is nobody's at this door.
    pub(crate) fn own_answer(
        &self,
        arrival: &Arrival,
        routing: &Routing,
        path: &str,
    ) -> Result<Option<Response<Reply>>, Refusal> {
        match path {
            "/gateway/health" => Ok(Some(self.json(arrival, &self.health(routing)))),
            "/gateway/health/ready" if self.is_ready() => Ok(Some(self.json(arrival, &json!({"status": "ready"})))),
            "/gateway/health/ready" => Err(Refusal::NotReady),
            "/gateway/jwks.json" => match &routing.assertion {
                Some(assertion) => Ok(Some(answer(arrival, assertion.jwks_json().to_owned().into()))),
                None => Err(Refusal::NotFound),
            },
            _ if is_below(path, "/gateway") || is_below(path, "/internal") => Err(Refusal::NotFound),
            _ => Ok(None),
        }
    }

    /// What stands at the door when no route does.
    pub(crate) fn index(&self, arrival: &Arrival) -> Response<Reply> {
        self.json(
            arrival,
            &json!({
                "name": "auth-system gateway",
                "version": env!("CARGO_PKG_VERSION"),
                "documentation": "/docs",
                "health": "/gateway/health",
            }),
        )
    }

    /// Always 200 while the process answers; `degraded` when something of it does not work as it should.
    fn health(&self, routing: &Routing) -> Value {
        let (revocations, staleness) = match self.identity.freshness(Instant::now()) {
            Freshness::Unknown => ("unknown", None),
            Freshness::Current(age) => ("current", Some(age.as_secs_f64())),
            Freshness::Stale(age) => ("stale", Some(age.as_secs_f64())),
        };
        let keys = if self.identity.has_keys() { "known" } else { "unknown" };
        let upstreams: serde_json::Map<String, Value> = routing
            .upstreams()
            .map(|upstream| {
                let servers = upstream.status();
                let usable = servers.iter().filter(|server| server.healthy && !server.ejected).count();
                (upstream.config().name.to_string(), json!({"servers": servers.len(), "usable": usable}))
            })
            .collect();
        let faults = self.file_state.faults();
        let routes = faults.as_ref().map_or("current".to_owned(), |why| format!("an older file is in force: {why}"));
        let needs_identity = routing.identifies_anybody();
        let is_healthy = faults.is_none() && (!needs_identity || (revocations == "current" && keys == "known"));
        json!({
            "status": if is_healthy { "healthy" } else { "degraded" },
            "version": env!("CARGO_PKG_VERSION"),
            "environment": self.environment.as_str(),
            "routes": routes,
            "keys": keys,
            "revocations": {"state": revocations, "staleness_seconds": staleness},
            "upstreams": upstreams,
        })
    }

    /// Whether requests should be sent here: not while leaving, and not before callers can be told apart.
    fn is_ready(&self) -> bool {
        let knows = || self.identity.has_keys() && self.identity.freshness(Instant::now()) != Freshness::Unknown;
        !self.shutdown.is_requested() && (!self.routing.load().identifies_anybody() || knows())
    }

    fn json(&self, arrival: &Arrival, value: &Value) -> Response<Reply> {
        answer(arrival, value.to_string().into())
    }
}

fn answer(arrival: &Arrival, json: Bytes) -> Response<Reply> {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    arrival.own(StatusCode::OK, headers, json)
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

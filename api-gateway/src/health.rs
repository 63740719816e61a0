//! What the gateway answers by itself: an index, its health, and the key that signs its assertions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use crate::arrival::Arrival;
use crate::gateway::Gateway;
use crate::identity::Freshness;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::routing::Routing;

/// What the gateway leans on.
struct Checks {
    /// Why the file of routes was refused, if it was.
    faults: Option<Arc<String>>,
    has_keys: bool,
    revocations: Freshness,
    /// Whether keys and revocations matter.
    identifies_anybody: bool,
    upstreams: BTreeMap<Arc<str>, Servers>,
}

/// Of an upstream.
#[derive(Serialize)]
struct Servers {
    servers: usize,
    usable: usize,
}

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
                "documentation": "/docs",
                "health": "/gateway/health",
            }),
        )
    }

    /// Always 200 while the process answers; `degraded` when something of it does not work as it should. Anybody may read
    /// it: what is behind the gateway, and what runs it, is told to operators alone.
    fn health(&self, routing: &Routing) -> Value {
        let checks = self.checks(routing);
        json!({"status": checks.status(), "checks": checks.kinds()})
    }

    /// The same with names, numbers and reasons, for operators.
    pub(crate) fn health_details(&self) -> Value {
        let routing = self.routing.load();
        let checks = self.checks(&routing);
        let age = match checks.revocations {
            Freshness::Unknown => None,
            Freshness::Current(age) | Freshness::Stale(age) => Some(age.as_secs_f64()),
        };
        let upstreams = checks.upstreams.iter().map(|(name, of)| (name.to_string(), json!(of)));
        json!({
            "status": checks.status(),
            "checks": checks.kinds(),
            "version": env!("CARGO_PKG_VERSION"),
            "environment": self.environment.as_str(),
            "routes_refused": checks.faults.as_deref(),
            "revocations_staleness_seconds": age,
            "upstreams": upstreams.collect::<serde_json::Map<_, _>>(),
        })
    }

    fn checks(&self, routing: &Routing) -> Checks {
        let upstreams = routing.upstreams().map(|upstream| {
            let servers = upstream.status();
            let usable = servers.iter().filter(|server| server.healthy && !server.ejected).count();
            (Arc::clone(&upstream.config().name), Servers { servers: servers.len(), usable })
        });
        Checks {
            faults: self.file_state.faults(),
            has_keys: self.identity.has_keys(),
            revocations: self.identity.freshness(Instant::now()),
            identifies_anybody: routing.identifies_anybody(),
            upstreams: upstreams.collect(),
        }
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

impl Checks {
    /// A service that is away is no fault of the gateway's: its own routes alone answer 503.
    fn status(&self) -> &'static str {
        let knows = self.has_keys && matches!(self.revocations, Freshness::Current(_));
        if self.faults.is_none() && (knows || !self.identifies_anybody) { "healthy" } else { "degraded" }
    }

    fn kinds(&self) -> Value {
        let revocations = match self.revocations {
            Freshness::Unknown => "unknown",
            Freshness::Current(_) => "current",
            Freshness::Stale(_) => "stale",
        };
        let all_usable = self.upstreams.values().all(|servers| servers.usable > 0);
        json!({
            "routes": if self.faults.is_none() { "current" } else { "refused" },
            "keys": if self.has_keys { "known" } else { "unknown" },
            "revocations": revocations,
            "upstreams": if all_usable { "usable" } else { "some_unusable" },
        })
    }
}

fn answer(arrival: &Arrival, json: Bytes) -> Response<Reply> {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    arrival.own(StatusCode::OK, headers, json)
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

//! Upstreams: servers that do the same, kept connected, watched, and shared out among requests.

mod config;

pub use config::{Balance, HealthCheck, ServerUrl, TlsOptions, UpstreamConfig};

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};

use crate::body::Outgoing;

/// Servers that do the same.
pub struct Upstream {
    config: UpstreamConfig,
}

/// The body of an upstream's answer; while it lives, its connection is busy.
pub type Answer = hyper::body::Incoming;

/// Why no answer came. Nothing here is for the client.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// As many requests as the upstream may have are in progress, and the queue is full or was too slow.
    #[error("the upstream is at its limit")]
    AtLimit,
    /// Every server is unhealthy or ejected (the circuit is open).
    #[error("no server of the upstream is usable")]
    NoServer,
    /// No connection: refused, unreachable, too slow, or TLS failed.
    #[error("cannot connect to {0}: {1}")]
    Connect(Arc<str>, String),
    /// The connection broke, or what came is no HTTP.
    #[error("{0} broke off: {1}")]
    Broken(Arc<str>, String),
}

/// What is known of one server, for health and metrics.
#[derive(Clone, Debug)]
pub struct ServerStatus {
    /// Host and port.
    pub address: String,
    /// By active checks.
    pub healthy: bool,
    /// By its answers to real requests.
    pub ejected: bool,
    /// Requests in progress.
    pub in_progress: usize,
}

impl Upstream {
    /// Begins to watch the servers; connections are opened when they are needed. Call it inside the runtime; its tasks
    /// end when the last reference is dropped.
    ///
    /// # Errors
    /// One sentence, when a file of its TLS options cannot be used.
    pub fn open(config: UpstreamConfig, extra_roots_pem: Option<&[u8]>) -> Result<Arc<Self>, String> {
        let _ = extra_roots_pem;
        Ok(Arc::new(Self { config }))
    }

    /// What it was opened with.
    #[must_use]
    pub fn config(&self) -> &UpstreamConfig {
        &self.config
    }

    /// Sends a request, whose URI is in origin form and whose headers are final, to one of the servers. Returns with the
    /// head of the answer. A request is sent again, at most `retries` times, only where the upstream cannot have
    /// begun with it: no connection, or a kept-alive one that was closed before a byte of the answer came and the
    /// method is safe and the body can be repeated.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn send(&self, request: Request<Outgoing>, retries: u32) -> Result<Response<Answer>, Failure> {
        let _ = (request, retries);
        Err(Failure::NoServer)
    }

    /// The servers, as they are seen now.
    #[must_use]
    pub fn status(&self) -> Vec<ServerStatus> {
        Vec::new()
    }
}

/// How long a connection may take when nothing is said.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

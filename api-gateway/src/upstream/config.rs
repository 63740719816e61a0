//! What an upstream is made of.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// `[upstream.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// Its name, for logs and metrics.
    pub name: Arc<str>,
    /// At least one.
    pub servers: Vec<ServerUrl>,
    /// Whose turn it is.
    pub balance: Balance,
    /// Active checks, if any.
    pub health: Option<HealthCheck>,
    /// HTTP/2: by prior knowledge over plain connections, by ALPN over TLS.
    pub http2: bool,
    /// TLS, for `https` servers.
    pub tls: TlsOptions,
    /// For a connection, TLS included.
    pub connect_timeout: Duration,
    /// After this long without a request a connection is closed.
    pub idle_timeout: Duration,
    /// Requests in progress at all its servers together.
    pub max_requests: usize,
    /// Requests that may wait for one of these places.
    pub queue: usize,
    /// How long they may.
    pub queue_timeout: Duration,
    /// Failures in a row after which a server is left alone for a while.
    pub eject_after: u32,
    /// The first while; it doubles with each further ejection, up to 5 minutes. For the last usable server it is always at
    /// most a second.
    pub eject_time: Duration,
    /// How long a server that comes (back) gets less than its share.
    pub slow_start: Duration,
    /// How often names are resolved anew.
    pub resolve_interval: Duration,
}

/// `http://host:port` or `https://host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerUrl {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// The one with the fewest requests in progress.
    LeastLoaded,
}

/// `health = { path, interval, timeout, healthy_after, unhealthy_after }`: GET, and 2xx or 3xx is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked for.
    pub path: String,
    /// How often.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Good answers in a row until a server is used again.
    pub healthy_after: u32,
    /// Bad ones in a row until it is not.
    pub unhealthy_after: u32,
}

/// `tls = { ca, server_name, client_cert, client_key }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Roots in PEM that are trusted in place of the system's.
    pub ca: Option<PathBuf>,
    /// The name that the certificate must have, in place of the URL's host.
    pub server_name: Option<String>,
    /// Our own certificate chain and key, in PEM.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl UpstreamConfig {
    /// An upstream that says no more than its servers.
    #[must_use]
    pub fn of_servers(name: &str, servers: Vec<ServerUrl>) -> Self {
        Self {
            name: name.into(),
            servers,
            balance: Balance::RoundRobin,
            health: None,
            http2: false,
            tls: TlsOptions::default(),
            connect_timeout: super::CONNECT_TIMEOUT,
            idle_timeout: Duration::from_secs(60),
            max_requests: 1024,
            queue: 256,
            queue_timeout: Duration::from_secs(1),
            eject_after: 5,
            eject_time: Duration::from_secs(10),
            slow_start: Duration::from_secs(10),
            resolve_interval: Duration::from_secs(30),
        }
    }
}

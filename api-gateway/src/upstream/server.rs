//! One server as configured: what its addresses have in common.

use http::uri::{Authority, Scheme};
use metrics::{Counter, Gauge, counter, gauge};
use rustls::pki_types::ServerName;

use crate::upstream::config::{ServerUrl, TlsOptions};
use crate::upstream::tls::expected_name;

/// One server as configured.
pub(super) struct Server {
    pub url: ServerUrl,
    /// Host and port, as in a URL.
    pub authority: Authority,
    /// What its certificate says, where TLS is spoken.
    pub tls_name: Option<ServerName<'static>>,
    pub meters: Meters,
}

impl Server {
    /// # Errors
    /// One sentence, when its host cannot be one.
    pub fn new(upstream: &str, url: ServerUrl, tls: &TlsOptions) -> Result<Self, String> {
        let ServerUrl { host, port, .. } = &url;
        let text = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let authority = Authority::try_from(text.as_str()).map_err(|_| format!("{text} is no host and port"))?;
        let tls_name = expected_name(&url, tls)?;
        let meters = Meters::new(upstream, &text);
        Ok(Self { url, authority, tls_name, meters })
    }

    pub fn scheme(&self) -> Scheme {
        if self.url.tls { Scheme::HTTPS } else { Scheme::HTTP }
    }
}

/// How a request to a server ended, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An answer came.
    Answered,
    /// 502, 503 or 504.
    Unable,
    /// No connection.
    Unconnected,
    /// The connection broke before the head of an answer.
    Broken,
    /// The connection broke within an answer's body, whose head was counted already.
    Cut,
    /// Nobody waited any longer, for it took too long.
    TimedOut,
    /// Nobody waited any longer, soon.
    Abandoned,
}

/// Handles made once; the label is the configured host and port, for addresses come and go.
pub(super) struct Meters {
    outcomes: [Counter; 7],
    pub opened: Counter,
    pub ejections: Counter,
    /// How many of its addresses are in use.
    pub up: Gauge,
    pub in_progress: Gauge,
}

impl Meters {
    fn new(upstream: &str, server: &str) -> Self {
        let labels = || [("upstream", upstream.to_owned()), ("server", server.to_owned())];
        let outcome = |outcome: &'static str| {
            counter!("gateway_upstream_requests_total",
                "upstream" => upstream.to_owned(), "server" => server.to_owned(), "outcome" => outcome)
        };
        let names = ["answered", "unable", "unconnected", "broken", "cut", "timed_out", "abandoned"];
        Self {
            outcomes: names.map(outcome),
            opened: counter!("gateway_upstream_connections_opened_total", &labels()),
            ejections: counter!("gateway_upstream_ejections_total", &labels()),
            up: gauge!("gateway_upstream_server_up", &labels()),
            in_progress: gauge!("gateway_upstream_requests_in_progress", &labels()),
        }
    }

    pub fn count(&self, outcome: Outcome) {
        let index = match outcome {
            Outcome::Answered => 0,
            Outcome::Unable => 1,
            Outcome::Unconnected => 2,
            Outcome::Broken => 3,
            Outcome::Cut => 4,
            Outcome::TimedOut => 5,
            Outcome::Abandoned => 6,
        };
        self.outcomes[index].increment(1);
    }
}

//! Upstreams: servers that do the same, kept connected, watched, and shared out among requests.
//!
//! An HTTP/1.1 connection has no task of its own. It is two futures, one for the answer and one that does the work, and
//! the task that waits for the answer polls both (`http1.rs`); so does the answer's body ([`Answer`]) until it has ended
//! and the connection goes back to the pool. So a request costs no wake-up of another task, dropping a future or an answer
//! closes its connection with nothing left to stop, and nobody reads ahead of a slow client. The
//! `bell.rs` keeps hyper's own wake-ups from scheduling that task twice. In throughput it measured like a task each.
//! Three things need a task and get one: HTTP/2 connections, which many requests share; connections that change to
//! another protocol; and answers that come before the request was wholly sent.

mod admission;
mod answer;
mod balance;
mod bell;
mod config;
mod connect;
mod ejection;
mod endpoint;
mod group;
mod health;
mod http1;
mod http2;
mod link;
mod ramp;
mod resolve;
mod server;
mod tls;
mod turn;
mod upload;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use config::{Balance, HealthCheck, ServerUrl, TlsOptions, UpstreamConfig};
pub(crate) use tls::system_roots;
pub use turn::Patience;

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use service_kit::proxies::OwnConnections;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::body::Outgoing;
use crate::upstream::admission::{Admission, Place};
use crate::upstream::balance::Balancer;
use crate::upstream::ejection::Company;
use crate::upstream::endpoint::{Endpoint, Reuse};
use crate::upstream::group::Group;
use crate::upstream::resolve::Resolver;
use crate::upstream::turn::{Next, Repeat, Turn};

/// How long a connection may take when nothing is said.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Servers that do the same.
pub struct Upstream {
    group: Arc<Group>,
    admission: Admission,
    balancer: Balancer,
    /// They end with this.
    _tasks: JoinSet<()>,
}

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
    /// The connection broke, or what came is no HTTP. Also when the body of the request fails.
    #[error("{0} broke off: {1}")]
    Broken(Arc<str>, String),
}

/// What is known of one address of a server, for health and metrics.
#[derive(Clone, Debug)]
pub struct ServerStatus {
    /// Host and port, and the address that the host stands for.
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
        Self::open_within(config, extra_roots_pem, None)
    }

    /// The same, of servers in this process: they are told which connections are its own.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_within(
        config: UpstreamConfig,
        extra_roots_pem: Option<&[u8]>,
        own: Option<OwnConnections>,
    ) -> Result<Arc<Self>, String> {
        Ok(Self::watch(Group::new(config, extra_roots_pem, own)?, Resolver::System))
    }

    fn watch(group: Group, resolver: Resolver) -> Arc<Self> {
        let admission = Admission::new(&group.config);
        let balancer = Balancer::new(group.config.balance);
        let group = Arc::new(group);
        let mut tasks = JoinSet::new();
        tasks.spawn(group::report(Arc::downgrade(&group)));
        tasks.spawn(group::sweep(Arc::downgrade(&group), group.config.idle_timeout));
        if group.has_names() {
            let interval = group.config.resolve_interval;
            tasks.spawn(resolve::keep_resolved(Arc::downgrade(&group), resolver, interval));
        }
        Arc::new(Self { group, admission, balancer, _tasks: tasks })
    }

    /// What it was opened with.
    #[must_use]
    pub fn config(&self) -> &UpstreamConfig {
        &self.group.config
    }

    /// As [`Self::send_with`], with the patience of somebody who did not say.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn send(
        &self,
        request: Request<Outgoing>,
        retries: u32,
    ) -> impl Future<Output = Result<Response<Answer>, Failure>> {
        self.send_with(Patience::default(), request, retries)
    }

    /// Sends a request, whose URI is in origin form and whose headers are final, to one of the servers. Returns with the
    /// head of the answer; dropping the future gives the request up (`patience` tells how long that says nothing
    /// against the server). A request is sent again, at most `retries` times, only where the upstream cannot have begun
    /// with it: no connection, or a kept-alive one that was closed before a byte of the answer came and the method is
    /// safe and the body can be repeated. One that was closed before anything was written is replaced by a new one
    /// whatever `retries` says.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn send_with(
        &self,
        patience: Patience,
        request: Request<Outgoing>,
        retries: u32,
    ) -> Result<Response<Answer>, Failure> {
        let place = match self.admission.try_enter() {
            Some(place) => place,
            None => Box::pin(self.wait_for_place()).await?,
        };
        if self.group.endpoints.load().is_empty() {
            Box::pin(self.group.wait_for_addresses()).await;
        }
        let mut journey = Journey { patience, retries, tried: Vec::new(), reuse: Reuse::Welcome, last: None };
        let mut request = request;
        loop {
            let Some(mut turn) = self.pick(&journey) else { return Err(self.nowhere(journey)) };
            let repeat = if journey.retries > 0 { Repeat::Allowed } else { Repeat::Forbidden };
            match turn.send(request, journey.reuse, repeat).await {
                Ok(answer) => return Ok(Answer::to_request(answer, turn, place)),
                Err((failure, next)) => request = journey.go_on(turn, failure, next)?,
            }
        }
    }

    /// The addresses of the servers, as they are seen now.
    #[must_use]
    pub fn status(&self) -> Vec<ServerStatus> {
        let now = Instant::now();
        self.group.endpoints.load().iter().map(|endpoint| endpoint.status(now)).collect()
    }

    /// Nobody waits for an upstream of which nothing is usable.
    async fn wait_for_place(&self) -> Result<Place, Failure> {
        let now = Instant::now();
        let endpoints = self.group.endpoints.load_full();
        let may_serve = |e: &Arc<Endpoint>| e.is_usable(now) || e.is_trial_due(Company::Alone, now);
        let hopeless = !endpoints.is_empty() && !endpoints.iter().any(may_serve);
        if hopeless { Err(Failure::NoServer) } else { self.admission.enter().await }
    }

    fn pick(&self, journey: &Journey) -> Option<Turn> {
        let now = Instant::now();
        let endpoints = self.group.endpoints.load();
        let (endpoint, kind) = self.balancer.pick(&endpoints, &journey.tried, now)?;
        Some(Turn::begin(endpoint, kind, journey.patience, now))
    }

    fn nowhere(&self, journey: Journey) -> Failure {
        if let Some(last) = journey.last {
            return last;
        }
        if self.group.endpoints.load().is_empty() {
            return Failure::Connect(Arc::clone(&self.group.config.name), "no address is known".to_owned());
        }
        Failure::NoServer
    }
}

/// A request's way from server to server.
struct Journey {
    patience: Patience,
    retries: u32,
    /// There was no connection.
    tried: Vec<Arc<Endpoint>>,
    reuse: Reuse,
    last: Option<Failure>,
}

impl Journey {
    /// The request for the next server, or what to tell the caller.
    fn go_on(&mut self, turn: Turn, failure: Failure, next: Next) -> Result<Request<Outgoing>, Failure> {
        match next {
            Next::Anew(request) if self.reuse == Reuse::Welcome => {
                self.reuse = Reuse::Never;
                Ok(*request)
            }
            Next::Repeat(request) if self.retries > 0 => {
                self.reuse = Reuse::Never;
                self.retries -= 1;
                Ok(*request)
            }
            Next::Elsewhere(request) | Next::Anew(request) if self.retries > 0 => {
                self.retries -= 1;
                self.tried.push(Arc::clone(turn.endpoint()));
                self.last = Some(failure);
                Ok(*request)
            }
            Next::Repeat(_) | Next::Elsewhere(_) | Next::Anew(_) | Next::GiveUp => Err(failure),
        }
    }
}

//! One address of a server: its connections, and whether it is used.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use tokio::time::Instant;

use crate::upstream::config::UpstreamConfig;
use crate::upstream::connect::{Connector, Protocol, Stream};
use crate::upstream::ejection::{Breaker, Change, Company, Fault, Gate, Kind, Rule};
use crate::upstream::http1::{Http1, Pool};
use crate::upstream::http2::Shared;
use crate::upstream::link::Link;
use crate::upstream::ramp::Ramp;
use crate::upstream::server::Server;
use crate::upstream::{Failure, ServerStatus};

/// The addresses of an upstream.
pub(super) type Endpoints = ArcSwap<Vec<Arc<Endpoint>>>;

/// One address of a server.
pub(super) struct Endpoint {
    pub address: SocketAddr,
    pub server: Arc<Server>,
    /// For failures and logs.
    pub label: Arc<str>,
    pub pool: Pool,
    pub shared: Shared,
    pub ramp: Ramp,
    connector: Arc<Connector>,
    /// All of its upstream.
    all: Weak<Endpoints>,
    /// It was asked for HTTP/2 and chose otherwise.
    chose_http1: AtomicBool,
    breaker: Breaker,
    healthy: AtomicBool,
    /// As the gauge has it.
    up: AtomicBool,
    in_progress: AtomicUsize,
}

/// Whether a connection that was used before will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// It will.
    Welcome,
    /// It must be new, if it is nobody else's.
    Never,
}

/// By active checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It may be used.
    Good,
    /// It may not.
    Bad,
}

impl Endpoint {
    pub fn new(
        address: SocketAddr,
        server: Arc<Server>,
        connector: Arc<Connector>,
        config: &UpstreamConfig,
        all: Weak<Endpoints>,
    ) -> Self {
        server.meters.up.increment(1.0);
        Self {
            address,
            label: if server.url.host.parse() == Ok(address.ip()) {
                server.authority.as_str().into()
            } else {
                format!("{} ({address})", server.authority).into()
            },
            pool: Pool::new(config.max_requests, config.idle_timeout),
            shared: Shared::default(),
            ramp: Ramp::new(config.slow_start, Instant::now()),
            connector,
            all,
            chose_http1: AtomicBool::new(false),
            breaker: Breaker::new(Rule { after: config.eject_after.max(1), time: config.eject_time }),
            healthy: AtomicBool::new(true),
            up: AtomicBool::new(true),
            in_progress: AtomicUsize::new(0),
            server,
        }
    }

    /// Whether requests may go there now, apart from one trial.
    pub fn is_usable(&self, now: Instant) -> bool {
        self.is_healthy() && self.breaker.gate(Company::Usable, now) == Gate::Open
    }

    /// Whether one request may go there, if no other does first.
    pub fn is_trial_due(&self, company: Company, now: Instant) -> bool {
        self.is_healthy() && self.breaker.gate(company, now) == Gate::TrialDue
    }

    /// Makes the caller's request the trial, if one is due.
    pub fn take_trial(&self, company: Company, now: Instant) -> Option<Kind> {
        if self.is_healthy() { self.breaker.take_trial(company, now) } else { None }
    }

    pub fn in_progress(&self) -> usize {
        self.in_progress.load(Ordering::Relaxed)
    }

    pub fn begin_request(&self) {
        self.in_progress.fetch_add(1, Ordering::Relaxed);
    }

    pub fn end_request(&self) {
        self.in_progress.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn succeeded(&self, kind: Kind) {
        if self.breaker.is_clean() {
            return;
        }
        let now = Instant::now();
        if self.breaker.succeeded(kind, now) == Change::Restored {
            tracing::info!(server = %self.label, "the server answers again, and is used again");
            self.ramp.restart(now);
            self.tell_gauge();
        }
    }

    /// What a client can bring about counts only while others can take over: it must not be able to shut out the last.
    pub fn failed(&self, kind: Kind, fault: Fault) {
        let now = Instant::now();
        let company = self.company(now);
        match (fault, company) {
            (Fault::Unable, Company::Alone) => return self.succeeded(kind),
            (Fault::TimedOut, Company::Alone) => {
                // A connection that all share may be what hangs.
                self.shared.retire();
                return self.abandoned(kind);
            }
            (Fault::Unconnected | Fault::Broken, _) | (Fault::TimedOut | Fault::Unable, Company::Usable) => {}
        }
        if let Change::Ejected(time) = self.breaker.failed(kind, fault, company, now) {
            let seconds = time.as_secs_f64();
            match (kind, company) {
                (Kind::Trial(_), Company::Alone) => tracing::debug!(server = %self.label, seconds, "a trial failed"),
                (Kind::Ordinary, _) | (Kind::Trial(_), Company::Usable) => {
                    tracing::warn!(server = %self.label, seconds, "the server failed too often, and is left alone");
                }
            }
            self.server.meters.ejections.increment(1);
            self.shared.retire();
            self.tell_gauge();
        }
    }

    pub fn abandoned(&self, kind: Kind) {
        self.breaker.abandoned(kind, Instant::now());
    }

    pub fn set_health(&self, health: Health, why: &str) {
        let good = health == Health::Good;
        if self.healthy.swap(good, Ordering::AcqRel) == good {
            return;
        }
        match health {
            Health::Good => {
                tracing::info!(server = %self.label, "the server is healthy, and is used again");
                self.ramp.restart(Instant::now());
            }
            Health::Bad => tracing::warn!(server = %self.label, why, "the server is not healthy, and is not used"),
        }
        self.tell_gauge();
    }

    pub fn status(&self, now: Instant) -> ServerStatus {
        ServerStatus {
            address: self.label.to_string(),
            healthy: self.is_healthy(),
            ejected: self.breaker.gate(Company::Usable, now) != Gate::Open,
            in_progress: self.in_progress(),
        }
    }

    /// A connection for a request. One that is shared is there for all until it is retired, whatever `reuse` says.
    ///
    /// # Errors
    /// [`Failure::Connect`].
    pub async fn link(&self, reuse: Reuse, now: Instant) -> Result<Link, Failure> {
        let wants_http2 = self.connector.preferred == Protocol::Http2 && !self.chose_http1.load(Ordering::Acquire);
        if !wants_http2 {
            if reuse == Reuse::Welcome
                && let Some(connection) = self.pool.take(now)
            {
                return Ok(Link::kept(connection));
            }
            // Boxed, as all that is rare on the way of a request: its future is moved at every step of the way.
            return Box::pin(self.link_http1()).await;
        }
        match self.shared.sender() {
            Some(sender) => Ok(Link::Shared(sender, Reuse::Welcome)),
            None => Box::pin(self.link_anew()).await,
        }
    }

    async fn link_http1(&self) -> Result<Link, Failure> {
        let (stream, _) = self.open(Protocol::Http1).await?;
        Http1::begin(stream).await.map(Link::fresh).map_err(|error| self.unconnected(error))
    }

    /// A connection for one request that asks for another protocol.
    ///
    /// # Errors
    /// [`Failure::Connect`].
    pub async fn open(&self, wanted: Protocol) -> Result<(Stream, Protocol), Failure> {
        let opened = self.connector.open(self.address, self.server.tls_name.as_ref(), wanted).await;
        let opened = opened.map_err(|error| self.unconnected(error))?;
        self.server.meters.opened.increment(1);
        Ok(opened)
    }

    /// A connection that many may wait for.
    async fn link_anew(&self) -> Result<Link, Failure> {
        let _turn = self.shared.opening.lock().await;
        if let Some(sender) = self.shared.sender() {
            return Ok(Link::Shared(sender, Reuse::Welcome));
        }
        let (stream, chosen) = self.open(Protocol::Http2).await?;
        let link = match chosen {
            Protocol::Http2 => self.shared.begin(stream).await.map(|sender| Link::Shared(sender, Reuse::Never)),
            Protocol::Http1 => {
                self.chose_http1.store(true, Ordering::Release);
                Http1::begin(stream).await.map(Link::fresh)
            }
        };
        link.map_err(|error| self.unconnected(error))
    }

    fn unconnected(&self, error: String) -> Failure {
        Failure::Connect(Arc::clone(&self.label), error)
    }

    fn company(&self, now: Instant) -> Company {
        let all = self.all.upgrade();
        let is_other = |other: &Arc<Self>| !std::ptr::eq(Arc::as_ptr(other), self);
        let found = all.is_some_and(|all| all.load().iter().any(|other| is_other(other) && other.is_usable(now)));
        if found { Company::Usable } else { Company::Alone }
    }

    fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Acquire)
    }

    fn tell_gauge(&self) {
        let up = self.is_usable(Instant::now());
        if self.up.swap(up, Ordering::AcqRel) != up {
            self.server.meters.up.increment(if up { 1.0 } else { -1.0 });
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if self.up.load(Ordering::Acquire) {
            self.server.meters.up.decrement(1.0);
        }
    }
}

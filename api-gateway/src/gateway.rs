//! The gateway itself: what stays while requests and configurations come and go.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use jiff::Timestamp;
use rate_limit::{RateLimiter, TimeSource};
use service_kit::clock::Clock;
use service_kit::config::Environment;
use service_kit::cors::Cors;
use service_kit::edge::SecurityHeaders;
use service_kit::hosts::AllowedHosts;
use service_kit::proxies::{OwnConnections, TrustedProxies};
use service_kit::redis::Redis;
use service_kit::request_id::RequestIds;
use service_kit::serve::tls::Certificates;
use service_kit::shutdown::Shutdown;
use tokio::sync::Notify;
use tower_http::cors::{AllowHeaders, AllowMethods, CorsLayer};
use uuid::Uuid;

use crate::acme::Keeper;
use crate::alarm::Alarm;
use crate::concurrency::Concurrency;
use crate::config::Config;
use crate::expiry::Expiry;
use crate::gather::Memory;
use crate::identity::{Identity, IdentityConfig};
use crate::limits::Limits;
use crate::meters;
use crate::reload;
use crate::reply::Reply;
use crate::report;
use crate::routes::{AUTH_API, Acme, CONSOLE, TlsFile};
use crate::routing::{Ground, Routing};
use crate::upstream::{ServerUrl, Upstream, UpstreamConfig};

/// Where the Auth API and the console are when nothing is said.
const API_DEFAULT: (&str, u16) = ("127.0.0.1", 8000);
const CONSOLE_DEFAULT: (&str, u16) = ("127.0.0.1", 5173);

/// A running gateway. Each clone, which a connection has one of, counts its requests by itself: one counter for all
/// would be fought over by all threads.
pub struct App(Arc<Counted>);

/// What the requests of one connection share.
struct Counted {
    gateway: Arc<Gateway>,
    alarm: Arc<Alarm>,
}

impl App {
    fn of(gateway: Arc<Gateway>) -> Self {
        Self(Arc::new(Counted { gateway, alarm: Arc::default() }))
    }
}

impl Clone for App {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.0.gateway))
    }
}

/// What a gateway is made of.
pub(crate) struct Gateway {
    /// Which one it is: chosen at the start.
    pub(crate) id: Uuid,
    pub(crate) started_at: Timestamp,
    /// Where it was told to listen.
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) environment: Environment,
    pub(crate) proxies: TrustedProxies,
    pub(crate) hosts: AllowedHosts,
    /// Where the gateway speaks for other origins; without it, upstreams do.
    pub(crate) cors: Option<CorsLayer>,
    pub(crate) ids: RequestIds,
    pub(crate) headers: SecurityHeaders,
    pub(crate) limits: Limits,
    pub(crate) concurrency: Concurrency,
    pub(crate) memory: Memory,
    pub(crate) origins: Cors,
    pub(crate) identity: Arc<Identity>,
    pub(crate) routing: ArcSwap<Routing>,
    pub(crate) ground: Ground,
    /// What the file says of TLS; listeners do not change with it.
    pub(crate) tls: Option<TlsFile>,
    pub(crate) shutdown: Shutdown,
    /// Whether the file as it is now is in force.
    pub(crate) file_state: reload::FileState,
    /// Rung whenever it was read.
    pub(crate) reloaded: Arc<Notify>,
    /// What reports to the Auth API, if anything does.
    pub(crate) reporting: OnceLock<report::Reporting>,
    /// What it serves TLS by, once it does.
    pub(crate) certificates: OnceLock<Certificates>,
}

/// What only the process that also runs the servers behind the gateway can tell it.
#[derive(Default)]
pub struct Neighbours {
    /// Where the Auth API of this process listens.
    pub api: Option<std::net::SocketAddr>,
    /// Where the console of this process listens.
    pub console: Option<std::net::SocketAddr>,
    /// Which connections are the gateway's own, for the Auth API to believe.
    pub own_connections: Option<OwnConnections>,
    /// The same for the console.
    pub own_console_connections: Option<OwnConnections>,
}

/// Why a gateway cannot be started: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file, every fault a line.
    #[error("{0}")]
    File(String),
    /// Redis's address is unusable.
    #[error(transparent)]
    Redis(#[from] service_kit::redis::InvalidRedisUrl),
    /// An upstream cannot be used.
    #[error("{0}")]
    Upstream(String),
    /// Nothing could be told apart.
    #[error("the operating system gives no random numbers")]
    Random,
    /// Nobody could ask for the file to be read again.
    #[error("the operating system refuses a handler for SIGHUP: {0}")]
    Signal(#[from] std::io::Error),
}

impl App {
    /// Starts a gateway: its file is read, and it begins to fetch keys and to hear of revocations.
    ///
    /// # Errors
    /// When the configuration cannot work, whatever the Auth API does.
    pub fn start(
        config: Config,
        neighbours: &Neighbours,
        clock: Clock,
        shutdown: Shutdown,
    ) -> Result<Self, StartError> {
        meters::show_zeros();
        let roots = config.extra_roots.as_deref();
        let api = servers(config.api, neighbours.api, API_DEFAULT);
        let console = servers(config.console, neighbours.console, CONSOLE_DEFAULT);
        let open = |config, own| Upstream::open_within(config, roots, own).map_err(StartError::Upstream);
        let source = open(identity_source(api.clone()), None)?;
        let api = open(UpstreamConfig::of_servers(AUTH_API, api), neighbours.own_connections.clone())?;
        let console = open(UpstreamConfig::of_servers(CONSOLE, console), neighbours.own_console_connections.clone())?;
        let id = new_id()?;
        let identity = IdentityConfig {
            gateway: id,
            issuer: config.tokens.issuer,
            audience: config.tokens.audience,
            fixed_keys: config.fixed_keys,
            feed_token: config.feed.token,
            max_staleness: config.feed.max_staleness,
        };
        let identity = Identity::start(identity, source, clock.clone());
        let ground = Ground { api, console, extra_roots: config.extra_roots };
        let watch = config.file.as_deref().map(reload::Watch::begin).transpose()?;
        let file = reload::read(config.file.as_deref()).map_err(StartError::File)?;
        let tls = file.tls.clone();
        let routing = reload::route(file, &ground, &identity, None).map_err(StartError::File)?;
        let counters = match &config.redis_url {
            Some(url) => {
                RateLimiter::redis(Redis::open(url.expose(), ground.extra_roots.as_deref())?, TimeSource::of(&clock))
            }
            None => RateLimiter::memory(),
        };
        let gateway = Arc::new(Gateway {
            id,
            started_at: clock.now(),
            address: config.addr,
            clock,
            environment: config.environment,
            proxies: config.proxies,
            hosts: config.hosts,
            cors: cors_rules(&config.cors),
            ids: RequestIds::new(),
            headers: SecurityHeaders::new(),
            limits: Limits::new(counters, config.environment == Environment::Development),
            concurrency: Concurrency::new(),
            memory: Memory::new(),
            origins: config.cors,
            identity,
            routing: ArcSwap::from_pointee(routing),
            ground,
            tls,
            shutdown,
            file_state: reload::FileState::default(),
            reloaded: Arc::default(),
            reporting: OnceLock::new(),
            certificates: OnceLock::new(),
        });
        if let Some(reporter) = gateway.identity.reporter() {
            let reporting = tokio::spawn(report::run(Arc::downgrade(&gateway), reporter));
            drop(gateway.reporting.set(reporting.into()));
        }
        gateway.begin(watch);
        Ok(Self::of(gateway))
    }

    /// What the file says of TLS, as it was at the start.
    pub(crate) fn tls(&self) -> Option<TlsFile> {
        self.0.gateway.tls.clone()
    }

    /// What keeps these certificates as `[tls] acme` says.
    pub(crate) fn acme(&self, config: Acme, certificates: Certificates) -> Keeper {
        Keeper::start(config, certificates, self.0.gateway.ground.extra_roots.clone(), self.0.gateway.clock.clone())
    }

    /// What tells when these certificates expire.
    pub(crate) fn expiry(&self, certificates: Certificates) -> Expiry {
        // There is one listener for TLS.
        drop(self.0.gateway.certificates.set(certificates.clone()));
        Expiry::new(certificates, self.0.gateway.clock.clone())
    }

    /// What all connections share.
    pub(crate) fn gateway(&self) -> Arc<Gateway> {
        Arc::clone(&self.0.gateway)
    }

    /// Hosts that are answered.
    pub(crate) fn allowed_hosts(&self) -> AllowedHosts {
        self.0.gateway.hosts.clone()
    }
}

impl Gateway {
    /// Begins to look at the file, and to tell the Auth API how it fares.
    fn begin(self: &Arc<Self>, watch: Option<reload::Watch>) {
        if let Some(watch) = watch {
            tokio::spawn(watch.run(Arc::downgrade(self)));
        }
        if let Some(reporter) = self.identity.reporter() {
            let reporting = tokio::spawn(report::run(Arc::downgrade(self), reporter));
            drop(self.reporting.set(reporting.into()));
        }
    }
}

impl tower::Service<Request<Incoming>> for App {
    type Response = Response<Reply>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Reply>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let counted = Arc::clone(&self.0);
        Box::pin(async move { Ok(counted.gateway.answer(request, &counted.alarm).await) })
    }
}

fn servers(said: Vec<ServerUrl>, neighbour: Option<std::net::SocketAddr>, default: (&str, u16)) -> Vec<ServerUrl> {
    let here = |host: String, port| vec![ServerUrl { tls: false, host, port }];
    match neighbour {
        _ if !said.is_empty() => said,
        // A server that listens on every interface is found on loopback.
        Some(address) if address.ip().is_unspecified() => here(default.0.to_owned(), address.port()),
        Some(address) => here(address.ip().to_string(), address.port()),
        None => here(default.0.to_owned(), default.1),
    }
}

/// Unlike that of any other gateway, and of this one after its next start.
fn new_id() -> Result<Uuid, StartError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StartError::Random)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// The Auth API once more, for keys, revocations and API keys: what clients do to the other may neither keep these waiting
/// nor shut them out, and whoever has just come back must be heard at once.
fn identity_source(servers: Vec<ServerUrl>) -> UpstreamConfig {
    UpstreamConfig { eject_after: u32::MAX, ..UpstreamConfig::of_servers("auth-api (identity)", servers) }
}

/// Where origins are named the gateway answers for all of its routes, whatever methods and headers those take.
fn cors_rules(cors: &Cors) -> Option<CorsLayer> {
    if matches!(cors, Cors::Origins(origins) if origins.is_empty()) {
        return None;
    }
    Some(cors.rules().allow_headers(AllowHeaders::mirror_request()).allow_methods(AllowMethods::mirror_request()))
}

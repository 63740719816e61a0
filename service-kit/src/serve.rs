//! Serving on a socket: HTTP/1.1 and HTTP/2 with limits, a listener that survives, a drain that ends.

mod connection;
mod framing;
mod pace;
pub mod redirect;
mod refusal;
mod socket;
pub mod tls;
mod workers;

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::Service;

use crate::config::{Env, Environment, Period};
use crate::shutdown::Shutdown;
use connection::{Accepted, Server};
use tls::Certificates;
pub use workers::Workers;

/// Long enough not to spin while file descriptors are missing, short enough not to be noticed afterwards.
const ACCEPT_BACK_OFF: Duration = Duration::from_millis(100);

/// What can be served: every tower service of requests that fails at none and is always ready, such as axum's router. It
/// is cloned for each connection. Only a name for these bounds; there is nothing to implement.
pub trait Application:
    Service<Request<Incoming>, Response = Response<Self::Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
    /// The body of its answers, sent as it is: no box around it.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;
}

impl<S, B> Application for S
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    type Body = B;
}

/// How a request came to us; in the extensions of every request that was accepted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The socket's other end.
    pub peer: SocketAddr,
    /// What it speaks.
    pub scheme: Scheme,
}

/// Whether others could read along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Readable on the way, or TLS ended before us.
    Http,
    /// By TLS that ended here.
    Https,
}

impl Scheme {
    /// As in an address: `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What one listener allows.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Open connections; further ones wait in the operating system's queue.
    pub connections: usize,
    /// For the head of a request, from its first byte; for the first one from the connection's start.
    pub header_time: Duration,
    /// For a connection without a request.
    pub idle_time: Duration,
    /// For requests in progress once the program is to stop.
    pub drain_time: Duration,
}

impl ServeLimits {
    /// Reads `MAX_CONNECTIONS` and `DRAIN_TIMEOUT`.
    pub fn read(env: &mut Env) -> Self {
        let drain = "Longest wait for requests in progress when stopping.";
        Self {
            connections: env.parse("MAX_CONNECTIONS", "20000", "Open connections per listener; further ones wait."),
            drain_time: env.parse::<Period>("DRAIN_TIMEOUT", "15s", drain).get(),
            ..Self::default()
        }
    }
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            drain_time: Duration::from_secs(15),
        }
    }
}

/// Reads an address to listen on: `host:port`, or `:port` for loopback in development and every interface otherwise.
pub fn read_address(env: &mut Env, name: &'static str, default: &'static str, help: &'static str) -> SocketAddr {
    let local = env.environment() == Environment::Development;
    let every = if local { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
    let text: String = env.parse(name, default, help);
    let port = text.strip_prefix(':').and_then(|port| port.parse().ok());
    let address = port.map(|port| SocketAddr::from((IpAddr::V4(every), port))).or_else(|| text.parse().ok());
    address.unwrap_or_else(|| {
        env.refuse(format!("{name}: write an address and a port, such as 127.0.0.1:8000, or only the port: :8000"));
        SocketAddr::from((every, 0))
    })
}

/// Where connections come in, and how they are served.
pub struct Listener {
    socket: TcpListener,
    certificates: Option<Certificates>,
    workers: Option<Workers>,
}

impl From<TcpListener> for Listener {
    /// Plain, and served by the runtime at hand.
    fn from(socket: TcpListener) -> Self {
        Self { socket, certificates: None, workers: None }
    }
}

impl Listener {
    /// Behind TLS.
    #[must_use]
    pub fn with_tls(self, certificates: Certificates) -> Self {
        Self { certificates: Some(certificates), ..self }
    }

    /// Served by these threads.
    #[must_use]
    pub fn on(self, workers: Workers) -> Self {
        Self { workers: Some(workers), ..self }
    }
}

/// Serves `app` until `shutdown` is requested and the requests in progress are answered. Upgraded connections count as
/// open until their owner drops them; it is to do so when `shutdown` is requested.
///
/// # Errors
/// When the listener itself is unusable, or TLS cannot be set up at all; a failed accept is none, it is tried again.
pub async fn serve(
    listener: impl Into<Listener>,
    app: impl Application,
    limits: ServeLimits,
    shutdown: Shutdown,
) -> io::Result<()> {
    let Listener { socket: listener, certificates, workers } = listener.into();
    listener.local_addr()?;
    let tls = certificates.as_ref().map(tls::acceptor).transpose()?;
    let server = Arc::new(Server::new(limits, shutdown, tls));
    let slots = Slots::new(server.limits.connections);
    let mut connections = JoinSet::new();
    let stopping = server.shutdown.clone();
    let stopping = stopping.requested();
    tokio::pin!(stopping);
    loop {
        while connections.try_join_next().is_some() {}
        tokio::select! {
            () = &mut stopping => break,
            accepted = accept(&listener, &slots) => {
                begin(&mut connections, workers.as_ref(), accepted, (Arc::clone(&server), app.clone()));
            }
        }
    }
    // Whoever is in the queue already was promised a connection; closing now would reset it. The queue itself is asked,
    // for the runtime only knows who was there when it last looked.
    let listener = listener.into_std()?;
    while let Some(accepted) = take_queued(&listener, &slots) {
        begin(&mut connections, workers.as_ref(), accepted, (Arc::clone(&server), app.clone()));
    }
    drop(listener);
    drain(connections, &slots, server.limits.drain_time).await;
    Ok(())
}

/// Serves a connection here, or on a worker, which then watches its socket.
fn begin(
    connections: &mut JoinSet<()>,
    workers: Option<&Workers>,
    accepted: Accepted,
    (server, app): (Arc<Server>, impl Application),
) {
    let Some(place) = workers.and_then(Workers::assign) else {
        connections.spawn(server.connection(accepted, app));
        return;
    };
    let Accepted { slot, stream, peer } = accepted;
    let stream = stream.into_std();
    let runtime = place.runtime.clone();
    let serving = async move {
        let _place = place;
        // Fails when the system is out of memory for it: as if it had been cut.
        if let Ok(stream) = stream.and_then(TcpStream::from_std) {
            server.connection(Accepted { slot, stream, peer }, app).await;
        }
    };
    connections.spawn_on(serving, &runtime);
}

/// One permit for each connection that may be open.
struct Slots {
    free: Arc<Semaphore>,
    all: u32,
}

impl Slots {
    fn new(connections: usize) -> Self {
        let all = u32::try_from(connections.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self { free: Arc::new(Semaphore::new(all as usize)), all }
    }
}

/// The next connection, once there is a slot for it.
async fn accept(listener: &TcpListener, slots: &Slots) -> Accepted {
    loop {
        // The semaphore is never closed.
        let Ok(slot) = Arc::clone(&slots.free).acquire_owned().await else {
            continue;
        };
        match listener.accept().await {
            Ok((stream, peer)) => return Accepted { slot, stream, peer },
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Out of descriptors or memory: the connection stays queued, and open ones will end.
                tracing::warn!(error = %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_BACK_OFF).await;
            }
        }
    }
}

/// A connection that waits already, if there is one and a slot for it.
fn take_queued(listener: &std::net::TcpListener, slots: &Slots) -> Option<Accepted> {
    let slot = Arc::clone(&slots.free).try_acquire_owned().ok()?;
    let (stream, peer) = listener.accept().ok()?;
    stream.set_nonblocking(true).ok()?;
    Some(Accepted { slot, stream: TcpStream::from_std(stream).ok()?, peer })
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionReset, Interrupted].contains(&error.kind())
}

async fn drain(mut connections: JoinSet<()>, slots: &Slots, limit: Duration) {
    let ended = async {
        while connections.join_next().await.is_some() {}
        // An upgraded connection has left its task and taken its slot along. The semaphore is never closed.
        let _ = slots.free.acquire_many(slots.all).await;
    };
    if tokio::time::timeout(limit, ended).await.is_err() {
        let open = slots.all as usize - slots.free.available_permits();
        tracing::warn!(open, "connections cut at the end of the drain");
    }
}

//! Serving a router on a socket: HTTP/1.1 and HTTP/2 with limits, a listener that survives, a drain that ends.

mod pace;
mod refusal;
mod socket;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::{HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::Service;

use crate::config::{Env, Environment, Period};
use crate::proxies::PeerAddr;
use crate::shutdown::Shutdown;
use pace::{InProgress, Pace, Paced};
use socket::Socket;

/// Hyper's own bound, above the 16 KiB that the edge enforces with a proper problem.
const HEADER_BUFFER: usize = 32 * 1024;
const HTTP2_STREAMS: u32 = 100;
/// Long enough not to spin while file descriptors are missing, short enough not to be noticed afterwards.
const ACCEPT_BACK_OFF: Duration = Duration::from_millis(100);

/// After the request to stop, a kept-alive connection gets this long for one more request, which is then answered with
/// `Connection: close`: closing at once would reset a request that is on its way.
const FAREWELL: Duration = Duration::from_secs(1);

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
            connections: env.parse("MAX_CONNECTIONS", "10000", "Open connections per listener; further ones wait."),
            drain_time: env.parse::<Period>("DRAIN_TIMEOUT", "15s", drain).get(),
            ..Self::default()
        }
    }
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
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

/// Serves `app` until `shutdown` is requested and the requests in progress are answered.
///
/// # Errors
/// When the listener itself is unusable; a failed accept is none, it is tried again.
pub async fn serve(listener: TcpListener, app: Router, limits: ServeLimits, shutdown: Shutdown) -> io::Result<()> {
    listener.local_addr()?;
    let server = Server {
        // Turns every handler into a route once instead of at each request.
        app: app.with_state(()),
        http: http_builder(),
        limits,
        shutdown: shutdown.clone(),
    };
    let server = Arc::new(server);
    let slots = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let stopping = shutdown.requested();
    tokio::pin!(stopping);
    loop {
        while connections.try_join_next().is_some() {}
        tokio::select! {
            () = &mut stopping => break,
            (slot, stream, peer) = accept(&listener, &slots) => {
                connections.spawn(Arc::clone(&server).connection(slot, stream, peer));
            }
        }
    }
    // Whoever is in the queue already was promised a connection; closing now would reset it. The queue itself is asked,
    // for the runtime only knows who was there when it last looked.
    let listener = listener.into_std()?;
    while let Some((slot, stream, peer)) = take_queued(&listener, &slots) {
        connections.spawn(Arc::clone(&server).connection(slot, stream, peer));
    }
    drop(listener);
    drain(connections, limits.drain_time).await;
    Ok(())
}

struct Server {
    app: Router,
    http: auto::Builder<TokioExecutor>,
    limits: ServeLimits,
    shutdown: Shutdown,
}

impl Server {
    async fn connection(self: Arc<Self>, slot: OwnedSemaphorePermit, stream: TcpStream, peer: SocketAddr) {
        // Answers are small: waiting to fill a packet would only add latency.
        let _ = stream.set_nodelay(true);
        let pace = Pace::new(self.limits.header_time, self.limits.idle_time);
        let service = service_fn(|request| Arc::clone(&self).answer(request, peer, pace.begin()));
        let io = TokioIo::new(Socket::new(stream, pace.clone()));
        let connection = self.http.serve_connection(io, service);
        tokio::pin!(connection);
        let outcome = tokio::select! {
            outcome = &mut connection => outcome,
            () = self.farewell() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(error = %error, "connection ended early");
        }
        drop(slot);
    }

    async fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        peer: SocketAddr,
        in_progress: InProgress,
    ) -> Result<Response<Paced>, Infallible> {
        let multiplexed = request.version() == Version::HTTP_2;
        request.extensions_mut().insert(PeerAddr(peer));
        let mut response = self.app.clone().call(request).await?;
        if self.shutdown.is_requested() && !multiplexed {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| Paced::new(body, in_progress)))
    }

    async fn farewell(&self) {
        self.shutdown.requested().await;
        tokio::time::sleep(FAREWELL).await;
    }
}

fn http_builder() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    // Heads and idleness are timed by the socket's own wrapper, which tells the two apart; hyper does not.
    http.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEADER_BUFFER);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HEADER_BUFFER as u32)
        .keep_alive_interval(Duration::from_secs(30));
    http
}

/// The next connection, once there is a slot for it.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (OwnedSemaphorePermit, TcpStream, SocketAddr) {
    loop {
        // The semaphore is never closed.
        let Ok(slot) = Arc::clone(slots).acquire_owned().await else {
            continue;
        };
        match listener.accept().await {
            Ok((stream, peer)) => return (slot, stream, peer),
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
fn take_queued(
    listener: &std::net::TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let slot = Arc::clone(slots).try_acquire_owned().ok()?;
    let (stream, peer) = listener.accept().ok()?;
    stream.set_nonblocking(true).ok()?;
    Some((slot, TcpStream::from_std(stream).ok()?, peer))
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionReset, Interrupted].contains(&error.kind())
}

async fn drain(mut connections: JoinSet<()>, limit: Duration) {
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limit, ended).await.is_err() {
        tracing::warn!(open = connections.len(), "connections cut at the end of the drain");
    }
}

//! One connection from its accept to its end: its protocol, what its requests learn of it, and its farewell.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, Version, header};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;

use super::pace::{InProgress, Pace, Paced};
use super::socket::Socket;
use super::tls::was_challenge;
use super::{Application, Origin, Scheme, ServeLimits};
use crate::shutdown::Shutdown;

/// Hyper's own bound, above the 16 KiB that the edge enforces with a proper problem.
const HEADER_BUFFER: usize = 32 * 1024;
const HTTP2_STREAMS: u32 = 100;

/// After the request to stop, a kept-alive connection gets this long for one more request, which is then answered with
/// `Connection: close`: closing at once would reset a request that is on its way.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection that nobody has spoken on yet.
pub(super) struct Accepted {
    pub(super) slot: OwnedSemaphorePermit,
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
}

/// What all connections of a listener share.
pub(super) struct Server {
    tls: Option<TlsAcceptor>,
    http: auto::Builder<TokioExecutor>,
    pub(super) limits: ServeLimits,
    pub(super) shutdown: Shutdown,
}

impl Server {
    pub(super) fn new(limits: ServeLimits, shutdown: Shutdown, tls: Option<TlsAcceptor>) -> Self {
        Self { tls, http: http_builder(), limits, shutdown }
    }

    pub(super) async fn connection(self: Arc<Self>, accepted: Accepted, app: impl Application) {
        let Accepted { slot, stream, peer } = accepted;
        // Answers are small: waiting to fill a packet would only add latency.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.speak(stream, slot, app, Origin { peer, scheme: Scheme::Http }).await;
        };
        match tokio::time::timeout(self.limits.header_time, tls.accept(stream)).await {
            // RFC 8737: the connection ends after the handshake.
            Ok(Ok(stream)) if was_challenge(&stream) => tracing::debug!("a challenge was answered"),
            Ok(Ok(stream)) => self.speak(stream, slot, app, Origin { peer, scheme: Scheme::Https }).await,
            Ok(Err(error)) => tracing::debug!(error = %error, "no TLS came about"),
            Err(_) => tracing::debug!("no TLS came about in time"),
        }
    }

    async fn speak<S>(self: Arc<Self>, stream: S, slot: OwnedSemaphorePermit, app: impl Application, origin: Origin)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Counted by this connection alone, for the same reason as the application below.
        let shutdown = Arc::new(self.shutdown.clone());
        let pace = Pace::new(self.limits.header_time, self.limits.idle_time);
        let socket = Socket::new(stream, pace.clone(), slot);
        // One clone for the whole connection: one for each request would have all threads count on one counter.
        let app = RefCell::new(app);
        let service = service_fn(move |mut request| {
            // Now and not in the future, which may be polled later: the head is complete.
            let in_progress = pace.begin();
            let multiplexed = request.version() == Version::HTTP_2;
            request.extensions_mut().insert(origin);
            let answer = app.borrow_mut().call(request);
            let shutdown = Arc::clone(&shutdown);
            async move { Ok::<_, Infallible>(finish(answer.await?, in_progress, &shutdown, multiplexed)) }
        });
        let connection = self.http.serve_connection_with_upgrades(TokioIo::new(socket), service);
        let farewell = self.farewell();
        tokio::pin!(connection, farewell);
        let mut listens = false;
        let ended = poll_fn(|cx| {
            // To be polled, the signal takes a lock that all connections share: it is asked once, to be woken by it (a task
            // keeps its waker), and again when it was given.
            if !listens || self.shutdown.is_requested() {
                listens = true;
                if farewell.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
            }
            connection.as_mut().poll(cx).map(Some)
        });
        let outcome = match ended.await {
            Some(outcome) => outcome,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(error = %error, "connection ended early");
        }
    }

    async fn farewell(&self) {
        self.shutdown.requested().await;
        tokio::time::sleep(FAREWELL).await;
    }
}

/// An answer with what it means for its connection.
fn finish<B>(
    mut response: Response<B>,
    in_progress: InProgress,
    shutdown: &Shutdown,
    multiplexed: bool,
) -> Response<Paced<B>> {
    let is_last = shutdown.is_requested() || in_progress.is_last();
    if response.status() == StatusCode::SWITCHING_PROTOCOLS && !multiplexed {
        in_progress.pace().switch();
    } else if is_last && !multiplexed {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response.map(|body| Paced::new(body, in_progress))
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

#[cfg(test)]
mod tests;

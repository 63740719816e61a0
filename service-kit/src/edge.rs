//! The outermost layer: one pass over every request and answer, so that no path can forget a header or a log line.

mod access;
mod headers;

use std::any::Any;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use tower::{Layer, Service};
use tracing::Instrument;

use crate::language::Language;
use crate::problem::Problem;
use crate::proxies::{ClientAddr, TrustedProxies};
use crate::request_id::{self, RequestId, RequestIds};
use crate::serve::Origin;
use crate::telemetry;
use access::{InFlight, RouteMeters, UndeclaredProxies};
pub use headers::{API_CSP, SecurityHeaders};

/// Bytes of request line and headers; more is 431.
const HEADER_LIMIT: usize = 16 * 1024;

/// Ids, client addresses, spans, the access log, metrics, security headers, problems and caught panics, as one layer.
#[derive(Clone, Debug)]
pub struct Edge(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    proxies: TrustedProxies,
    ids: RequestIds,
    undeclared: UndeclaredProxies,
    headers: SecurityHeaders,
}

impl Edge {
    /// The layer; lay it around the whole router, outside every other.
    #[must_use]
    pub fn new(proxies: TrustedProxies) -> Self {
        let (ids, undeclared) = (RequestIds::new(), UndeclaredProxies::default());
        Self(Arc::new(Shared { proxies, ids, undeclared, headers: SecurityHeaders::new() }))
    }
}

impl Shared {
    fn client_of(&self, request: &Request) -> ClientAddr {
        // Without `serve`, as in a router's own test, there is no peer.
        let peer = request.extensions().get::<Origin>().map(|origin| origin.peer);
        let peer = peer.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
        let client = self.proxies.client_addr(peer, request.headers());
        if let Some(proxy) = client.undeclared_proxy {
            self.undeclared.notice(proxy);
        }
        client
    }
}

impl<S> Layer<S> for Edge {
    type Service = EdgeService<S>;

    fn layer(&self, inner: S) -> EdgeService<S> {
        EdgeService { inner, shared: Arc::clone(&self.0), meters: RouteMeters::new() }
    }
}

/// The service made by [`Edge`]; a router makes one per route, which is why each keeps its own meters.
#[derive(Clone, Debug)]
pub struct EdgeService<S> {
    inner: S,
    shared: Arc<Shared>,
    meters: RouteMeters,
}

/// What the answer and the log need to know of a request that is gone by then.
struct Arrival {
    at: Instant,
    id: RequestId,
    client: ClientAddr,
    method: Method,
    route: Option<MatchedPath>,
    language: Language,
}

impl<S> Service<Request> for EdgeService<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        let arrival = Arrival::of(&request, &shared);
        let in_flight = InFlight::begin(&self.meters);
        let (id, span) = (
            arrival.id.clone(),
            telemetry::server_span(&arrival.method, arrival.route(), &arrival.id, request.headers()),
        );
        request.extensions_mut().insert(arrival.id.clone());
        request.extensions_mut().insert(arrival.client);
        let begun = if head_size(request.uri(), request.headers()) > HEADER_LIMIT {
            Err(Problem::of_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE))
        } else {
            // Called here and not in the future: neither the service nor the request is copied into it.
            catch_unwind(AssertUnwindSafe(|| self.inner.call(request))).map_err(|panic| report(&*panic))
        };
        let served = async move { Ok(arrival.finish(answer(begun).await, in_flight, &shared.headers)) };
        Box::pin(request_id::scope(id, served.instrument(span)))
    }
}

impl Arrival {
    fn of(request: &Request, shared: &Shared) -> Self {
        Self {
            at: Instant::now(),
            id: shared.ids.accept_or_make(request.headers()),
            client: shared.client_of(request),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            language: Language::of(request.headers()),
        }
    }

    /// The pattern of the path: a path itself may hold what must not be logged.
    fn route(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }

    fn finish(self, mut response: Response, in_flight: InFlight, headers: &SecurityHeaders) -> Response {
        self.render_problem(&mut response);
        headers.set(response.headers_mut(), self.id.header());
        in_flight.end(&self, response.status());
        response
    }

    /// Gives every error a problem as its body, unless it already has a body that a program can read.
    fn render_problem(&self, response: &mut Response) {
        let status = response.status();
        let written = response.extensions_mut().remove::<Problem>();
        let problem = match written {
            Some(problem) => problem,
            None if status.as_u16() >= 400 && is_plain(response.headers()) => Problem::of_status(status),
            None => return,
        };
        problem.render(response, &self.id, self.language);
        if self.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
    }
}

/// The answer of the inner service, also when it panics: one request's defect is not another's.
async fn answer(begun: Result<impl Future<Output = Result<Response, Infallible>>, Problem>) -> Response {
    let ended = match begun {
        // The future is dropped after a panic, so nobody sees a state that it left broken.
        Ok(answer) => AssertUnwindSafe(answer).catch_unwind().await.map_err(|panic| report(&*panic)),
        Err(problem) => Err(problem),
    };
    match ended {
        Ok(Ok(response)) => response,
        Err(problem) => problem.into_response(),
    }
}

/// Logs a panic and makes it a problem that tells nothing of it.
fn report(panic: &(dyn Any + Send)) -> Problem {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = message.unwrap_or("unknown"), "request panicked");
    Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR)
}

fn head_size(uri: &Uri, headers: &HeaderMap) -> usize {
    let line = uri.path().len() + uri.query().map_or(0, str::len);
    line + headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
}

/// No body, or one that a framework wrote as text.
fn is_plain(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_none_or(|content_type| content_type.starts_with(b"text/plain"))
}

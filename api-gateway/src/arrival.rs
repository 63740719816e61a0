//! What is known of a request as it comes in, and what is said of it as its answer goes out.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use service_kit::hosts::{Host, host_of};
use service_kit::language::Language;
use service_kit::proxies::{ClientAddr, TrustedProxies};
use service_kit::request_id::{RequestId, RequestIds};
use service_kit::serve::{Origin, Scheme};

use crate::alarm::Alarm;
use crate::identity::Caller;
use crate::meters::method_label;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// A request's circumstances.
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) id: RequestId,
    pub(crate) client: ClientAddr,
    pub(crate) peer: IpAddr,
    pub(crate) is_tls: bool,
    pub(crate) method: Method,
    /// Which host it asks, for judging.
    pub(crate) asked: Host,
    /// The same as the client wrote it, for upstreams.
    pub(crate) host: HeaderValue,
    language: Language,
    /// Of its connection.
    pub(crate) alarm: Arc<Alarm>,
}

impl Arrival {
    pub(crate) fn of<B>(request: &Request<B>, proxies: &TrustedProxies, ids: &RequestIds, alarm: &Arc<Alarm>) -> Self {
        let unknown = Origin { peer: (Ipv4Addr::LOCALHOST, 0).into(), scheme: Scheme::Http };
        let Origin { peer, scheme } = request.extensions().get().copied().unwrap_or(unknown);
        let headers = request.headers();
        Self {
            at: Instant::now(),
            id: ids.accept_or_make(headers),
            client: proxies.client_addr(peer, headers),
            peer: peer.ip().to_canonical(),
            is_tls: scheme == Scheme::Https,
            method: request.method().clone(),
            asked: host_of(request),
            host: written_host(request),
            language: Language::of(headers),
            alarm: Arc::clone(alarm),
        }
    }

    /// The answer to a request that goes no further.
    pub(crate) fn refuse(&self, refusal: &Refusal) -> Response<Reply> {
        refusal.log();
        let (status, headers, body) = refusal.problem().into_parts(&self.id, self.language);
        self.own(status, headers, body)
    }

    /// An answer of the gateway's own.
    pub(crate) fn own(&self, status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Reply> {
        let mut response = Response::new(Reply::Empty);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        if self.method != Method::HEAD {
            *response.body_mut() = Reply::Bytes(body);
        }
        response
    }

    /// The access log: what went well is `debug`, a caller's mistake `info`, ours `error`. Never a path or a query, which
    /// may hold what must not be logged.
    pub(crate) fn log(&self, route: &str, caller: Option<&str>, status: StatusCode) {
        // Called only for a line that is written.
        let latency_ms = || (self.at.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let (method, status, client) = (method_label(&self.method), status.as_u16(), self.client.ip);
        match status {
            500.. => {
                tracing::error!(target: "access", method, route, status, latency_ms = latency_ms(), %client, caller, "answered")
            }
            400.. => {
                tracing::info!(target: "access", method, route, status, latency_ms = latency_ms(), %client, caller, "answered")
            }
            _ => {
                tracing::debug!(target: "access", method, route, status, latency_ms = latency_ms(), %client, caller, "answered")
            }
        }
    }
}

/// Whom a log line names: an id, never an address or a name.
pub(crate) fn logged_caller(caller: &Caller) -> String {
    match caller {
        Caller::Session(token) => format!("user:{}", token.claims.sub),
        Caller::ApiKey(grant) => format!("api_key:{}", grant.key_id),
    }
}

fn written_host<B>(request: &Request<B>) -> HeaderValue {
    // The request line comes first, as when the host is judged (RFC 9112 section 3.2.2).
    let of_line = request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let of_header = || request.headers().get(header::HOST).cloned();
    of_line.or_else(of_header).unwrap_or(HeaderValue::from_static(""))
}

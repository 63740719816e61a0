//! The last phase: the request goes to its upstream as the route says, and the answer comes back.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{HeaderName, Request, Response, StatusCode, Uri};
use hyper::body::{Body as _, Incoming};
use service_kit::cors::Cors;
use service_kit::request_id::X_REQUEST_ID;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::alarm::{Alarm, TimedOut};
use crate::arrival::Arrival;
use crate::body::Outgoing;
use crate::concurrency::Held;
use crate::gateway::Gateway;
use crate::gather::{self, Gathered};
use crate::head::{self, Hop};
use crate::identity::{Caller, assertion, headers as identity_headers};
use crate::refusal::Refusal;
use crate::reply::{Passed, Reply};
use crate::routes::Route;
use crate::routing::{Routing, Target};
use crate::upload::{Progress, Upload};
use crate::upstream::{Answer, Failure, Patience};
use crate::websocket::{self, Tunnel};
use crate::welcome::Welcome;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// How many headers a request usually gains here.
const ADDED: usize = 12;
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A request on its way: who asks, and what was found for it.
pub(crate) struct Passage<'a> {
    pub(crate) arrival: &'a Arrival,
    pub(crate) routing: &'a Routing,
    pub(crate) target: &'a Target,
    pub(crate) caller: Option<Caller>,
    pub(crate) span: &'a tracing::Span,
}

impl Gateway {
    /// Sends the request on and returns with the head of the answer.
    pub(crate) async fn forward(
        &self,
        passage: Passage<'_>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Reply>, Refusal> {
        let Passage { target, .. } = &passage;
        if request.body().size_hint().lower() > target.route.body_limit.unwrap_or(u64::MAX) {
            return Err(Refusal::BodyTooLarge);
        }
        let held = self.hold_place(&passage)?;
        let tunnel = match head::asks_for_websocket(&request) {
            true if !self.admits_origin(&passage, &request) => return Err(Refusal::ForeignOrigin),
            true => Some(hyper::upgrade::on(&mut request)),
            false => None,
        };
        *request.uri_mut() = upstream_uri(&target.route, request.uri())?;
        self.rewrite_head(&passage, &mut request, tunnel.is_some());
        let (request, progress, memory) = self.with_body(request, &target.route).await?;
        let answer = pin!(target.upstream.send_with(Patience(target.route.timeout), request, target.route.retries));
        let mut answer =
            await_head(answer, progress.as_deref(), (&passage.arrival.alarm, target.route.timeout)).await?;
        drop(memory);
        match tunnel {
            Some(client) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
                let upstream = hyper::upgrade::on(&mut answer);
                let (head, lease) = answer.into_parts();
                let tunnel = Tunnel { client, upstream, lease, held, welcome: self.welcome(&passage) };
                tokio::spawn(websocket::run(tunnel, self.shutdown.clone()));
                Ok(websocket::answer(head))
            }
            // Nobody asked for it, so nobody would know what to do with the connection.
            None if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
                Err(Refusal::Upstream(Failure::Broken(target.route.upstream.clone(), "an answer 101".to_owned())))
            }
            Some(_) | None => Ok(self.returned(answer, &passage, held)),
        }
    }

    /// A share of what one address may have in progress; none is needed on this machine in development.
    fn hold_place(&self, passage: &Passage<'_>) -> Result<Option<Held>, Refusal> {
        let client = passage.arrival.client;
        if self.limits.spares(client) {
            return Ok(None);
        }
        let most = passage.routing.over_all.concurrent_per_address;
        self.concurrency.enter(client, most).map(Some).ok_or(Refusal::TooManyAtOnce)
    }

    /// Whether a browser may open a WebSocket: from the host itself, or from an origin that is allowed. Browsers send
    /// cookies along to any other too, and ask nobody first.
    fn admits_origin(&self, passage: &Passage<'_>, request: &Request<Incoming>) -> bool {
        let (Some(origin), Cors::Origins(allowed)) = (request.headers().get(header::ORIGIN), &self.origins) else {
            return true;
        };
        let same = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        allowed.is_empty() || allowed.contains(origin) || same.is_some_and(|(_, host)| passage.arrival.host == host)
    }

    async fn with_body(
        &self,
        request: Request<Incoming>,
        route: &Route,
    ) -> Result<(Request<Outgoing>, Option<Arc<Progress>>, Vec<OwnedSemaphorePermit>), Refusal> {
        let (mut head, body) = request.into_parts();
        head.version = http::Version::HTTP_11;
        head.extensions.clear();
        if body.is_end_stream() {
            return Ok((Request::from_parts(head, Outgoing::Empty), None, Vec::new()));
        }
        let (upload, progress) = Upload::new(body, route.body_limit);
        let Gathered { body, memory } = Box::pin(self.memory.gather(upload, &progress)).await?;
        if let Outgoing::Bytes(Some(bytes)) = &body {
            // Now that it is known; without it a GET's body would be dropped.
            head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        }
        Ok((Request::from_parts(head, body), Some(progress), memory))
    }

    fn welcome(&self, passage: &Passage<'_>) -> Option<Welcome> {
        let caller = passage.caller.clone()?;
        let (identity, clock) = (Arc::clone(&self.identity), self.clock.clone());
        Some(Welcome { identity, clock, caller, stale: passage.target.route.stale })
    }

    fn rewrite_head(&self, passage: &Passage<'_>, request: &mut Request<Incoming>, websocket: bool) {
        let Passage { arrival, routing, target: to, caller, span } = passage;
        let route = &to.route;
        let headers = request.headers_mut();
        // For what is set below: otherwise the map would grow twice.
        headers.reserve(ADDED);
        head::leave_hop(headers);
        identity_headers::strip(headers);
        head::forget_overrides(headers);
        headers.remove(header::EXPECT);
        head::join_cookies(headers);
        let hop =
            Hop { peer: arrival.peer, peer_is_trusted: self.proxies.trusts(arrival.peer), is_tls: arrival.is_tls };
        head::set_forwarded(headers, &hop, &arrival.host);
        headers.insert(header::HOST, route.host.clone().unwrap_or_else(|| arrival.host.clone()));
        headers.insert(X_REQUEST_ID, arrival.id.header());
        if !route.forward_credentials {
            headers.remove(header::AUTHORIZATION);
            headers.remove(X_API_KEY);
        }
        if let Some(caller) = caller {
            identity_headers::set(headers, caller);
        }
        if let Some(signer) = &routing.assertion {
            let now = self.clock.unix_seconds();
            headers.insert(assertion::HEADER, signer.header(caller.as_ref(), &route.upstream, now));
        }
        if websocket {
            head::ask_for_websocket(headers);
        }
        if !span.is_disabled() {
            service_kit::telemetry::inject_trace(span, headers);
        }
    }

    /// The upstream's answer as the client gets it.
    fn returned(&self, answer: Response<Answer>, passage: &Passage<'_>, held: Option<Held>) -> Response<Reply> {
        let (mut head, body) = answer.into_parts();
        // Of the two, the coding is what counted (RFC 9112 section 6.3); the length would be a lie here.
        if head.headers.contains_key(header::TRANSFER_ENCODING) {
            head.headers.remove(header::CONTENT_LENGTH);
        }
        head::leave_hop(&mut head.headers);
        // Both go with what was said about it: who was identified may not be answered from a cache for another.
        if passage.caller.is_some() {
            head.headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
        }
        if let (Some(policy), false) =
            (&passage.target.route.content_security_policy, head.headers.contains_key(header::CONTENT_SECURITY_POLICY))
        {
            head.headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
        head.extensions.clear();
        head.version = http::Version::HTTP_11;
        let welcome = if body.size_hint().exact().is_none() { self.welcome(passage) } else { None };
        Response::from_parts(head, Reply::Upstream(Passed::new(body, welcome, held)))
    }
}

/// The path and query alone, as the route has them: the host travels in `Host`.
fn upstream_uri(route: &Route, uri: &Uri) -> Result<Uri, Refusal> {
    let asked = uri.path_and_query().ok_or(Refusal::Ambiguous("no path"))?;
    route.upstream_path(asked).map(Uri::from).map_err(|_| Refusal::HeadTooLarge)
}

/// Waits for the head of the answer: for `limit` after the last byte of the request, or after the upstream last took
/// one; a client that sends slowly has a limit of its own.
async fn await_head(
    mut answer: Pin<&mut impl Future<Output = Result<Response<Answer>, Failure>>>,
    progress: Option<&Progress>,
    (alarm, limit): (&Alarm, Duration),
) -> Result<Response<Answer>, Refusal> {
    let began = Instant::now();
    let idle_since = || progress.map_or(Some(began), Progress::idle_since);
    loop {
        let deadline = idle_since().unwrap_or_else(Instant::now) + limit;
        match alarm.until(deadline, answer.as_mut()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(failure)) => return Err(explain(failure, progress)),
            Err(TimedOut) if idle_since().is_some_and(|since| since + limit <= Instant::now()) => {
                return Err(Refusal::TimedOut);
            }
            Err(TimedOut) => {}
        }
    }
}

/// A body that did not arrive is the client's doing, though the upstream's connection broke by it.
fn explain(failure: Failure, progress: Option<&Progress>) -> Refusal {
    match progress {
        Some(progress) if progress.fault().is_some() => gather::refusal(progress),
        Some(_) | None => Refusal::Upstream(failure),
    }
}

//! The last phase: the request goes to its upstream as the route says, and the answer comes back.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{HeaderName, Request, Response, StatusCode, Uri};
use hyper::body::{Body as _, Incoming};
use service_kit::request_id::X_REQUEST_ID;
use tokio::time::{Instant, timeout_at};

use crate::arrival::Arrival;
use crate::body::Outgoing;
use crate::gateway::Gateway;
use crate::head::{self, Hop};
use crate::identity::{Caller, assertion, headers as identity_headers};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::routes::Route;
use crate::routing::{Routing, Target};
use crate::upload::{Fault, Progress, Upload};
use crate::upstream::{Answer, Failure, Patience};
use crate::websocket::{self, Tunnel};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A request on its way: who asks, and what was found for it.
pub(crate) struct Passage<'a> {
    pub(crate) arrival: &'a Arrival,
    pub(crate) routing: &'a Routing,
    pub(crate) target: &'a Target,
    pub(crate) caller: Option<Caller>,
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
        let tunnel = head::asks_for_websocket(&request).then(|| hyper::upgrade::on(&mut request));
        *request.uri_mut() = upstream_uri(&target.route, request.uri())?;
        self.rewrite_head(&passage, &mut request, tunnel.is_some());
        let (request, progress) = with_upload(request, &target.route);
        let answer = pin!(target.upstream.send(request, target.route.retries));
        let mut answer = await_head(answer, progress.as_deref(), target.route.timeout).await?;
        match tunnel {
            Some(client) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
                let upstream = hyper::upgrade::on(&mut answer);
                let (head, lease) = answer.into_parts();
                let tunnel = Tunnel { client, upstream, lease, caller: passage.caller };
                tokio::spawn(websocket::run(tunnel, Arc::clone(&self.identity), self.shutdown.clone()));
                Ok(websocket::answer(head))
            }
            // Nobody asked for it, so nobody would know what to do with the connection.
            None if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
                Err(Refusal::Upstream(Failure::Broken(target.route.upstream.clone(), "an answer 101".to_owned())))
            }
            Some(_) | None => Ok(self.returned(answer, &passage)),
        }
    }

    fn rewrite_head(&self, passage: &Passage<'_>, request: &mut Request<Incoming>, websocket: bool) {
        let Passage { arrival, routing, target: to, caller } = passage;
        let route = &to.route;
        let headers = request.headers_mut();
        head::leave_hop(headers);
        identity_headers::strip(headers);
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
        if !arrival.span.is_disabled() {
            service_kit::telemetry::inject_trace(&arrival.span, headers);
        }
    }

    /// The upstream's answer as the client gets it.
    fn returned(&self, answer: Response<Answer>, passage: &Passage<'_>) -> Response<Reply> {
        let (mut head, body) = answer.into_parts();
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
        Response::from_parts(head, Reply::Upstream(body))
    }
}

/// The path and query alone, as the route has them: the host travels in `Host`.
fn upstream_uri(route: &Route, uri: &Uri) -> Result<Uri, Refusal> {
    let asked = uri.path_and_query().ok_or(Refusal::Ambiguous("no path"))?;
    route.upstream_path(asked).map(Uri::from).map_err(|_| Refusal::HeadTooLarge)
}

fn with_upload(request: Request<Incoming>, route: &Route) -> (Request<Outgoing>, Option<Arc<Progress>>) {
    let (mut head, body) = request.into_parts();
    head.version = http::Version::HTTP_11;
    head.extensions.clear();
    head.extensions.insert(Patience(route.timeout));
    if body.is_end_stream() {
        return (Request::from_parts(head, Outgoing::Empty), None);
    }
    let (upload, progress) = Upload::new(body, route.body_limit);
    (Request::from_parts(head, Outgoing::Stream(Box::pin(upload))), Some(progress))
}

/// Waits for the head of the answer: for `limit` after the last byte of the request, or after the upstream last took
/// one; a client that sends slowly has a limit of its own.
async fn await_head(
    mut answer: Pin<&mut impl Future<Output = Result<Response<Answer>, Failure>>>,
    progress: Option<&Progress>,
    limit: Duration,
) -> Result<Response<Answer>, Refusal> {
    let began = Instant::now();
    let idle_since = || progress.map_or(Some(began), Progress::idle_since);
    loop {
        let deadline = idle_since().unwrap_or_else(Instant::now) + limit;
        match timeout_at(deadline, answer.as_mut()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(failure)) => return Err(explain(failure, progress)),
            Err(_) if idle_since().is_some_and(|since| since + limit <= Instant::now()) => {
                return Err(Refusal::TimedOut);
            }
            Err(_) => {}
        }
    }
}

/// A body that did not arrive is the client's doing, though the upstream's connection broke by it.
fn explain(failure: Failure, progress: Option<&Progress>) -> Refusal {
    match progress.and_then(Progress::fault) {
        Some(Fault::TooLarge) => Refusal::BodyTooLarge,
        Some(Fault::TooSlow) => Refusal::BodyTooSlow,
        Some(Fault::BrokenOff) => Refusal::BodyBroken,
        None => Refusal::Upstream(failure),
    }
}

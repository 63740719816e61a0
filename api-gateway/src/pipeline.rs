//! The life of a request, from top to bottom: refuse what is ambiguous, find the route, limit, identify, forward, log.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use hyper::body::Incoming;
use rate_limit::Decision;
use service_kit::hosts::Host;
use service_kit::{request_id, telemetry};
use tower::{Layer as _, ServiceExt as _};
use tower_http::cors::CorsLayer;
use tracing::Instrument as _;

use crate::alarm::Alarm;
use crate::arrival::{Arrival, logged_caller};
use crate::forward::Passage;
use crate::gateway::Gateway;
use crate::identity::Caller;
use crate::path;
use crate::refusal::{RATE_LIMIT, RATE_LIMIT_POLICY, Refusal, as_header};
use crate::reply::Reply;
use crate::routes::{Auth, NoRoute};
use crate::routing::{Routing, Target};

/// Bytes of request line and headers; more is 431.
const HEAD_LIMIT: usize = 16 * 1024;

impl Gateway {
    /// Answers a request, whatever becomes of it.
    pub(crate) async fn answer(&self, request: Request<Incoming>, alarm: &Arc<Alarm>) -> Response<Reply> {
        let arrival = Arrival::of(&request, &self.proxies, &self.ids, alarm);
        request_id::scope(arrival.id.clone(), self.answer_known(&arrival, request)).await
    }

    /// One request's defect is not another's: the future is dropped after a panic, so nobody sees a state it left broken.
    async fn answer_safely(&self, arrival: &Arrival, request: Request<Incoming>) -> Response<Reply> {
        let answer = AssertUnwindSafe(self.answer_routed(arrival, request)).catch_unwind().await;
        answer.unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<&str>().copied();
            let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            tracing::error!(panic = message.unwrap_or("unknown"), "request panicked");
            self.finish(arrival, "unknown", None, arrival.refuse(&Refusal::Internal))
        })
    }

    async fn answer_known(&self, arrival: &Arrival, request: Request<Incoming>) -> Response<Reply> {
        let mut response = match &self.cors {
            None => self.answer_safely(arrival, request).await,
            Some(rules) if request.headers().contains_key(header::ORIGIN) => {
                Box::pin(self.answer_cross_origin(rules, arrival, request)).await
            }
            Some(_) => {
                let mut response = self.answer_safely(arrival, request).await;
                // Or a cache would give a browser the answer that was meant for a caller without an origin.
                response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
                response
            }
        };
        let (id, is_ours) = (arrival.id.header(), !matches!(response.body(), Reply::Upstream(_)));
        if is_ours {
            self.headers.set(response.headers_mut(), id);
        } else {
            // What a service says of itself stands.
            self.headers.fill(response.headers_mut(), id, None);
        }
        response
    }

    /// The rules of other origins hold for every answer, refusals too, or a browser would not show them.
    async fn answer_cross_origin(
        &self,
        rules: &CorsLayer,
        arrival: &Arrival,
        request: Request<Incoming>,
    ) -> Response<Reply> {
        let asks_first = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if request.method() == Method::OPTIONS && !asks_first {
            return self.answer_safely(arrival, request).await;
        }
        let inner = tower::service_fn(|request| async {
            let mut response = self.answer_safely(arrival, request).await;
            forget_cors(response.headers_mut());
            Ok::<_, Infallible>(response)
        });
        match rules.layer(inner).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn answer_routed(&self, arrival: &Arrival, request: Request<Incoming>) -> Response<Reply> {
        let routing = self.routing.load();
        let found = self.find(arrival, &routing, &request);
        let target = match found {
            Ok(Found::Route(target)) => target,
            Ok(Found::Own(answer)) => return self.finish(arrival, "gateway", None, *answer),
            Err(refusal) => return self.finish(arrival, "unmatched", None, arrival.refuse(&refusal)),
        };
        let span = telemetry::server_span(&arrival.method, &target.route.name, &arrival.id, request.headers());
        let mut caller = None;
        let outcome = match self.admit(arrival, &routing, target, (&request, &mut caller)).await {
            Ok(told) => {
                let passage = Passage { arrival, routing: &routing, target, caller: caller.clone(), span: &span };
                // Boxed, for it is large and would be moved at every step from here to the connection.
                let forwarded = Box::pin(self.forward(passage, request)).instrument(span.clone()).await;
                forwarded.map(|response| with_limits(response, told.as_ref()))
            }
            Err(refusal) => Err(refusal),
        };
        let response = outcome.unwrap_or_else(|refusal| arrival.refuse(&refusal));
        target.meters.record(response.status(), arrival.at.elapsed().as_secs_f64());
        self.finish(arrival, &target.route.name, caller.as_ref(), response)
    }

    fn finish(
        &self,
        arrival: &Arrival,
        route: &str,
        caller: Option<&Caller>,
        answer: Response<Reply>,
    ) -> Response<Reply> {
        let status = answer.status();
        // Naming the caller costs an allocation, which a line that is not written need not.
        let named = if tracing::enabled!(target: "access", tracing::Level::DEBUG) || status.as_u16() >= 400 {
            caller.map(logged_caller)
        } else {
            None
        };
        arrival.log(route, named.as_deref(), status);
        answer
    }

    /// Judges the head alone, and finds whose request it is.
    fn find<'a>(
        &self,
        arrival: &Arrival,
        routing: &'a Routing,
        request: &Request<Incoming>,
    ) -> Result<Found<'a>, Refusal> {
        let uri = request.uri();
        refuse_ambiguous(request)?;
        if !self.hosts.admits(uri.path(), &arrival.asked) {
            return Err(Refusal::InvalidHost);
        }
        if let Some(answer) = self.own_answer(arrival, routing, uri.path())? {
            return Ok(Found::Own(Box::new(answer)));
        }
        let host = if let Host::Named(host) = &arrival.asked { host.as_str() } else { "" };
        match routing.table.find(host, uri.path(), request.method()) {
            Ok(target) => Ok(Found::Route(target)),
            Err(NoRoute::NotFound) if uri.path() == "/" => Ok(Found::Own(Box::new(self.index(arrival)))),
            Err(NoRoute::NotFound) => Err(Refusal::NotFound),
            Err(NoRoute::Method(methods)) => Err(Refusal::MethodNotAllowed(methods)),
        }
    }

    /// Passes whoever may, and tells what is left to them; who it is, is known also when they may not.
    async fn admit(
        &self,
        arrival: &Arrival,
        routing: &Routing,
        target: &Target,
        (request, caller): (&Request<Incoming>, &mut Option<Caller>),
    ) -> Result<Option<Decision>, Refusal> {
        let (route, now) = (&target.route, || self.clock.now().as_microsecond());
        let mut told = match routing.over_all.per_address {
            Some(quota) => Box::pin(self.limits.address(quota, arrival.client, now())).await?,
            None => None,
        };
        if route.auth != Auth::None {
            *caller = self.identity.identify(request.headers(), target.realm, route.stale).await?;
        }
        let caller = caller.as_ref();
        route.admit(caller.map(Caller::permissions))?;
        if let Some(caller) = caller
            && (routing.over_all.per_user.is_some() || caller.rate_limit().is_some())
        {
            told = Box::pin(self.limits.caller(routing.over_all.per_user, caller, now())).await?.or(told);
        }
        if let Some(quota) = route.rate_limit {
            told = Box::pin(self.limits.route((route, quota), caller, arrival.client, now())).await?.or(told);
        }
        Ok(told)
    }
}

enum Found<'a> {
    Route(&'a Target),
    Own(Box<Response<Reply>>),
}

/// What hyper and the framing guard let pass, and two readers could still read differently.
fn refuse_ambiguous(request: &Request<Incoming>) -> Result<(), Refusal> {
    let (uri, headers) = (request.uri(), request.headers());
    if head_size(uri, headers) > HEAD_LIMIT {
        return Err(Refusal::HeadTooLarge);
    }
    // A tunnel would pass every check, and TRACE shows credentials to whoever can send it.
    if [Method::CONNECT, Method::TRACE].contains(request.method()) {
        return Err(Refusal::MethodNotAllowed(Vec::new()));
    }
    // HTTP/2 has a framing of its own, but what it forwards has not.
    if headers.get_all(header::CONTENT_LENGTH).iter().count() > 1 {
        return Err(Refusal::Ambiguous("two lengths"));
    }
    path::check(uri.path()).map_err(Refusal::Ambiguous)
}

fn head_size(uri: &http::Uri, headers: &HeaderMap) -> usize {
    let line = uri.path().len() + uri.query().map_or(0, str::len);
    line + headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
}

/// What an upstream says of other origins is not for it to say where the gateway does.
fn forget_cors(headers: &mut HeaderMap) {
    for name in [
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_MAX_AGE,
    ] {
        headers.remove(name);
    }
}

/// Tells what is left to the caller, unless the upstream counts by itself.
fn with_limits(mut response: Response<Reply>, told: Option<&Decision>) -> Response<Reply> {
    let headers = response.headers_mut();
    if let Some(decision) = told
        && !headers.contains_key(RATE_LIMIT)
    {
        headers.insert(RATE_LIMIT, as_header(&decision.rate_limit_header()));
        headers.insert(RATE_LIMIT_POLICY, as_header(&decision.policy_header()));
    }
    response
}

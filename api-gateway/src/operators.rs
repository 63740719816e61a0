//! The gateway's health in full, for the listener that only operators reach.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use service_kit::language::Language;
use tower::Service;

use crate::gateway::Gateway;
use crate::refusal::Refusal;

/// Answers `GET` with the names, numbers and reasons that `GET /gateway/health` keeps from the public.
#[derive(Clone)]
pub struct HealthDetails(Arc<Gateway>);

impl HealthDetails {
    /// The path on the operators' listener: the same as on the public one.
    pub const PATH: &str = "/gateway/health";

    pub(crate) fn of(gateway: Arc<Gateway>) -> Self {
        Self(gateway)
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let id = self.0.ids.accept_or_make(request.headers());
        let (status, mut headers, body) = if [Method::GET, Method::HEAD].contains(request.method()) {
            let json = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
            (StatusCode::OK, json, self.0.health_details().to_string().into())
        } else {
            let refusal = Refusal::MethodNotAllowed(vec![Method::GET, Method::HEAD]);
            refusal.problem().into_parts(&id, Language::of(request.headers()))
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        self.0.headers.set(response.headers_mut(), id.header());
        response
    }
}

impl<B> Service<Request<B>> for HealthDetails {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}

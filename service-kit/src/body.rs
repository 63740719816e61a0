//! Request bodies: read whole, within a size and a time, before anything else is spent on the request.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use http::{HeaderValue, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::{Layer, Service};

use crate::hosts::is_under;
use crate::problem::Problem;

/// Bytes that a body may have where nothing else is said.
pub const DEFAULT_LIMIT: usize = 1024 * 1024;
/// Bytes that a body may have on authentication routes.
pub const AUTH_LIMIT: usize = 64 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The limits of request bodies, as a layer: 413 above the size, 408 after the time, 415 when encoded.
/// What passes has its body in memory, so that a handler's time counts from the last byte.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    default: usize,
    by_prefix: Arc<[(&'static str, usize)]>,
    time: Duration,
}

impl BodyLimits {
    /// 1 MiB, or what the first fitting path prefix says; 30 seconds.
    #[must_use]
    pub fn new(by_prefix: &[(&'static str, usize)]) -> Self {
        Self { default: DEFAULT_LIMIT, by_prefix: by_prefix.into(), time: TIME_LIMIT }
    }

    /// With another time for a body to arrive.
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    fn limit_for(&self, path: &str) -> usize {
        let fitting = self.by_prefix.iter().find(|(prefix, _)| is_under(path, &[prefix]));
        fitting.map_or(self.default, |(_, limit)| *limit)
    }
}

impl<S> Layer<S> for BodyLimits {
    type Service = ReadBody<S>;

    fn layer(&self, inner: S) -> ReadBody<S> {
        ReadBody { inner, limits: self.clone() }
    }
}

/// The service made by [`BodyLimits`].
#[derive(Clone, Debug)]
pub struct ReadBody<S> {
    inner: S,
    limits: BodyLimits,
}

impl<S> Service<Request> for ReadBody<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // Most requests have no body: they take no detour.
        if request.body().is_end_stream() && !request.headers().contains_key(header::CONTENT_ENCODING) {
            return Either::Left(self.inner.call(request));
        }
        let waiting = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, waiting);
        let (limit, time) = (self.limits.limit_for(request.uri().path()), self.limits.time);
        Either::Right(Box::pin(async move {
            match read_whole(request, limit, time).await {
                Ok(request) => inner.call(request).await,
                Err(status) => Ok(refuse(status)),
            }
        }))
    }
}

async fn read_whole(request: Request, limit: usize, time: Duration) -> Result<Request, StatusCode> {
    // A small encoded body may unfold into any size, and nobody needs to send one.
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    // `Content-Length` is the lower bound: an announced excess is refused unread.
    if request.body().size_hint().lower() > limit as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let (head, body) = request.into_parts();
    let arriving = Limited::new(body, limit).collect();
    let bytes: Bytes = match tokio::time::timeout(time, arriving).await {
        Ok(Ok(whole)) => whole.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => return Err(StatusCode::BAD_REQUEST),
        Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
    };
    Ok(Request::from_parts(head, Body::from(bytes)))
}

fn refuse(status: StatusCode) -> Response {
    // What was not read ends an HTTP/1 connection, and a client that is not told would send its next request into it.
    let problem = Problem::of_status(status).with_header(header::CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // RFC 9110, section 12.5.3: tells which encodings would have been taken.
        return problem.with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")).into_response();
    }
    problem.into_response()
}

//! Request bodies: read whole, within a size and a time, before anything else is spent on the request.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::future::{BoxFuture, Either};
use http::{HeaderValue, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

use crate::hosts::is_under;
use crate::problem::Problem;
use crate::shed::{OVERLOADED, RETRY_AFTER};

/// Bytes that a body may have where nothing else is said.
pub const DEFAULT_LIMIT: usize = 1024 * 1024;
/// Bytes that a body may have on authentication routes.
pub const AUTH_LIMIT: usize = 64 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Bytes that all bodies together may hold, from their arrival to the answer.
const BUDGET: usize = 64 * 1024 * 1024;
/// Bytes of each body that do not count: a login is read however much others send.
const FREE: usize = 4 * 1024;

/// The limits of request bodies, as a layer: 413 above the size, 408 after the time, 415 when encoded, and 503 when all
/// bodies together take too much memory.
/// What passes has its body in memory, so that a handler's time counts from the last byte.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    default: usize,
    by_prefix: Arc<[(&'static str, usize)]>,
    time: Duration,
    /// One permit a byte.
    budget: Arc<Semaphore>,
}

impl BodyLimits {
    /// 1 MiB, or what the first fitting path prefix says; 30 seconds.
    #[must_use]
    pub fn new(by_prefix: &[(&'static str, usize)]) -> Self {
        let budget = Arc::new(Semaphore::new(BUDGET));
        Self { default: DEFAULT_LIMIT, by_prefix: by_prefix.into(), time: TIME_LIMIT, budget }
    }

    /// With another time for a body to arrive.
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// With another number of bytes for all bodies together.
    #[must_use]
    pub fn with_budget(self, bytes: usize) -> Self {
        Self { budget: Arc::new(Semaphore::new(bytes)), ..self }
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
        let limits = self.limits.clone();
        Either::Right(Box::pin(async move {
            match limits.read(request).await {
                // The bytes are in the handler's hands until it answers.
                Ok((request, _held)) => inner.call(request).await,
                Err(status) => Ok(refuse(status)),
            }
        }))
    }
}

impl BodyLimits {
    /// The request with its body in memory, and what that takes of the budget.
    async fn read(&self, request: Request) -> Result<(Request, Held), StatusCode> {
        // A small encoded body may unfold into any size, and nobody needs to send one.
        if request.headers().contains_key(header::CONTENT_ENCODING) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let limit = self.limit_for(request.uri().path());
        // `Content-Length` is the lower bound: an announced excess is refused unread.
        if request.body().size_hint().lower() > limit as u64 {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let (head, body) = request.into_parts();
        let arriving = self.collect(Limited::new(body, limit));
        let (bytes, held) =
            tokio::time::timeout(self.time, arriving).await.map_err(|_| StatusCode::REQUEST_TIMEOUT)??;
        Ok((Request::from_parts(head, Body::from(bytes)), held))
    }

    async fn collect(&self, mut body: Limited<Body>) -> Result<(Bytes, Held), StatusCode> {
        let (mut bytes, mut held) = (BytesMut::new(), Held::default());
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(status_of)?.into_data() else { continue };
            // What has come counts, not what was announced: an announcement costs its sender nothing.
            held.grow_to((bytes.len() + data.len()).saturating_sub(FREE), &self.budget)?;
            match bytes.is_empty() {
                true => bytes = data.into(),
                false => bytes.extend_from_slice(&data),
            }
        }
        Ok((bytes.freeze(), held))
    }
}

/// What one body takes of the budget, until it is dropped.
#[derive(Default)]
struct Held(Option<OwnedSemaphorePermit>);

impl Held {
    fn grow_to(&mut self, bytes: usize, budget: &Arc<Semaphore>) -> Result<(), StatusCode> {
        let more = bytes - self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more).map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let more = Arc::clone(budget).try_acquire_many_owned(more).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        match &mut self.0 {
            Some(held) => held.merge(more),
            None => self.0 = Some(more),
        }
        Ok(())
    }
}

fn status_of(error: Box<dyn std::error::Error + Send + Sync>) -> StatusCode {
    if error.is::<LengthLimitError>() { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST }
}

fn refuse(status: StatusCode) -> Response {
    // What was not read ends an HTTP/1 connection, and a client that is not told would send its next request into it.
    let problem = match status {
        StatusCode::SERVICE_UNAVAILABLE => OVERLOADED.retry_after(RETRY_AFTER),
        _ => Problem::of_status(status),
    };
    let problem = problem.with_header(header::CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // RFC 9110, section 12.5.3: tells which encodings would have been taken.
        return problem.with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")).into_response();
    }
    problem.into_response()
}

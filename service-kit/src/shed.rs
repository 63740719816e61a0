//! Overload: what cannot be served soon is refused at once, and nothing runs for ever.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::{BoxFuture, Either};
use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

use crate::config::{Env, Period};
use crate::hosts::is_under;
use crate::problem::{Problem, Text};

pub(crate) const RETRY_AFTER: u64 = 1;
pub(crate) const OVERLOADED: Problem = Problem::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "overloaded",
    Text::new("The server is at its limit; try again shortly.", "서버가 혼잡합니다. 잠시 후 다시 시도하세요."),
);
pub(crate) const TIMED_OUT: Problem = Problem::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "timed_out",
    Text::new("The answer took too long; try again shortly.", "처리 시간이 초과되었습니다. 잠시 후 다시 시도하세요."),
);

/// How much is served at once, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct ShedConfig {
    /// Requests in progress before further ones are refused.
    pub concurrent_requests: usize,
    /// From the last byte of the request to the first of the answer.
    pub request_timeout: Duration,
}

/// Concurrency limit and request time-out as a layer; both end with the head of the answer, so streams are exempt.
/// Lay it inside [`BodyLimits`](crate::body::BodyLimits): a slow body must neither hold a place nor use up the time.
#[derive(Clone, Debug)]
pub struct Shed {
    permits: Arc<Semaphore>,
    timeout: Duration,
    exempt: &'static [&'static str],
}

impl ShedConfig {
    /// Reads `MAX_CONCURRENT_REQUESTS` and `REQUEST_TIMEOUT`.
    pub fn read(env: &mut Env) -> Self {
        let concurrent = "Requests in progress; further ones get 503 with Retry-After.";
        let timeout = "Longest time between the last byte of a request and its answer.";
        Self {
            concurrent_requests: env.parse("MAX_CONCURRENT_REQUESTS", "1024", concurrent),
            request_timeout: env.parse::<Period>("REQUEST_TIMEOUT", "15s", timeout).get(),
        }
    }
}

impl Shed {
    /// The layer. `exempt` are the paths, with everything below them, that are answered even then: health.
    #[must_use]
    pub fn new(config: ShedConfig, exempt: &'static [&'static str]) -> Self {
        let permits = config.concurrent_requests.min(Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(permits)), timeout: config.request_timeout, exempt }
    }
}

impl<S> Layer<S> for Shed {
    type Service = Shedding<S>;

    fn layer(&self, inner: S) -> Shedding<S> {
        Shedding { inner, shed: self.clone() }
    }
}

/// The service made by [`Shed`].
#[derive(Clone, Debug)]
pub struct Shedding<S> {
    inner: S,
    shed: Shed,
}

impl<S> Service<Request> for Shedding<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if is_under(request.uri().path(), self.shed.exempt) {
            return Either::Left(self.inner.call(request));
        }
        Either::Right(match Arc::clone(&self.shed.permits).try_acquire_owned() {
            Ok(permit) => Box::pin(answer_in_time(permit, self.shed.timeout, self.inner.call(request))),
            Err(_) => {
                metrics::counter!("http_requests_shed_total").increment(1);
                Box::pin(async { Ok(OVERLOADED.retry_after(RETRY_AFTER).into_response()) })
            }
        })
    }
}

async fn answer_in_time<F>(permit: OwnedSemaphorePermit, limit: Duration, answer: F) -> Result<Response, Infallible>
where
    F: Future<Output = Result<Response, Infallible>>,
{
    let outcome = tokio::time::timeout(limit, answer).await;
    drop(permit);
    outcome.unwrap_or_else(|_| Ok(TIMED_OUT.retry_after(RETRY_AFTER).into_response()))
}

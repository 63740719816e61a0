//! Calls to the Auth API: through its upstream like everything else, and bounded in size and time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use service_kit::config::Secret;
use tokio::time::timeout;
use uuid::Uuid;

use crate::body::Outgoing;
use crate::upstream::{Answer, Failure, Upstream};

/// What these calls are for answers any host, so one name serves however many servers there are.
const API_HOST: HeaderValue = HeaderValue::from_static("auth-api");
/// By which the Auth API knows whose feed is whose.
const GATEWAY_ID: HeaderName = HeaderName::from_static("x-gateway-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Another server is tried once where the first cannot be reached.
const RETRIES: u32 = 1;

/// The Auth API as identification needs it.
pub(super) struct Api {
    upstream: Arc<Upstream>,
    /// `Bearer` and `GATEWAY_FEED_TOKEN`.
    bearer: Option<HeaderValue>,
    /// Which gateway asks.
    gateway: HeaderValue,
}

/// The most that an answer may take.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// From the call to its last byte.
    pub(super) time: Duration,
    /// Bytes of its body.
    pub(super) size: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// None of its servers can be reached, or it broke off.
    #[error(transparent)]
    Away(#[from] Failure),
    /// It took too long.
    #[error("no answer within {0:?}")]
    TooSlow(Duration),
    /// It is neither 200 nor 204.
    #[error("the answer was {0}")]
    Status(StatusCode),
    /// It ended early, or did not end where it should.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
}

impl Api {
    /// Calls by this upstream.
    pub(super) fn new(upstream: Arc<Upstream>, feed_token: Option<&Secret>, gateway: Uuid) -> Self {
        let bearer = feed_token.and_then(|token| {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
            bearer.set_sensitive(true);
            Some(bearer)
        });
        // Hexadecimal digits are always a header value.
        let gateway = HeaderValue::from_str(&gateway.to_string()).unwrap_or(HeaderValue::from_static(""));
        Self { upstream, bearer, gateway }
    }

    /// Whether there is a token that a request can carry.
    pub(super) fn has_token(&self) -> bool {
        self.bearer.is_some()
    }

    /// How many servers there are to choose from.
    pub(super) fn servers(&self) -> usize {
        self.upstream.config().servers.len()
    }

    /// The whole answer to `GET path`.
    pub(super) async fn get(&self, path: &'static str, bounds: Bounds) -> Result<Bytes, ApiError> {
        self.read(request(Method::GET, path, JSON, Outgoing::Empty), bounds).await
    }

    /// The whole answer to `POST path`, as a gateway.
    pub(super) async fn post(&self, path: &'static str, json: Vec<u8>, bounds: Bounds) -> Result<Bytes, ApiError> {
        let mut request = request(Method::POST, path, JSON, Outgoing::Bytes(Some(json.into())));
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        self.read(self.authorize(request), bounds).await
    }

    /// The answer to `GET path`, as a gateway, once its head is there.
    pub(super) async fn open(&self, path: &'static str, time: Duration) -> Result<Answer, ApiError> {
        let request = request(Method::GET, path, HeaderValue::from_static("text/event-stream"), Outgoing::Empty);
        let opening = self.send(self.authorize(request));
        timeout(time, opening).await.unwrap_or(Err(ApiError::TooSlow(time)))
    }

    async fn read(&self, request: Request<Outgoing>, bounds: Bounds) -> Result<Bytes, ApiError> {
        let reading = async {
            let body = Limited::new(self.send(request).await?, bounds.size);
            body.collect().await.map_err(|cause| ApiError::Unreadable(cause.to_string()))
        };
        let body = timeout(bounds.time, reading).await.unwrap_or(Err(ApiError::TooSlow(bounds.time)))?;
        Ok(body.to_bytes())
    }

    async fn send(&self, request: Request<Outgoing>) -> Result<Answer, ApiError> {
        let answer = self.upstream.send(request, RETRIES).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(answer.into_body()),
            other => Err(ApiError::Status(other)),
        }
    }

    fn authorize(&self, mut request: Request<Outgoing>) -> Request<Outgoing> {
        if let Some(bearer) = &self.bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer.clone());
            request.headers_mut().insert(GATEWAY_ID, self.gateway.clone());
        }
        request
    }
}

impl ApiError {
    /// What kind of failure it is, for metrics and for saying it once.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Away(_) => "unreachable",
            Self::TooSlow(_) => "too_slow",
            Self::Status(StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND) => "refused",
            Self::Status(_) => "failed",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

fn request(method: Method, path: &'static str, accept: HeaderValue, body: Outgoing) -> Request<Outgoing> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::from_static(path);
    request.headers_mut().insert(HOST, API_HOST);
    request.headers_mut().insert(ACCEPT, accept);
    request
}

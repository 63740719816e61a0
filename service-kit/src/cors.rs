//! Cross-origin reading: the origins of a list, with credentials; `*` only without them and never in production.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use futures_util::TryFutureExt;
use futures_util::future::{Either, MapOk};
use http::{HeaderName, HeaderValue, Method, header};
use tower::{Layer, Service};
use tower_http::cors::{Any, CorsLayer};

use crate::config::{Env, Environment};

const HELP: &str = "Browser origins that may call the API: a JSON array or a comma-separated list.";

/// `CORS_ALLOWED_ORIGINS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cors {
    /// These origins, with credentials. An empty list allows none.
    Origins(Vec<HeaderValue>),
    /// Every origin, without credentials: development only.
    AnyOrigin,
}

impl Cors {
    /// Reads `CORS_ALLOWED_ORIGINS`; production refuses `*` and plain http.
    pub fn read(env: &mut Env) -> Self {
        let production = env.environment() == Environment::Production;
        let value: String = env.optional("CORS_ALLOWED_ORIGINS", HELP).unwrap_or_default();
        let mut origins = Vec::new();
        for text in split_list(&value) {
            match parse_origin(&text) {
                Some(_) if production && !text.starts_with("https://") => {
                    env.refuse(format!("CORS_ALLOWED_ORIGINS: {text} must begin with https:// in production"));
                }
                Some(origin) => origins.push(origin),
                None if text == "*" && !production => return Self::AnyOrigin,
                None => env.refuse(explain(&text)),
            }
        }
        Self::Origins(origins)
    }

    /// The layer that answers preflights and adds the headers.
    #[must_use]
    pub fn layer(&self) -> CrossOrigin {
        CrossOrigin(Arc::new(self.rules()))
    }

    /// The rules as tower-http has them, for a service that is no router of axum's.
    pub fn rules(&self) -> CorsLayer {
        let layer = CorsLayer::new()
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                HeaderName::from_static("idempotency-key"),
                HeaderName::from_static("x-api-key"),
                HeaderName::from_static("x-device-token"),
                HeaderName::from_static("x-request-id"),
            ])
            .expose_headers([
                header::LOCATION,
                header::RETRY_AFTER,
                HeaderName::from_static("ratelimit"),
                HeaderName::from_static("ratelimit-policy"),
                HeaderName::from_static("x-device-token"),
                HeaderName::from_static("x-request-id"),
            ])
            .max_age(Duration::from_secs(600));
        match self {
            Self::Origins(origins) => layer.allow_origin(origins.clone()).allow_credentials(true),
            Self::AnyOrigin => layer.allow_origin(Any),
        }
    }
}

/// The layer made by [`Cors`]: only requests that name an origin, which browsers send, pay for the rules.
#[derive(Clone, Debug)]
pub struct CrossOrigin(Arc<CorsLayer>);

impl<S> Layer<S> for CrossOrigin {
    type Service = OriginCheck<S>;

    fn layer(&self, inner: S) -> OriginCheck<S> {
        OriginCheck { inner, rules: Arc::clone(&self.0) }
    }
}

/// The service made by [`CrossOrigin`].
#[derive(Clone, Debug)]
pub struct OriginCheck<S> {
    inner: S,
    rules: Arc<CorsLayer>,
}

type VaryByOrigin = fn(Response) -> Response;

impl<S> Service<Request> for OriginCheck<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<MapOk<S::Future, VaryByOrigin>, <tower_http::cors::Cors<S> as Service<Request>>::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.headers().contains_key(header::ORIGIN) {
            Either::Right(self.rules.layer(self.inner.clone()).call(request))
        } else {
            Either::Left(self.inner.call(request).map_ok(vary_by_origin))
        }
    }
}

/// Or a cache would give a browser the answer that was meant for a caller without an origin.
fn vary_by_origin(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    response
}

/// `["a","b"]`, `a,b`, and `[a,b]`: readers of env files drop the quotes.
fn split_list(value: &str) -> Vec<String> {
    let value = value.trim();
    if let Ok(list) = serde_json::from_str(value) {
        return list;
    }
    let bare = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).unwrap_or(value);
    let parts = bare.split(',').map(|part| part.trim().trim_matches(['"', '\'']));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// What is wrong with what is no origin, and what to write instead.
fn explain(text: &str) -> String {
    if text == "*" {
        return r#"CORS_ALLOWED_ORIGINS: "*" is refused in production, and browsers send no credentials to it: list the origins, ["https://app.example.com"]"#.to_owned();
    }
    if text.starts_with(['[', '{', '"']) || text.ends_with([']', '}', '"']) {
        return format!(
            r#"CORS_ALLOWED_ORIGINS: {text:?} is part of a broken list; write a JSON array, ["https://app.example.com","https://example.com"]"#
        );
    }
    let origin = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    match origin.map(|url| url.origin().ascii_serialization()) {
        Some(origin) => {
            format!("CORS_ALLOWED_ORIGINS: {text:?} is more than an origin; write {origin}, as browsers send it")
        }
        None => format!("CORS_ALLOWED_ORIGINS: {text:?} is no origin; write for example https://app.example.com"),
    }
}

/// A scheme and a host as browsers send them: lower case, no path, no default port, no user.
fn parse_origin(text: &str) -> Option<HeaderValue> {
    let url = url::Url::parse(text).ok()?;
    let http = matches!(url.scheme(), "http" | "https");
    let exact = url.origin().ascii_serialization() == text.trim_end_matches('/').to_ascii_lowercase();
    (http && exact).then(|| HeaderValue::try_from(url.origin().ascii_serialization()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &str, value: &str) -> Result<Cors, Vec<String>> {
        let mut env = Env::from_pairs([("ENV", environment), ("CORS_ALLOWED_ORIGINS", value)]);
        let cors = Cors::read(&mut env);
        env.finish().map(|_| cors).map_err(|refusals| refusals.0)
    }

    #[test]
    fn the_three_spellings_mean_the_same_list() {
        let expected = Cors::Origins(vec![
            HeaderValue::from_static("https://a.com"),
            HeaderValue::from_static("https://b.com:8443"),
        ]);
        for spelling in [
            r#"["https://a.com","https://b.com:8443"]"#,
            "https://a.com, https://b.com:8443/",
            "[https://a.com,https://b.com:8443]",
            "['https://a.com', 'https://b.com:8443']",
        ] {
            assert_eq!(read("production", spelling).unwrap(), expected, "{spelling}");
        }
        assert_eq!(read("production", "").unwrap(), Cors::Origins(Vec::new()));
    }

    #[test]
    fn production_refuses_wildcards_plain_http_and_what_is_no_origin_all_at_once() {
        let reasons = read("production", "*,http://a.com,https://a.com/path,a.com,null").unwrap_err();
        assert_eq!(reasons.len(), 5, "{reasons:?}");
    }

    #[test]
    fn what_to_write_instead_is_said() {
        for (value, said) in [
            ("*", "list the origins"),
            (r#"["https://a.com""#, "write a JSON array"),
            (r#"{"origin": "https://a.com"}"#, "write a JSON array"),
            ("https://a.com/path", "write https://a.com, as browsers send it"),
            ("http://a.com", "must begin with https://"),
            ("a.com", "write for example https://app.example.com"),
        ] {
            let reasons = read("production", value).unwrap_err();
            assert!(reasons.iter().any(|reason| reason.contains(said)), "{value}: {reasons:?}");
        }
    }

    #[test]
    fn development_may_allow_everybody() {
        assert_eq!(read("development", "*").unwrap(), Cors::AnyOrigin);
        assert!(
            matches!(read("development", "http://localhost:3000").unwrap(), Cors::Origins(list) if list.len() == 1)
        );
    }
}

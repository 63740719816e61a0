//! The service of the plain port: sends everybody to the same address over TLS.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::Service;

use crate::edge::SecurityHeaders;
use crate::hosts::{AllowedHosts, INVALID_HOST};
use crate::language::Language;
use crate::request_id::RequestIds;

const HTTPS_PORT: u16 = 443;

/// Answers 308 to every request for one of our hosts and 400 to every other: to a host that is not ours it sends nobody.
#[derive(Clone, Debug)]
pub struct Redirect(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    hosts: AllowedHosts,
    port: u16,
    ids: RequestIds,
    headers: SecurityHeaders,
}

impl Redirect {
    /// To `port`, as clients see it, of the host that they asked for.
    #[must_use]
    pub fn new(hosts: AllowedHosts, port: u16) -> Self {
        Self(Arc::new(Shared { hosts, port, ids: RequestIds::new(), headers: SecurityHeaders::new() }))
    }
}

impl Shared {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let id = self.ids.accept_or_make(request.headers());
        let (status, headers, body) = match self.location(request) {
            Some(location) => {
                let headers = HeaderMap::from_iter([(header::LOCATION, location)]);
                (StatusCode::PERMANENT_REDIRECT, headers, Bytes::new())
            }
            None => INVALID_HOST.into_parts(&id, Language::of(request.headers())),
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        self.headers.set(response.headers_mut(), id.header());
        response
    }

    fn location<B>(&self, request: &Request<B>) -> Option<HeaderValue> {
        let host = self.hosts.host_of(request)?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        // `OPTIONS *` asks about the server as a whole.
        let path = if path.starts_with('/') { path } else { "/" };
        let location = match self.port {
            HTTPS_PORT => format!("https://{host}{path}"),
            port => format!("https://{host}:{port}{path}"),
        };
        HeaderValue::try_from(location).ok()
    }
}

impl<B> Service<Request<B>> for Redirect {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.0.answer(&request)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Env;

    fn answer(port: u16, uri: &str, hosts: &[&str]) -> Response<Full<Bytes>> {
        let mut env = Env::from_pairs([("ALLOWED_HOSTS", "a.com,*.b.com")]);
        let allowed = AllowedHosts::read(&mut env, &["/health"]);
        env.finish().unwrap();
        let request = hosts.iter().fold(Request::builder().uri(uri), |request, host| request.header("host", *host));
        Redirect::new(allowed, port).0.answer(&request.body(()).unwrap())
    }

    #[test]
    fn our_hosts_are_sent_to_the_same_address_over_tls() {
        for (port, uri, host, location) in [
            (443, "/", "a.com", "https://a.com/"),
            (443, "/p/q?x=1&y=%0d%0a", "A.com:80", "https://a.com/p/q?x=1&y=%0d%0a"),
            (8443, "/p", "x.b.com:8080", "https://x.b.com:8443/p"),
            (443, "//evil.com/", "a.com", "https://a.com//evil.com/"),
            (443, "http://a.com/p", "a.com", "https://a.com/p"),
            (443, "*", "a.com", "https://a.com/"),
        ] {
            let answer = answer(port, uri, &[host]);
            assert_eq!(answer.status(), 308, "{uri}");
            assert_eq!(answer.headers()[header::LOCATION], location);
            assert_eq!(answer.headers()[header::X_FRAME_OPTIONS], "DENY");
            assert!(answer.headers().contains_key("x-request-id"));
        }
    }

    #[test]
    fn nobody_is_sent_to_a_host_that_is_not_ours() {
        let foreign =
            ["evil.com", "a.com.evil.com", "a.com@evil.com", "evil.com#a.com", "a.com, evil.com", "b.com", ""];
        let mut hosts: Vec<Vec<&str>> = foreign.iter().map(|host| vec![*host]).collect();
        hosts.extend([vec![], vec!["a.com", "a.com"], vec!["a.com", "evil.com"]]);
        for uri in ["/", "/health", "http://evil.com/"] {
            for hosts in &hosts {
                let answer = answer(443, uri, hosts);
                assert_eq!(answer.status(), 400, "{uri} {hosts:?}");
                assert!(!answer.headers().contains_key(header::LOCATION));
                assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
                assert_eq!(answer.headers()[header::X_FRAME_OPTIONS], "DENY");
            }
        }
        assert_eq!(answer(443, "http://evil.com/", &["a.com"]).status(), 400);
    }
}

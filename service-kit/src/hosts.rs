//! Trusted hosts: links and policies are never built from a `Host` that nobody expects.

use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::{Either, Ready, ready};
use http::uri::Authority;
use http::{StatusCode, header};
use tower::{Layer, Service};

use crate::config::{Env, Environment};
use crate::problem::{Problem, Text};

/// The host is none of those that are served.
pub const INVALID_HOST: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "invalid_host",
    Text::new("This host is not served here.", "허용되지 않은 호스트입니다."),
);

/// `ALLOWED_HOSTS`: the names this server answers to, as a layer. Without names it answers to every one.
#[derive(Clone, Debug)]
pub struct AllowedHosts {
    names: Arc<[HostName]>,
    exempt: &'static [&'static str],
}

/// A name, or `*.` and the domain whose subdomains are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum HostName {
    Any,
    Exactly(String),
    /// With the leading dot: `.example.com`.
    Below(String),
}

impl AllowedHosts {
    /// Reads `ALLOWED_HOSTS`, which production must not leave empty. `exempt` are the paths, with everything
    /// below them, that answer any host: load balancers use addresses.
    pub fn read(env: &mut Env, exempt: &'static [&'static str]) -> Self {
        let help = "Host names that are answered, separated by commas; `*.example.com` means every subdomain.";
        let names: Vec<HostName> = env.list("ALLOWED_HOSTS", help);
        if env.environment() == Environment::Production && (names.is_empty() || names.contains(&HostName::Any)) {
            env.refuse("ALLOWED_HOSTS: name the hosts that are served, for example api.example.com,*.example.com");
        }
        Self { names: names.into(), exempt }
    }

    /// The host that the request is for, without its port, when it is one of ours. No path is exempt.
    #[must_use]
    pub fn host_of<B>(&self, request: &Request<B>) -> Option<String> {
        match host_of(request) {
            Host::Named(host) if self.names.is_empty() || self.allows(&host) => Some(host),
            Host::Named(_) | Host::Missing | Host::Ambiguous => None,
        }
    }

    /// Whether a request for this path may ask this host.
    #[must_use]
    pub fn admits(&self, path: &str, host: &Host) -> bool {
        match host {
            Host::Ambiguous => false,
            Host::Missing => is_under(path, self.exempt),
            Host::Named(host) => self.names.is_empty() || self.allows(host) || is_under(path, self.exempt),
        }
    }

    /// The first of the names that is one host's: what to ask for when asking by address.
    #[must_use]
    pub fn first_name(&self) -> Option<&str> {
        self.names.iter().find_map(|name| match name {
            HostName::Exactly(host) => Some(host.as_str()),
            HostName::Any | HostName::Below(_) => None,
        })
    }

    fn allows(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.names.iter().any(|name| match name {
            HostName::Any => true,
            HostName::Exactly(name) => host == name,
            HostName::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        })
    }
}

impl<S> Layer<S> for AllowedHosts {
    type Service = HostCheck<S>;

    fn layer(&self, inner: S) -> HostCheck<S> {
        HostCheck { inner, hosts: self.clone() }
    }
}

/// The service made by [`AllowedHosts`].
#[derive(Clone, Debug)]
pub struct HostCheck<S> {
    inner: S,
    hosts: AllowedHosts,
}

impl<S> Service<Request> for HostCheck<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if self.hosts.admits(request.uri().path(), &host_of(&request)) {
            Either::Left(self.inner.call(request))
        } else {
            Either::Right(ready(Ok(INVALID_HOST.into_response())))
        }
    }
}

impl FromStr for HostName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write host names without scheme, port or path";
        let text = text.to_ascii_lowercase();
        let (subdomains, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text.as_str()),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        match name {
            "*" if !subdomains => Ok(Self::Any),
            _ if name.is_empty() || !name.chars().all(plain) => Err(FORM),
            _ if subdomains => Ok(Self::Below(format!(".{name}"))),
            _ => Ok(Self::Exactly(name.to_owned())),
        }
    }
}

/// Which host a request asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// Lower case, without a port.
    Named(String),
    /// None, as HTTP/1.0 may.
    Missing,
    /// Said twice or unreadably: a proxy before us may have understood something else.
    Ambiguous,
}

/// The host without its port, lower case, from the request line or from the one `Host` header (RFC 9112, section 3.2).
#[must_use]
pub fn host_of<B>(request: &Request<B>) -> Host {
    let mut headers = request.headers().get_all(header::HOST).iter();
    let header = match (headers.next(), headers.next()) {
        (_, Some(_)) => return Host::Ambiguous,
        (None, None) => None,
        // An authority's grammar admits the underscores that container names have; user information it must not have.
        (Some(value), None) => match Authority::try_from(value.as_bytes()) {
            Ok(authority) if !authority.as_str().contains('@') => Some(authority.host().to_ascii_lowercase()),
            _ => return Host::Ambiguous,
        },
    };
    // User information there is as good a disguise as in the header.
    if request.uri().authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Host::Ambiguous;
    }
    let line = request.uri().authority().map(|authority| authority.host().to_ascii_lowercase());
    match (line, header) {
        (Some(line), Some(header)) if line != header => Host::Ambiguous,
        (Some(host), _) | (None, Some(host)) => Host::Named(host),
        (None, None) => Host::Missing,
    }
}

/// Whether `path` is one of `prefixes` or lies below one.
pub(crate) fn is_under(path: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn admits(allowed: &str, path: &str, hosts: &[&str]) -> bool {
        let mut env = Env::from_pairs([("ALLOWED_HOSTS", allowed)]);
        let hosts_allowed = AllowedHosts::read(&mut env, &["/health", "/.well-known/jwks.json"]);
        env.finish().unwrap();
        let mut request = Request::builder().uri(path);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let request = request.body(Body::empty()).unwrap();
        hosts_allowed.admits(request.uri().path(), &host_of(&request))
    }

    #[test]
    fn named_hosts_and_subdomains_are_served_whatever_the_port_and_case() {
        let allowed = "a.com, *.b.com, my_service";
        for host in ["a.com", "A.Com:8000", "a.com.", "x.b.com", "x.y.b.com:1", "my_service"] {
            assert!(admits(allowed, "/", &[host]), "{host}");
        }
        for host in ["b.com", "evil-b.com", "a.com.evil.com", "x.a.com", "127.0.0.1", "[::1]", "", "a b"] {
            assert!(!admits(allowed, "/", &[host]), "{host}");
        }
    }

    #[test]
    fn exempt_paths_answer_any_host_but_not_two() {
        for path in ["/health", "/health/ready", "/.well-known/jwks.json"] {
            assert!(admits("a.com", path, &["10.1.2.3:8000"]), "{path}");
            assert!(admits("a.com", path, &["auth_service"]), "{path}");
            assert!(admits("a.com", path, &[]), "{path}");
            assert!(!admits("a.com", path, &["a.com", "a.com"]), "{path}");
        }
        assert!(!admits("a.com", "/healthy", &["10.1.2.3"]));
    }

    #[test]
    fn missing_duplicate_and_contradicting_hosts_are_refused() {
        assert!(!admits("a.com", "/", &[]));
        assert!(!admits("", "/", &["a.com", "b.com"]));
        assert!(!admits("", "/", &["user@a.com"]));
        assert!(admits("", "/", &["anything"]));
        assert!(admits("a.com", "http://a.com/", &["a.com:80"]));
        assert!(!admits("a.com", "http://a.com/", &["b.com"]));
        assert!(!admits("a.com", "http://b.com/", &[]));
        assert!(!admits("a.com", "http://b.com:80@a.com/", &[]));
    }

    #[test]
    fn production_names_its_hosts() {
        for (allowed, fine) in [("", false), ("*", false), ("https://a.com", false), ("a.com", true)] {
            let mut env = Env::from_pairs([("ENV", "production"), ("ALLOWED_HOSTS", allowed)]);
            AllowedHosts::read(&mut env, &[]);
            assert_eq!(env.finish().is_ok(), fine, "{allowed}");
        }
    }
}

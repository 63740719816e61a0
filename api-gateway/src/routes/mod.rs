//! Routes: what is asked for decides where it goes and what must hold before.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method};
use rate_limit::Quota;

use crate::identity::Stale;

mod admit;
mod checks;
mod defaults;
mod describe;
mod file;
mod host;
pub(crate) mod members;
mod rewrite;
mod route;
mod table;
mod tls;
mod upstreams;
mod values;

pub use describe::describe;
pub use file::{File, Limits, read, read_file};
pub use table::{NoRoute, Table};
pub use tls::{Acme, Certificate, Listen, Redirect, TlsFile};
pub use upstreams::{AUTH_API, CONSOLE};

/// `[[route]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// For logs, metrics and policy tests: as given, else made of what it matches.
    pub name: Arc<str>,
    /// What it matches.
    pub matches: Match,
    /// Where it goes.
    pub upstream: Arc<str>,
    /// Who may.
    pub auth: Auth,
    /// What they must hold.
    pub permissions: Permissions,
    /// Whose tokens count, unless ours.
    pub issuer: Option<String>,
    /// For whom they must be, unless `JWT_AUDIENCE`.
    pub audience: Option<String>,
    /// While the revocations are stale.
    pub stale: Stale,
    /// Per user or key, else per address.
    pub rate_limit: Option<Quota>,
    /// From the last byte of the request to the head of the answer.
    pub timeout: Duration,
    /// Bytes of a body; nothing is unlimited.
    pub body_limit: Option<u64>,
    /// What becomes of the matched path.
    pub rewrite: Rewrite,
    /// The `Host` that the upstream sees, unless the client's.
    pub host: Option<HeaderValue>,
    /// How often a request may be sent again.
    pub retries: u32,
    /// Whether the upstream sees the credential itself.
    pub forward_credentials: bool,
    /// The content security policy of answers that bring none.
    pub content_security_policy: Option<HeaderValue>,
}

/// What a route matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Beginning of the path, on whole segments; or all of it.
    pub path: String,
    /// Whether the path must be exactly this.
    pub exact: bool,
    /// A name, or `*.` and a domain; any without one. Lower case, without a port.
    pub host: Option<String>,
    /// Any when empty. `GET` includes `HEAD`.
    pub methods: Vec<Method>,
}

/// Who may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Whoever is identified.
    Required,
    /// Anybody; who brings a credential is identified.
    Optional,
    /// Anybody; credentials are the upstream's affair.
    None,
}

/// What a caller must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Each of these.
    pub all: Vec<String>,
    /// One of these, unless there are none.
    pub any: Vec<String>,
}

/// What becomes of the matched part of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// It stays.
    Keep,
    /// This takes its place; `strip_prefix = true` is `/`.
    Replace(String),
}

impl Route {
    /// From the last byte of a request to the head of its answer, when a route says nothing.
    pub const TIMEOUT: Duration = Duration::from_secs(15);
    /// Bytes of a body, when a route says nothing.
    pub const BODY_LIMIT: u64 = 1 << 20;
}

impl fmt::Display for Match {
    /// `GET,POST api.example.com/orders/`: the name of a route that has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, method) in self.methods.iter().enumerate() {
            write!(f, "{}{method}", if index == 0 { "" } else { "," })?;
        }
        let space = if self.methods.is_empty() { "" } else { " " };
        write!(f, "{space}{}{}", self.host.as_deref().unwrap_or_default(), self.path)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A route that asks for an identified caller and says nothing more.
    pub(crate) fn route(path: &str) -> Route {
        let text = format!("[[route]]\nmatch = {{ path = {path:?} }}\nupstream = \"auth-api\"");
        let file = read(&text, std::path::Path::new("")).unwrap();
        Route::clone(&file.routes[0])
    }

    #[test]
    fn a_route_without_a_name_is_called_by_what_it_matches() {
        let methods = vec![Method::GET, Method::POST];
        let host = Some("api.example.com".to_owned());
        let long = Match { path: "/orders/".to_owned(), exact: false, host, methods };
        assert_eq!(long.to_string(), "GET,POST api.example.com/orders/");
        assert_eq!(&*route("/orders/").name, "/orders/");
    }
}

//! Routes: what is asked for decides where it goes and what must hold before.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method};
use rate_limit::Quota;

use crate::identity::Stale;

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

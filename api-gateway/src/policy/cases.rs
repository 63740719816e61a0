//! `[[case]]`: a request, who sends it, and what is expected to become of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use http::Method;
use http::uri::PathAndQuery;

use crate::routes::Route;
use crate::routes::members::{Members, did_you_mean, read_document};

/// The decision that lets a request through.
pub(super) const ALLOW: &str = "allow";

/// What can be expected.
const DECISIONS: [&str; 7] =
    [ALLOW, "bad_request", "not_found", "method_not_allowed", "unauthenticated", "forbidden", "invalid_token"];

/// One case.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) request: Request,
    /// Nobody, unless there is one.
    pub(super) caller: Option<Caller>,
    pub(super) expect: Expectation,
}

/// What is asked for.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) host: String,
    pub(super) target: PathAndQuery,
}

/// Somebody whose credential is good for somebody.
pub(super) struct Caller {
    kind: Kind,
    pub(super) permissions: Vec<String>,
    issuer: Option<String>,
    audience: Option<String>,
}

/// What a caller proves to be somebody by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session,
    ApiKey,
}

/// What must become of it; what is not said may be anything.
pub(super) struct Expectation {
    pub(super) decision: &'static str,
    pub(super) route: Option<String>,
    pub(super) upstream: Option<String>,
    /// That the upstream sees.
    pub(super) path: Option<String>,
}

impl Caller {
    /// Whether the credential is one of those that the route takes. What is not said is the configured issuer and
    /// audience, on both sides; API keys are the Auth API's wherever they are used.
    pub(super) fn is_for(&self, route: &Route) -> bool {
        match self.kind {
            Kind::ApiKey => true,
            Kind::Session => self.issuer == route.issuer && self.audience == route.audience,
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.host, self.target)
    }
}

/// Reads the cases, which may expect these routes.
pub(super) fn read(text: &str, routes: &[Arc<Route>]) -> Result<Vec<Case>, Vec<String>> {
    read_document(text, |mut members| {
        let tables = members.tables("case").into_iter();
        let cases = tables.filter_map(|table| read_case(table, routes)).collect();
        members.need("case", "[[case]]");
        members.finish();
        cases
    })
}

fn read_case(mut members: Members<'_>, routes: &[Arc<Route>]) -> Option<Case> {
    let name = members.text("name", text);
    members.need("name", "name = \"customers cannot read all orders\"");
    if let Some(name) = &name {
        members.call(name);
    }
    let request = members.table("request").map(read_request);
    members.need("request", "request = { method = \"GET\", path = \"/orders/7\" }");
    let caller = members.table("caller").map(read_caller);
    let expect = members.table("expect").map(|table| read_expectation(table, routes));
    members.need("expect", "expect = { decision = \"allow\" }");
    members.finish();
    Some(Case { name: name?, request: request??, caller, expect: expect?? })
}

fn read_request(mut members: Members<'_>) -> Option<Request> {
    let method = members.text("method", Method::from_str).unwrap_or(Method::GET);
    let host = members.text("host", text).unwrap_or_default();
    let target = members.text("path", PathAndQuery::from_str);
    members.need("path", "path = \"/orders/7\"");
    members.finish();
    Some(Request { method, host, target: target? })
}

fn read_caller(mut members: Members<'_>) -> Caller {
    let kinds = [("session", Kind::Session), ("api_key", Kind::ApiKey)];
    let kind = members.choice("kind", &kinds).unwrap_or(Kind::Session);
    let permissions = members.list("permissions", text);
    // Written for readers: upstreams are told the roles, and no route asks for one.
    members.list("roles", text);
    let issuer = members.text("issuer", text);
    let audience = members.text("audience", text);
    for member in ["issuer", "audience"] {
        if kind == Kind::ApiKey && members.has(member) {
            members.wrong(member, "an API key has none: remove it, or write kind = \"session\"");
        }
    }
    members.finish();
    Caller { kind, permissions, issuer, audience }
}

fn read_expectation(mut members: Members<'_>, routes: &[Arc<Route>]) -> Option<Expectation> {
    let decision = members.choice("decision", &DECISIONS.map(|decision| (decision, decision)));
    members.need("decision", "decision = \"allow\"");
    let names = || routes.iter().map(|route| &*route.name);
    let route = members.text("route", |name| known(name, "route", names()));
    let upstreams = || routes.iter().map(|route| &*route.upstream);
    let upstream = members.text("upstream", |name| known(name, "upstream of a route", upstreams()));
    let path = members.text("path", text);
    members.finish();
    Some(Expectation { decision: decision?, route, upstream, path })
}

/// A name that is in force: a case that expects another could never hold.
fn known<'n>(name: &str, what: &str, names: impl Iterator<Item = &'n str> + Clone) -> Result<String, String> {
    if names.clone().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    Err(format!("{name:?} is no {what}{}", did_you_mean(name, names)))
}

fn text(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("it is empty: fill it or leave it out") } else { Ok(text.to_owned()) }
}

//! The routes as they are looked up.
//!
//! Among the routes whose host matches or is not given, the longest path wins; of equally long paths an exact one before
//! a beginning, and of equal paths the nearest host: the name itself, then the longest `*.` pattern, then none. Only
//! among the routes with that path and host the method decides. When none of them takes it the answer is 405 and never
//! a route further out, whose protection could be another.

use std::borrow::{Borrow, Cow};
use std::collections::HashMap;

use http::Method;
use percent_encoding::percent_decode_str;

use super::{Match, Route, host};

/// Paths that no route may serve, with everything below: the Auth API's inner door, and the gateway's own endpoints.
const RESERVED: [&str; 2] = ["/internal", "/gateway"];

/// Finds the route of a request, or what was made of it; the cost grows with the segments of the path, not with the
/// number of routes.
#[derive(Debug)]
pub struct Table<R> {
    /// By decoded path.
    exact: HashMap<Box<str>, Hosts<R>>,
    /// By decoded path without its last slash.
    beginnings: HashMap<Box<str>, Hosts<R>>,
    /// Segments of the longest beginning.
    deepest: usize,
}

/// Why there is no route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// Nothing is served under this host and path.
    NotFound,
    /// These methods are.
    Method(Vec<Method>),
}

/// What one path serves, by host.
#[derive(Debug)]
struct Hosts<R> {
    names: HashMap<Box<str>, Methods<R>>,
    /// Of `*.example.com` the `example.com`.
    domains: HashMap<Box<str>, Methods<R>>,
    any: Option<Methods<R>>,
}

/// The routes of one path and host.
#[derive(Debug)]
struct Methods<R>(Vec<R>);

/// What two routes may share only if they share no method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    path: String,
    exact: bool,
    host: Option<String>,
}

impl<R: Borrow<Route>> Table<R> {
    /// The routes, of which no two match the same request in the same way.
    #[must_use]
    pub fn new(routes: Vec<R>) -> Self {
        let mut table = Self { exact: HashMap::new(), beginnings: HashMap::new(), deepest: 0 };
        for route in routes {
            let Key { path, exact, host } = route.borrow().matches.key();
            table.deepest = table.deepest.max(if exact { 0 } else { slashes(&path).count() });
            let paths = if exact { &mut table.exact } else { &mut table.beginnings };
            paths.entry(path.into()).or_default().insert(host).0.push(route);
        }
        table
    }

    /// The route for a path that passed [`crate::path::check`]; `host` as the client sent it.
    ///
    /// # Errors
    /// [`NoRoute`].
    pub fn find(&self, host: &str, path: &str, method: &Method) -> Result<&R, NoRoute> {
        let path = decode(path);
        if !path.starts_with('/') || is_reserved(&path) {
            return Err(NoRoute::NotFound);
        }
        let host = host::name(host);
        let exact = self.exact.get(&*path).and_then(|hosts| hosts.nearest(&host));
        let nearest = exact
            .or_else(|| beginnings(&path, self.deepest).find_map(|path| self.beginnings.get(path)?.nearest(&host)));
        nearest.ok_or(NoRoute::NotFound)?.choose(method)
    }
}

impl Match {
    /// What this match is told apart by from others, methods aside.
    pub(super) fn key(&self) -> Key {
        let decoded = decode(&self.path);
        let path = if self.exact { &*decoded } else { decoded.trim_end_matches('/') };
        Key { path: path.to_owned(), exact: self.exact, host: self.host.clone() }
    }

    /// Whether some method is taken by both.
    pub(super) fn shares_methods(&self, other: &Self) -> bool {
        let takes_all = self.methods.is_empty() || other.methods.is_empty();
        takes_all
            || self.methods.iter().any(|method| other.takes(method))
            || other.methods.iter().any(|m| self.takes(m))
    }

    /// `HEAD` is asked wherever `GET` is answered.
    fn takes(&self, method: &Method) -> bool {
        let listed = |method: &Method| self.methods.contains(method);
        self.methods.is_empty() || listed(method) || (*method == Method::HEAD && listed(&Method::GET))
    }
}

impl<R> Default for Hosts<R> {
    fn default() -> Self {
        Self { names: HashMap::new(), domains: HashMap::new(), any: None }
    }
}

impl<R> Default for Methods<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R> Hosts<R> {
    fn insert(&mut self, host: Option<String>) -> &mut Methods<R> {
        match host {
            None => self.any.get_or_insert_default(),
            Some(host) => match host.strip_prefix("*.") {
                Some(domain) => self.domains.entry(domain.into()).or_default(),
                None => self.names.entry(host.into()).or_default(),
            },
        }
    }

    fn nearest(&self, host: &str) -> Option<&Methods<R>> {
        let within = || host::domains_above(host).find_map(|domain| self.domains.get(domain));
        self.names.get(host).or_else(within).or(self.any.as_ref())
    }
}

impl<R: Borrow<Route>> Methods<R> {
    fn choose(&self, method: &Method) -> Result<&R, NoRoute> {
        self.0.iter().find(|route| (*route).borrow().matches.takes(method)).ok_or_else(|| NoRoute::Method(self.all()))
    }

    /// For `Allow`, each once.
    fn all(&self) -> Vec<Method> {
        let mut all = Vec::new();
        for method in self.0.iter().flat_map(|route| &route.borrow().matches.methods) {
            let with_head = (*method == Method::GET).then_some(Method::HEAD);
            for method in [Some(method.clone()), with_head].into_iter().flatten() {
                if !all.contains(&method) {
                    all.push(method);
                }
            }
        }
        all
    }
}

/// Whether a path, encoded or not, is one that no route may serve.
pub(super) fn is_reserved(path: &str) -> bool {
    RESERVED.iter().any(|reserved| is_at_or_below(&decode(path), reserved))
}

/// Whether a path is `parent` or below it; by whole segments.
pub(super) fn is_at_or_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where the path's slashes are.
pub(super) fn slashes(path: &str) -> impl Iterator<Item = usize> {
    path.bytes().enumerate().filter(|(_, byte)| *byte == b'/').map(|(at, _)| at)
}

/// Routes are compared decoded: `/%61dmin` is `/admin` to an upstream, so it is here. Decoding a path that passed
/// [`crate::path::check`] neither makes nor takes segments.
pub(super) fn decode(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    // What is no UTF-8 did not pass the check; as it stands it matches nothing that decoding would.
    percent_decode_str(path).decode_utf8().unwrap_or(Cow::Borrowed(path))
}

/// The path's beginnings by whole segments, longest first, of at most `deepest` segments, without a last slash.
fn beginnings(path: &str, deepest: usize) -> impl Iterator<Item = &str> {
    let end = slashes(path).nth(deepest).unwrap_or(path.len());
    let longest = path[..end].strip_suffix('/').unwrap_or(&path[..end]);
    std::iter::successors(Some(longest), |path| path.rfind('/').map(|slash| &path[..slash]))
}

#[cfg(test)]
mod tests;

//! `gateway.toml`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rate_limit::Quota;

use super::members::{Members, read_document};
use super::route::Entry;
use super::{Route, TlsFile, checks, defaults, route, tls, upstreams, values};
use crate::upstream::UpstreamConfig;

/// Everything that the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Whether the routes to the Auth API and the console are in force.
    pub default_routes: bool,
    /// Over all routes.
    pub limits: Limits,
    /// `[[route]]`, as written; [`File::routes_in_force`] adds the default ones.
    pub routes: Vec<Arc<Route>>,
    /// `[upstream.NAME]`, by name.
    pub upstreams: Vec<UpstreamConfig>,
    /// `[tls]`.
    pub tls: Option<TlsFile>,
    /// The key that signs `X-Gateway-Assertion`.
    pub assertion: Option<PathBuf>,
}

/// `[limits]`: nothing is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For each client address.
    pub per_address: Option<Quota>,
    /// For each user or API key.
    pub per_user: Option<Quota>,
    /// Requests, WebSockets and streams that one address may have in progress.
    pub concurrent_per_address: u32,
}

impl Limits {
    /// When nothing is said: a quarter of what an upstream takes.
    pub const CONCURRENT_PER_ADDRESS: u32 = 256;
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_address: None, per_user: None, concurrent_per_address: Self::CONCURRENT_PER_ADDRESS }
    }
}

impl Default for File {
    /// Without a file: the default routes.
    fn default() -> Self {
        let limits = Limits::default();
        Self { default_routes: true, limits, routes: Vec::new(), upstreams: Vec::new(), tls: None, assertion: None }
    }
}

impl File {
    /// The file's routes, and the default ones that it does not replace.
    #[must_use]
    pub fn routes_in_force(&self) -> Vec<Arc<Route>> {
        let mut routes = self.routes.clone();
        if self.default_routes {
            let replaced = |route: &Route| self.routes.iter().any(|ours| ours.matches.key() == route.matches.key());
            routes.extend(defaults::routes().into_iter().filter(|route| !replaced(route)).map(Arc::new));
        }
        routes
    }
}

/// Reads the text of a file that lies in `folder`, which paths in it are relative to.
///
/// # Errors
/// Everything that is wrong, each with its line, in the order of the file.
pub fn read(text: &str, folder: &Path) -> Result<File, Vec<String>> {
    read_document(text, |members| read_members(members, folder))
}

/// Reads a file.
///
/// # Errors
/// As [`read`], or that it cannot be read.
pub fn read_file(path: &Path) -> Result<File, Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|cause| vec![format!("it cannot be read: {cause}")])?;
    read(&text, path.parent().unwrap_or(Path::new("")))
}

/// A path in the file.
pub(super) fn resolve(folder: &Path, text: &str) -> Result<PathBuf, &'static str> {
    values::filled(text).map(|text| folder.join(text))
}

fn read_members(mut members: Members<'_>, folder: &Path) -> File {
    let default_routes = members.flag("default_routes").unwrap_or(true);
    let limits = members.table("limits").map(read_limits).unwrap_or_default();
    let tables = members.named_tables("upstream");
    let mut names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    names.extend(upstreams::RESERVED);
    let upstreams = tables.into_iter().map(|(name, table)| upstreams::read(name, table, folder)).collect();
    let routes = members.tables("route").into_iter().filter_map(|table| route::read(table, &names));
    let routes: Vec<Entry> = routes.collect();
    checks::refuse_conflicts(&routes, members.faults());
    let tls = members.table("tls").and_then(|table| tls::read(table, folder));
    let assertion = members.table("assertion").and_then(|table| read_assertion(table, folder));
    members.finish();
    let routes = routes.into_iter().map(|entry| Arc::new(entry.route)).collect();
    File { default_routes, limits, routes, upstreams, tls, assertion }
}

fn read_limits(mut members: Members<'_>) -> Limits {
    let per_address = members.text("per_address", values::quota).flatten();
    let per_user = members.text("per_user", values::quota).flatten();
    let concurrent_per_address =
        members.number("concurrent_per_address", 1..=1_000_000).unwrap_or(Limits::CONCURRENT_PER_ADDRESS);
    members.finish();
    Limits { per_address, per_user, concurrent_per_address }
}

fn read_assertion(mut members: Members<'_>, folder: &Path) -> Option<PathBuf> {
    let key = members.text("key", |text| resolve(folder, text));
    members.need("key", "key = \"gateway-key.pem\"");
    members.finish();
    key
}

#[cfg(test)]
mod tests;

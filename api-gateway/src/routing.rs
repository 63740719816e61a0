//! The routing in force: each route with its upstream, its realm and its meters. It is replaced as a whole, and a request
//! is served from beginning to end by the one that it met.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::identity::assertion::Assertion;
use crate::identity::{Identity, Realm};
use crate::meters::RouteMeters;
use crate::routes::{AUTH_API, Auth, CONSOLE, File, Limits, Route, Table};
use crate::upstream::{Upstream, UpstreamConfig};

const NO_FEED: &str = "GATEWAY_FEED_TOKEN is not set, and routes identify callers: set it to that of the Auth API";

/// Where requests go.
pub struct Routing {
    /// Which route is whose.
    pub table: Table<Target>,
    /// Limits over all routes.
    pub over_all: Limits,
    /// What signs the assertion for upstreams, if anything.
    pub assertion: Option<Arc<Assertion>>,
    routes: Vec<Arc<Route>>,
    upstreams: HashMap<Arc<str>, Arc<Upstream>>,
    identifies_anybody: bool,
}

/// A route, ready for requests.
pub struct Target {
    /// What it says.
    pub route: Arc<Route>,
    /// Where it leads.
    pub upstream: Arc<Upstream>,
    /// Whose tokens it takes.
    pub realm: Realm,
    /// What is counted of it.
    pub meters: RouteMeters,
}

impl Borrow<Route> for Target {
    fn borrow(&self) -> &Route {
        &self.route
    }
}

/// What stays while routings come and go.
pub struct Ground {
    /// The Auth API.
    pub api: Arc<Upstream>,
    /// The console.
    pub console: Arc<Upstream>,
    /// More roots for TLS to upstreams.
    pub extra_roots: Option<Vec<u8>>,
}

impl Routing {
    /// Makes a routing of a file. Upstreams that are the same in `before` stay connected.
    ///
    /// # Errors
    /// What cannot be used, a sentence each.
    pub fn build(file: File, ground: &Ground, identity: &Identity, before: Option<&Self>) -> Result<Self, Vec<String>> {
        let routes = file.routes_in_force();
        let identifies_anybody = routes.iter().any(|route| route.auth != Auth::None);
        let mut faults = Vec::new();
        // Nobody could ever be told apart: every one of these routes would answer 503 for good.
        if identifies_anybody && !identity.has_feed() {
            faults.push(NO_FEED.to_owned());
        }
        let mut upstreams =
            HashMap::from([(AUTH_API.into(), Arc::clone(&ground.api)), (CONSOLE.into(), Arc::clone(&ground.console))]);
        for config in file.upstreams {
            match kept(before, &config)
                .map_or_else(|| Upstream::open(config.clone(), ground.extra_roots.as_deref()), Ok)
            {
                Ok(upstream) => drop(upstreams.insert(Arc::clone(&config.name), upstream)),
                Err(fault) => faults.push(format!("upstream {}: {fault}", config.name)),
            }
        }
        let assertion = file.assertion.map(|key| Assertion::from_pem_file(&key).map(Arc::new)).transpose();
        let assertion = assertion.map_err(|fault| faults.push(fault)).unwrap_or_default();
        if !faults.is_empty() {
            return Err(faults);
        }
        let target = |route: Arc<Route>| {
            let upstream = upstreams.get(&route.upstream).map(Arc::clone)?;
            let realm = identity.realm(route.issuer.as_deref(), route.audience.as_deref());
            let meters = RouteMeters::new(&route.name);
            Some(Target { route, upstream, realm, meters })
        };
        let table = Table::new(routes.iter().map(Arc::clone).filter_map(target).collect());
        Ok(Self { table, over_all: file.limits, assertion, routes, upstreams, identifies_anybody })
    }

    /// Whether any route wants to know who calls.
    pub fn identifies_anybody(&self) -> bool {
        self.identifies_anybody
    }

    /// The routes in force, the file's first.
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }

    /// Every upstream in use.
    pub fn upstreams(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.upstreams.values()
    }
}

fn kept(before: Option<&Routing>, config: &UpstreamConfig) -> Option<Arc<Upstream>> {
    let known = before?.upstreams.get(&config.name)?;
    (known.config() == config).then(|| Arc::clone(known))
}

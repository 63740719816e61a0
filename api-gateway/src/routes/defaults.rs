//! The routes that hold without a file: the Auth API and the console, which guard themselves.

use std::time::Duration;

use super::{AUTH_API, Auth, CONSOLE, Match, Permissions, Rewrite, Route};
use crate::identity::Stale;

const TIMEOUT: Duration = Duration::from_secs(30);

/// The pages of the Auth API that mails link to.
const PAGES: [&str; 7] = [
    "/verify-email",
    "/reset-password",
    "/replace-password",
    "/confirm-email",
    "/accept-invitation",
    "/not-me",
    "/link-identity",
];

/// All of them.
pub(super) fn routes() -> Vec<Route> {
    let health = Rewrite::Replace("/api/v1/health".to_owned());
    let pages = PAGES.map(|path| exact(open(path, AUTH_API, Rewrite::Keep)));
    let routes = [
        open("/api/v1", AUTH_API, Rewrite::Keep),
        open("/.well-known", AUTH_API, Rewrite::Keep),
        open("/docs", AUTH_API, Rewrite::Keep),
        exact(open("/openapi.json", AUTH_API, Rewrite::Keep)),
        open("/health", AUTH_API, health),
        open("/admin", CONSOLE, Rewrite::Keep),
    ];
    routes.into_iter().chain(pages).collect()
}

/// A path and everything below it. What is behind it identifies its callers and sets its headers itself.
fn open(path: &str, upstream: &str, rewrite: Rewrite) -> Route {
    Route {
        name: path.into(),
        matches: Match { path: path.to_owned(), exact: false, host: None, methods: Vec::new() },
        upstream: upstream.into(),
        auth: Auth::None,
        permissions: Permissions::default(),
        issuer: None,
        audience: None,
        stale: Stale::Allow,
        rate_limit: None,
        timeout: TIMEOUT,
        body_limit: Some(Route::BODY_LIMIT),
        rewrite,
        host: None,
        retries: 1,
        forward_credentials: true,
        content_security_policy: None,
    }
}

fn exact(mut route: Route) -> Route {
    route.matches.exact = true;
    route
}

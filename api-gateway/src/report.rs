//! Tells the Auth API every ten seconds how this gateway fares, for the console: at once after the start and after a reload,
//! and once more when it leaves.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::gateway::Gateway;
use crate::identity::{Freshness, Reporter, Stale};
use crate::routes::{Auth, Route};
use crate::upstream::Upstream;

const EVERY: Duration = Duration::from_secs(10);
/// After a report that was not taken, or that knew nothing yet.
const RETRY: Duration = Duration::from_secs(2);
/// The Auth API takes no more of anything.
const MOST: usize = 1_000;

/// How long a gateway that leaves waits for its last report to be taken.
const FAREWELL: Duration = Duration::from_millis(500);

/// The task that reports.
pub(crate) struct Reporting(Mutex<JoinHandle<()>>);

impl From<JoinHandle<()>> for Reporting {
    fn from(task: JoinHandle<()>) -> Self {
        Self(Mutex::new(task))
    }
}

/// What becomes of a gateway after a report.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Stays,
    Leaves,
}

/// Reports until the gateway leaves or is gone.
pub(crate) async fn run(gateway: Weak<Gateway>, mut reporter: Reporter) {
    let Some((shutdown, reloaded)) = gateway.upgrade().map(|g| (g.shutdown.clone(), Arc::clone(&g.reloaded))) else {
        return;
    };
    let mut next = Next::Stays;
    loop {
        let Some(report) = gateway.upgrade().map(|gateway| gateway.report(next)) else { return };
        let taken = reporter.send(report.to_string().into_bytes()).await;
        if next == Next::Leaves {
            return;
        }
        let is_known = report["freshness"]["state"] != "unknown";
        tokio::select! {
            () = sleep(if taken && is_known { EVERY } else { RETRY }) => {}
            () = reloaded.notified() => {}
            () = shutdown.requested() => next = Next::Leaves,
        }
    }
}

impl Gateway {
    /// Returns once the gateway's leave is told, or could not be soon. It must have been requested.
    pub(crate) async fn has_left(&self) {
        if let Some(Reporting(task)) = self.reporting.get() {
            // One that failed has nothing more to tell.
            drop(timeout(FAREWELL, &mut *task.lock().await).await);
        }
    }

    fn report(&self, next: Next) -> Value {
        let routing = self.routing.load();
        let mut upstreams: Vec<_> =
            routing.upstreams().take(MOST).map(|upstream| describe_upstream(upstream)).collect();
        upstreams.sort_by_key(|upstream| upstream["name"].as_str().unwrap_or_default().to_owned());
        json!({
            "id": self.id,
            "version": env!("CARGO_PKG_VERSION"),
            "started_at": self.started_at,
            "address": self.address,
            "freshness": describe_freshness(self.identity.freshness(Instant::now())),
            "routes": routing.routes().iter().take(MOST).map(|route| describe_route(route)).collect::<Vec<_>>(),
            "routes_refused": self.file_state.faults().as_deref(),
            "upstreams": upstreams,
            "certificates": self.describe_certificates(),
            "leaving": next == Next::Leaves,
        })
    }

    fn describe_certificates(&self) -> Vec<Value> {
        let certificates = self.certificates.get().map(|certificates| certificates.validities()).unwrap_or_default();
        let until = |seconds| Timestamp::from_second(i64::try_from(seconds).ok()?).ok();
        let described = certificates
            .into_iter()
            .filter_map(|(name, validity)| Some(json!({"name": name, "valid_until": until(validity.until)?})));
        described.take(MOST).collect()
    }
}

fn describe_freshness(freshness: Freshness) -> Value {
    let (state, age) = match freshness {
        Freshness::Unknown => ("unknown", None),
        Freshness::Current(age) => ("current", Some(age)),
        Freshness::Stale(age) => ("stale", Some(age)),
    };
    json!({"state": state, "age_ms": age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))})
}

fn describe_route(route: &Route) -> Value {
    let auth = match route.auth {
        Auth::Required => "required",
        Auth::Optional => "optional",
        Auth::None => "none",
    };
    let stale = match route.stale {
        Stale::Allow => "allow",
        Stale::Deny => "deny",
    };
    json!({
        "name": *route.name,
        "host": route.matches.host,
        "path": route.matches.path,
        "exact": route.matches.exact,
        "methods": route.matches.methods.iter().map(http::Method::as_str).collect::<Vec<_>>(),
        "upstream": *route.upstream,
        "auth": auth,
        "permissions": route.permissions.all,
        "any_permission": route.permissions.any,
        "stale": stale,
    })
}

fn describe_upstream(upstream: &Upstream) -> Value {
    let servers = upstream.status().into_iter().take(MOST).map(|server| {
        json!({
            "address": server.address,
            "healthy": server.healthy,
            "ejected": server.ejected,
            "in_progress": server.in_progress,
        })
    });
    json!({"name": *upstream.config().name, "servers": servers.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use service_kit::clock::Clock;
    use service_kit::config::Env;
    use service_kit::shutdown::{Shutdown, Trigger};

    use super::*;
    use crate::identity::tests::fake_api::{FEED_TOKEN, FakeApi};
    use crate::{App, Config, Neighbours};

    const ROUTES: &str = "
[[route]]
name = \"orders\"
match = { path = \"/orders/\", host = \"api.example.com\", methods = [\"GET\"] }
upstream = \"orders\"
permissions = [\"orders:read\"]
stale = \"deny\"

[upstream.orders]
servers = [\"http://127.0.0.1:9\"]
";
    /// A busy machine takes its time; the next report of itself would take longer.
    const AT_ONCE: Duration = Duration::from_secs(5);

    /// A gateway with these routes.
    fn start(api: &FakeApi, file: &Path) -> (App, Trigger) {
        let mut env = Env::from_pairs([
            ("GATEWAY_CONFIG", file.to_str().unwrap()),
            ("AUTH_API_URLS", api.url().as_str()),
            ("GATEWAY_FEED_TOKEN", FEED_TOKEN),
            ("GATEWAY_ADDR", "127.0.0.1:8080"),
        ]);
        let (trigger, shutdown) = Shutdown::manual();
        let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
        (App::start(Config::read(&mut env), &Neighbours::default(), clock, shutdown).unwrap(), trigger)
    }

    /// The first report that is so, and how long it took.
    async fn until(api: &FakeApi, is_so: impl Fn(&Value) -> bool) -> (Value, Duration) {
        let began = Instant::now();
        loop {
            let found = api.reports().into_iter().find(|report| is_so(report));
            if let Some(found) = found {
                return (found, began.elapsed());
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{:?}", api.reports());
            sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_gateway_tells_its_routes_and_what_is_behind_them() {
        let (folder, api) = (tempfile::tempdir().unwrap(), FakeApi::start().await);
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, ROUTES).unwrap();
        let (app, _trigger) = start(&api, &file);
        let (report, took) = until(&api, |_| true).await;
        assert!(took < AT_ONCE, "{took:?}");
        let route = json!({
            "name": "orders", "host": "api.example.com", "path": "/orders/", "exact": false, "methods": ["GET"],
            "upstream": "orders", "auth": "required", "permissions": ["orders:read"], "any_permission": [],
            "stale": "deny",
        });
        assert_eq!(report["routes"][0], route);
        let names = |list: &Value| list.as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>();
        assert!(names(&report["routes"]).contains(&json!("/api/v1")), "{report}");
        assert_eq!(names(&report["upstreams"]), ["auth-api", "console", "orders"]);
        let told = (&report["started_at"], &report["address"], &report["leaving"], &report["routes_refused"]);
        assert_eq!(told, (&json!("2026-01-01T00:00:00Z"), &json!("127.0.0.1:8080"), &json!(false), &Value::Null));
        assert_eq!(report["id"], json!(app.gateway().id));
        assert_eq!(api.gateway_ids(), [app.gateway().id.to_string()], "the feed is asked for by the same gateway");
    }

    #[tokio::test]
    async fn a_reload_and_a_leave_are_told_at_once() {
        let (folder, api) = (tempfile::tempdir().unwrap(), FakeApi::start().await);
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, ROUTES).unwrap();
        let (_app, trigger) = start(&api, &file);
        until(&api, |_| true).await;
        std::fs::write(&file, ROUTES.replace("\"/orders/\"", "\"/purchases/\"")).unwrap();
        let (_, took) = until(&api, |report| report["routes"][0]["path"] == "/purchases/").await;
        assert!(took < AT_ONCE, "{took:?}");
        std::fs::write(&file, "[[route]]").unwrap();
        let (refused, took) = until(&api, |report| report["routes_refused"].is_string()).await;
        assert!(took < AT_ONCE, "{took:?}");
        assert_eq!(refused["routes"][0]["path"], "/purchases/", "what is in force");
        trigger.request();
        let (_, took) = until(&api, |report| report["leaving"] == true).await;
        assert!(took < AT_ONCE, "{took:?}");
    }

    #[tokio::test]
    async fn an_api_that_takes_no_reports_is_asked_again() {
        let (folder, api) = (tempfile::tempdir().unwrap(), FakeApi::start().await);
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, ROUTES).unwrap();
        api.refuse_gateways();
        let (_app, _trigger) = start(&api, &file);
        api.was_asked_for_reports().await;
        assert_eq!(api.reports(), Vec::<Value>::new());
        api.admit_gateways();
        let (_, took) = until(&api, |_| true).await;
        assert!(took < EVERY, "{took:?}");
    }
}

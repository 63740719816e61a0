//! What operators may write.

mod refusals;

use super::*;
use crate::identity::Stale;
use crate::path;
use crate::routes::{Auth, Listen, Rewrite};
use crate::upstream::{Balance, ServerUrl};
use http::Method;
use std::time::Duration;

const ROUTE: &str = "[[route]]\nname = \"orders\"\nmatch = { path = \"/orders/\" }\nupstream = \"orders\"\n";
const UPSTREAM: &str = "[upstream.orders]\nservers = [\"http://10.0.0.5:9000\"]\n";

fn parse(text: &str) -> Result<File, Vec<String>> {
    read(text, Path::new("/etc/gateway"))
}

/// A route with these further members.
fn route(members: &str) -> Result<Route, Vec<String>> {
    parse(&format!("{ROUTE}{members}\n{UPSTREAM}")).map(|file| Route::clone(&file.routes[0]))
}

/// An upstream with these further members.
fn upstream(members: &str) -> Result<UpstreamConfig, Vec<String>> {
    parse(&format!("{UPSTREAM}{members}\n")).map(|file| file.upstreams[0].clone())
}

const PAGES: [&str; 7] = [
    "/verify-email",
    "/reset-password",
    "/replace-password",
    "/confirm-email",
    "/accept-invitation",
    "/not-me",
    "/link-identity",
];

#[test]
fn an_empty_file_means_the_default_routes() {
    let file = parse("").unwrap();
    assert_eq!(file, File::default());
    let names: Vec<String> = file.routes_in_force().iter().map(|route| route.name.to_string()).collect();
    assert_eq!(names[..6], ["/api/v1", "/.well-known", "/docs", "/openapi.json", "/health", "/admin"]);
    assert_eq!(names[6..], PAGES, "which mails link to");
    assert!(parse("default_routes = false").unwrap().routes_in_force().is_empty());
}

#[test]
fn a_route_that_says_little_is_protected() {
    let route = route("").unwrap();
    assert_eq!(route.auth, Auth::Required);
    assert_eq!(route.stale, Stale::Allow);
    assert_eq!(route.timeout, Duration::from_secs(15));
    assert_eq!(route.body_limit, Some(1_048_576));
    assert_eq!(route.rewrite, Rewrite::Keep);
    assert_eq!((route.retries, route.forward_credentials), (1, true));
    assert!(route.content_security_policy.unwrap().to_str().unwrap().starts_with("default-src 'self'"));
    assert_eq!((route.host, route.rate_limit, route.issuer, route.audience), (None, None, None, None));
    assert!(route.permissions.are_none());
}

#[test]
fn every_member_of_a_route_is_read() {
    let text = r#"
        auth = "required"
        permissions = ["orders:read"]
        any_permission = ["shop:a", "shop:b"]
        issuer = "https://id.example.com"
        audience = "orders"
        rate_limit = "100/1m"
        timeout = "1h"
        body_limit = "2GiB"
        rewrite = "/other/"
        host = "internal.example:81"
        stale = "deny"
        retries = 0
        forward_credentials = false
        content_security_policy = ''
    "#;
    let route = route(text).unwrap();
    assert_eq!(route.permissions.all, ["orders:read"]);
    assert_eq!(route.permissions.any, ["shop:a", "shop:b"]);
    assert_eq!(route.issuer.as_deref(), Some("https://id.example.com"));
    assert_eq!(route.audience.as_deref(), Some("orders"));
    assert_eq!(route.rate_limit.unwrap().to_string(), "100/1m");
    assert_eq!(route.timeout, Duration::from_secs(3600));
    assert_eq!(route.body_limit, Some(2 << 30));
    assert_eq!(route.rewrite, Rewrite::Replace("/other/".to_owned()));
    assert_eq!(route.host.unwrap(), "internal.example:81");
    assert_eq!((route.stale, route.retries, route.forward_credentials), (Stale::Deny, 0, false));
    assert_eq!(route.content_security_policy, None);
}

#[test]
fn off_lifts_a_limit() {
    assert_eq!(route("body_limit = \"off\"").unwrap().body_limit, None);
    assert_eq!(route("rate_limit = \"off\"").unwrap().rate_limit, None);
    let limits = parse("[limits]\nper_address = \"1200/1m\"\nper_user = \"off\"").unwrap().limits;
    assert_eq!((limits.per_address.unwrap().limit(), limits.per_user), (1200, None));
}

#[test]
fn a_match_says_path_host_and_methods() {
    let text = "[[route]]\nupstream = \"console\"\n[route.match]\npath = \"/a\"\nexact = true\nhost = \"*.Example.com\"\nmethods = [\"GET\"]";
    let file = parse(text).unwrap();
    let matches = &file.routes[0].matches;
    assert_eq!((matches.path.as_str(), matches.exact, matches.host.as_deref()), ("/a", true, Some("*.example.com")));
    assert_eq!(matches.methods, [Method::GET]);
    assert_eq!(&*file.routes[0].name, "GET *.example.com/a");
}

#[test]
fn an_upstream_that_says_only_its_servers_has_the_defaults() {
    let server = ServerUrl { tls: false, host: "10.0.0.5".to_owned(), port: 9000 };
    assert_eq!(upstream("").unwrap(), UpstreamConfig::of_servers("orders", vec![server]));
}

#[test]
fn every_member_of_an_upstream_is_read() {
    let text = r#"
[upstream.orders]
servers = ["https://orders.internal", "http://[::1]:9000"]
balance = "least_loaded"
protocol = "http2"
health = { path = "/health", interval = "1s", timeout = "500ms", healthy_after = 4, unhealthy_after = 5 }
max_requests = 10
queue = 0
queue_timeout = "3s"
connect_timeout = "4s"
idle_timeout = "5s"
eject_after = 6
eject_time = "7s"
slow_start = "0s"
resolve_interval = "8s"
tls = { ca = "ca.pem", server_name = "Orders.internal", client_cert = "/abs/c.pem", client_key = "c.key" }
"#;
    let file = parse(text).unwrap();
    let upstream = &file.upstreams[0];
    assert_eq!(upstream.servers[0], ServerUrl { tls: true, host: "orders.internal".to_owned(), port: 443 });
    assert_eq!(upstream.servers[1], ServerUrl { tls: false, host: "::1".to_owned(), port: 9000 });
    assert_eq!((upstream.balance, upstream.http2), (Balance::LeastLoaded, true));
    let health = upstream.health.as_ref().unwrap();
    assert_eq!((health.path.as_str(), health.healthy_after, health.unhealthy_after), ("/health", 4, 5));
    assert_eq!((health.interval, health.timeout), (Duration::from_secs(1), Duration::from_millis(500)));
    assert_eq!((upstream.max_requests, upstream.queue, upstream.eject_after), (10, 0, 6));
    let seconds = [upstream.queue_timeout, upstream.connect_timeout, upstream.idle_timeout, upstream.eject_time];
    assert_eq!(seconds.map(|period| period.as_secs()), [3, 4, 5, 7]);
    assert_eq!((upstream.slow_start, upstream.resolve_interval), (Duration::ZERO, Duration::from_secs(8)));
    assert_eq!(upstream.tls.ca.as_deref(), Some(Path::new("/etc/gateway/ca.pem")));
    assert_eq!(upstream.tls.server_name.as_deref(), Some("orders.internal"));
    let (cert, key) = upstream.tls.client.as_ref().unwrap();
    assert_eq!((cert.as_path(), key.as_path()), (Path::new("/abs/c.pem"), Path::new("/etc/gateway/c.key")));
}

#[test]
fn health_checks_have_defaults() {
    let health = upstream("health = { path = \"/\" }").unwrap().health.unwrap();
    assert_eq!((health.interval, health.timeout), (Duration::from_secs(5), Duration::from_secs(2)));
    assert_eq!((health.healthy_after, health.unhealthy_after), (2, 3));
}

#[test]
fn tls_and_assertion_are_read_with_paths_relative_to_the_file() {
    let text = r#"
[tls]
listen = ":8443"
redirect = "127.0.0.1:8081"
public_port = 443
certificates = [{ cert = "a.pem", key = "/k/a.key" }]
acme = { directory = "https://ca.example/dir", contact = "mailto:ops@example.com", domains = ["API.example.com"], storage = "data/acme" }
[assertion]
key = "gateway-key.pem"
"#;
    let file = parse(text).unwrap();
    let tls = file.tls.unwrap();
    assert_eq!(tls.listen, Listen::Port(8443));
    assert_eq!(tls.listen.address([0, 0, 0, 0].into()).to_string(), "0.0.0.0:8443");
    let redirect = tls.redirect.unwrap();
    assert_eq!(redirect.listen.address([0, 0, 0, 0].into()).to_string(), "127.0.0.1:8081");
    assert_eq!(redirect.public_port, Some(443));
    assert_eq!(tls.certificates[0].cert, Path::new("/etc/gateway/a.pem"));
    assert_eq!(tls.certificates[0].key, Path::new("/k/a.key"));
    let acme = tls.acme.unwrap();
    assert_eq!(acme.directory.as_str(), "https://ca.example/dir");
    assert_eq!(acme.contact.as_deref(), Some("mailto:ops@example.com"));
    assert_eq!(acme.domains, ["api.example.com"]);
    assert_eq!(acme.storage, Path::new("/etc/gateway/data/acme"));
    assert_eq!(file.assertion.unwrap(), Path::new("/etc/gateway/gateway-key.pem"));
}

#[test]
fn clients_are_sent_to_the_port_of_tls_unless_another_one_is_public() {
    let tls = "[tls]\nlisten = \":8443\"\nredirect = \":8081\"\ncertificates = [{ cert = \"a\", key = \"b\" }]";
    assert_eq!(parse(tls).unwrap().tls.unwrap().redirect.unwrap().public_port, None);
    // The public port may be any: it is mapped elsewhere, and may be that of the redirection itself in here.
    let mapped = parse(&format!("{tls}\npublic_port = 8081")).unwrap().tls.unwrap();
    assert_eq!(mapped.redirect.unwrap().public_port, Some(8081));
}

#[test]
fn a_route_of_the_file_replaces_the_default_one_of_the_same_match() {
    let text = "[[route]]\nname = \"mine\"\nmatch = { path = \"/admin/\", methods = [\"GET\"] }\nupstream = \"console\"\n\
        [[route]]\nmatch = { path = \"/docs\", host = \"a.b\" }\nupstream = \"console\"\n\
        [[route]]\nmatch = { path = \"/openapi.json\" }\nupstream = \"console\"";
    let names: Vec<String> =
        parse(text).unwrap().routes_in_force().iter().map(|route| route.name.to_string()).collect();
    let expected =
        ["mine", "a.b/docs", "/openapi.json", "/api/v1", "/.well-known", "/docs", "/openapi.json", "/health"];
    assert_eq!(names, [&expected[..], &PAGES].concat());
}

#[test]
fn the_default_routes_are_those_of_the_contract() {
    let table = crate::routes::Table::new(File::default().routes_in_force());
    for (path, expected) in [
        ("/api/v1/users/me", Some(("auth-api", "/api/v1/users/me"))),
        ("/.well-known/jwks.json", Some(("auth-api", "/.well-known/jwks.json"))),
        ("/docs", Some(("auth-api", "/docs"))),
        ("/docs/page.js", Some(("auth-api", "/docs/page.js"))),
        ("/openapi.json", Some(("auth-api", "/openapi.json"))),
        ("/health", Some(("auth-api", "/api/v1/health"))),
        ("/health/ready", Some(("auth-api", "/api/v1/health/ready"))),
        ("/admin", Some(("console", "/admin"))),
        ("/admin/users", Some(("console", "/admin/users"))),
        ("/", None),
        ("/api", None),
        ("/api/v2", None),
        ("/openapi.json/x", None),
        ("/internal/v1/revocations", None),
        ("/metrics", None),
    ] {
        let found = table.judge("any.example", path, &Method::GET).ok().map(|route| {
            assert_eq!((route.auth, route.timeout.as_secs(), route.body_limit), (Auth::None, 30, Some(1 << 20)));
            assert_eq!(route.content_security_policy, None);
            let sent = route.upstream_path(&path.parse().unwrap()).unwrap();
            (route.upstream.to_string(), sent.to_string())
        });
        assert_eq!(found, expected.map(|(upstream, sent)| (upstream.to_owned(), sent.to_owned())), "{path}");
    }
    for route in File::default().routes_in_force() {
        assert_eq!(path::check(&route.matches.path), Ok(()));
    }
}

#[test]
fn the_example_of_the_deployment_is_a_good_file() {
    let text = include_str!("../../../../deploy/gateway.example.toml");
    let file = parse(text).unwrap();
    assert!(file.routes.len() >= 3 && !file.upstreams.is_empty(), "the example shows something");
    // Every line that is commented out is a member or table that could be uncommented.
    let uncommented: String =
        text.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
    let whole = parse(&uncommented).unwrap();
    assert!(
        whole.tls.is_some_and(|tls| tls.acme.is_some()) && whole.assertion.is_some() && whole.limits.per_user.is_some()
    );
}

//! Which route is found, and never a broader one than the nearest.

use std::sync::Arc;

use super::*;
use crate::routes::tests::route;
use proptest::prelude::*;

/// `[=]PATH[@HOST][ METHODS]`: the whole is the route's name.
fn parse(text: &str) -> Arc<Route> {
    let (target, methods) = text.split_once(' ').unwrap_or((text, ""));
    let (path, host) = target.split_once('@').map_or((target, None), |(path, host)| (path, Some(host.to_owned())));
    let exact = path.starts_with('=');
    let mut route = route("/");
    route.name = text.into();
    let methods = methods.split_terminator(',').map(|method| method.parse().unwrap()).collect();
    route.matches = Match { path: path.trim_start_matches('=').to_owned(), exact, host, methods };
    Arc::new(route)
}

fn table(routes: &[&str]) -> Table<Arc<Route>> {
    Table::new(routes.iter().map(|text| parse(text)).collect())
}

/// The name of the route, or why there is none.
fn found(table: &Table<Arc<Route>>, request: &str) -> String {
    let (method, target) = request.split_once(' ').unwrap_or(("GET", request));
    let (path, host) = target.split_once('@').unwrap_or((target, ""));
    match table.find(host, path, &method.parse().unwrap()) {
        Ok(route) => route.name.to_string(),
        Err(NoRoute::NotFound) => "404".to_owned(),
        Err(NoRoute::Method(methods)) => format!("405 {methods:?}"),
    }
}

#[test]
fn a_path_matches_itself_and_whole_segments_below() {
    for written in ["/orders", "/orders/"] {
        let table = table(&[written]);
        for path in ["/orders", "/orders/", "/orders/7", "/orders/7/lines/", "/orders/.x"] {
            assert_eq!(found(&table, path), written, "{path}");
        }
        for path in ["/", "/ordersX", "/orders.json", "/Orders", "/order", "/a/orders", "*", ""] {
            assert_eq!(found(&table, path), "404", "{path}");
        }
    }
}

#[test]
fn the_root_matches_everything_that_nothing_else_does() {
    let table = table(&["/", "/a/b/"]);
    for path in ["/", "/x", "/a", "/a/", "/a/bc", "/a/x/b"] {
        assert_eq!(found(&table, path), "/", "{path}");
    }
    assert_eq!(found(&table, "/a/b"), "/a/b/");
    assert_eq!(found(&table, "/a/b/c/d/e"), "/a/b/");
}

#[test]
fn the_longest_path_wins_even_over_a_host() {
    let table = table(&["/a@x.io", "/a/b", "/a/b/c@*.io"]);
    assert_eq!(found(&table, "/a/z@x.io"), "/a@x.io");
    assert_eq!(found(&table, "/a/b/z@x.io"), "/a/b");
    assert_eq!(found(&table, "/a/b/c@x.io"), "/a/b/c@*.io");
    assert_eq!(found(&table, "/a/b/c@io"), "/a/b");
    assert_eq!(found(&table, "/a/z@y.io"), "404");
}

#[test]
fn an_exact_route_wins_over_a_beginning_of_the_same_length() {
    let table = table(&["/a@x.io", "=/a", "=/a/", "/a/b", "=/a/b@x.io"]);
    assert_eq!(found(&table, "/a@x.io"), "=/a");
    assert_eq!(found(&table, "/a/@x.io"), "=/a/");
    assert_eq!(found(&table, "/a/c@x.io"), "/a@x.io");
    assert_eq!(found(&table, "/a/b@x.io"), "=/a/b@x.io");
    assert_eq!(found(&table, "/a/b/@x.io"), "/a/b");
    assert_eq!(found(&table, "/a/b@y.io"), "/a/b");
}

#[test]
fn the_nearest_host_wins_on_one_path() {
    let table = table(&["/", "/@*.example.com", "/@*.b.example.com", "/@a.b.example.com", "/@example.com"]);
    for (host, name) in [
        ("a.b.example.com", "/@a.b.example.com"),
        ("x.b.example.com", "/@*.b.example.com"),
        ("x.y.b.example.com", "/@*.b.example.com"),
        ("b.example.com", "/@*.example.com"),
        ("example.com", "/@example.com"),
        ("badexample.com", "/"),
        ("com", "/"),
        ("", "/"),
        ("[::1]:80", "/"),
    ] {
        assert_eq!(found(&table, &format!("/q@{host}")), name, "{host}");
    }
}

#[test]
fn another_spelling_of_a_host_finds_the_same_route() {
    let table = table(&["/", "/@api.example.com"]);
    for host in ["API.example.com", "api.example.com:8443", "api.example.com.", "Api.Example.Com.:80"] {
        assert_eq!(found(&table, &format!("/a@{host}")), "/@api.example.com", "{host}");
    }
}

#[test]
fn another_spelling_of_a_path_finds_the_same_route() {
    let table = table(&["/", "/admin/@x.io", "/~me", "=/%EC%A3%BC%EB%AC%B8"]);
    assert_eq!(found(&table, "/%61dmin/x@x.io"), "/admin/@x.io");
    assert_eq!(found(&table, "/%7Eme"), "/~me");
    assert_eq!(found(&table, "/%7eme/a%20b"), "/~me");
    assert_eq!(found(&table, "/%ec%a3%bc%eb%ac%b8"), "=/%EC%A3%BC%EB%AC%B8");
}

#[test]
fn what_is_never_forwarded_is_not_found_under_any_route() {
    let table = table(&["/", "/@x.io", "/internal", "=/gateway/health"]);
    for path in ["/internal", "/internal/", "/internal/v1/revocations", "/%69nternal/v1", "/gateway", "/gateway/health"]
    {
        assert_eq!(found(&table, path), "404", "{path}");
        assert_eq!(found(&table, &format!("{path}@x.io")), "404", "{path}");
    }
    assert_eq!(found(&table, "/internals"), "/");
}

#[test]
fn the_method_decides_only_among_the_nearest() {
    let table = table(&["/", "/a GET", "/a POST,PUT", "/a@x.io PATCH", "=/a/b DELETE"]);
    assert_eq!(found(&table, "GET /a/x"), "/a GET");
    assert_eq!(found(&table, "PUT /a"), "/a POST,PUT");
    // Never the route of `/`, of another host, or of the longer path's parent: they may be open to everybody.
    assert_eq!(found(&table, "DELETE /a"), "405 [GET, HEAD, POST, PUT]");
    assert_eq!(found(&table, "GET /a@x.io"), "405 [PATCH]");
    assert_eq!(found(&table, "GET /a/b"), "405 [DELETE]");
}

#[test]
fn head_is_asked_where_get_is_answered_and_options_is_not_implied() {
    let table = table(&["/a GET", "/a POST", "/b POST", "/c OPTIONS", "/d"]);
    assert_eq!(found(&table, "HEAD /a"), "/a GET");
    assert_eq!(found(&table, "HEAD /b"), "405 [POST]");
    assert_eq!(found(&table, "OPTIONS /a"), "405 [GET, HEAD, POST]");
    assert_eq!(found(&table, "OPTIONS /c"), "/c OPTIONS");
    assert_eq!(found(&table, "OPTIONS /d"), "/d");
    assert_eq!(found(&table, "PURGE /d"), "/d");
}

#[test]
fn methods_are_shared_when_one_request_could_take_both() {
    for (one, other, shared) in [
        ("/", "/ GET", true),
        ("/ GET", "/ HEAD", true),
        ("/ GET", "/ POST,GET", true),
        ("/ GET", "/ POST", false),
        ("/ HEAD", "/ POST", false),
    ] {
        let (one, other) = (parse(one), parse(other));
        assert_eq!(one.matches.shares_methods(&other.matches), shared, "{one:?} {other:?}");
        assert_eq!(other.matches.shares_methods(&one.matches), shared, "{one:?} {other:?}");
    }
}

#[test]
fn an_empty_table_serves_nothing() {
    assert_eq!(found(&table(&[]), "/"), "404");
}

/// How good a match is, by the contract read literally: path, exactness, host.
fn rank(route: &Route, host: &str, path: &str) -> Option<(usize, bool, usize)> {
    let matches = &route.matches;
    let host = match matches.host.as_deref() {
        None => 0,
        Some(pattern) if pattern == host => usize::MAX,
        Some(pattern) => host.strip_suffix(pattern.strip_prefix('*')?).map(|_| pattern.len())?,
    };
    if matches.exact {
        return (matches.path == path).then_some((path.len(), true, host));
    }
    let beginning = matches.path.trim_end_matches('/');
    let fits = path == beginning || path.starts_with(&format!("{beginning}/"));
    fits.then_some((beginning.len(), false, host))
}

fn path() -> impl Strategy<Value = String> {
    (prop::collection::vec("[ab]", 0..4), "/?").prop_map(|(segments, slash)| match segments.len() {
        0 => "/".to_owned(),
        _ => format!("/{}{slash}", segments.join("/")),
    })
}

fn host() -> impl Strategy<Value = String> {
    prop::collection::vec("[xy]", 1..4).prop_map(|labels| labels.join("."))
}

fn rule() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        2 => Just(String::new()),
        1 => host().prop_map(|host| format!("@{host}")),
        1 => host().prop_map(|host| format!("@*.{host}")),
    ];
    let methods = prop_oneof![Just(""), Just(" GET"), Just(" POST"), Just(" HEAD,PUT")];
    ("=?", path(), host, methods).prop_map(|(exact, path, host, methods)| format!("{exact}{path}{host}{methods}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_table_finds_what_trying_every_route_finds(
        rules in prop::collection::vec(rule(), 0..12),
        path in path(),
        host in host(),
        method in prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE"]),
    ) {
        let mut routes: Vec<Arc<Route>> = Vec::new();
        for route in rules.iter().map(|text| parse(text)) {
            let same = |other: &Arc<Route>| other.matches.key() == route.matches.key();
            if !routes.iter().any(|other| same(other) && other.matches.shares_methods(&route.matches)) {
                routes.push(route);
            }
        }
        let best = routes.iter().filter_map(|route| rank(route, &host, &path)).max();
        let nearest = routes.iter().filter(|route| best.is_some() && rank(route, &host, &path) == best);
        let takes = |route: &&Arc<Route>| {
            let methods: Vec<&str> = route.matches.methods.iter().map(Method::as_str).collect();
            methods.is_empty() || methods.contains(&method) || (method == "HEAD" && methods.contains(&"GET"))
        };
        let expected = nearest.clone().find(takes).map(|route| route.name.to_string());
        let got = found(&Table::new(routes.clone()), &format!("{method} {path}@{host}"));
        match expected {
            Some(name) => prop_assert_eq!(got, name),
            None if best.is_none() => prop_assert_eq!(got, "404"),
            None => prop_assert!(got.starts_with("405"), "{}", got),
        }
    }
}

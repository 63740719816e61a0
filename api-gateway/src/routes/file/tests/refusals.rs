//! What operators are told when something is wrong.

use super::*;
use proptest::prelude::*;

/// The only fault of `result`, without its line.
fn fault<T: std::fmt::Debug>(result: Result<T, Vec<String>>) -> String {
    let faults = result.expect_err("a fault");
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].split_once(": ").expect("a line").1.to_owned()
}

#[test]
fn everything_wrong_is_told_at_once_in_the_order_of_the_file() {
    let text = r#"defualt_routes = true
[[route]]
match = { path = "/a//b" }
upstream = "orders"
[[route]]
match = { path = "/b", methods = ["get", "TRACE"] }
[[route]]
name = "orders"
match = { path = "/orders/" }
upstream = "ordrs"
timeout = 15
permisions = ["x:y"]
[upstream.orders]
servers = ["ftp://a", "http://b"]
queue = -1
"#;
    let expected = [
        "line 1: there is no member defualt_routes; did you mean default_routes?",
        "line 3: route 1: match.path: the path contains an empty segment; write a path such as /orders/",
        "line 5: route 2 (/b): upstream is missing: write upstream = \"NAME\"",
        "line 6: route 2 (/b): match.methods: \"get\" is no method that can be routed: write GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "line 6: route 2 (/b): match.methods: \"TRACE\" is no method that can be routed: write GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
        "line 10: route 3 (orders): upstream \"ordrs\" is not defined; did you mean orders?",
        "line 11: route 3 (orders): timeout: write a text in quotes, not an integer",
        "line 12: route 3 (orders): there is no member permisions; did you mean permissions?",
        "line 14: upstream.orders: servers: \"ftp://a\" is neither http nor https: write a server such as http://10.0.0.5:9000",
        "line 15: upstream.orders: queue: write a number from 0 to 1000000",
    ];
    assert_eq!(parse(text).unwrap_err(), expected);
}

#[test]
fn text_that_is_no_toml_is_told_by_its_lines_alone() {
    let faults = parse("a = \n[[route]]\nname = \"x\"\nname = \"y\"\n").unwrap_err();
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(faults[0].starts_with("line 1: "), "{faults:#?}");
    assert!(faults[1].starts_with("line 4: ") && faults[1].contains("duplicate"), "{faults:#?}");
}

#[test]
fn members_of_another_shape_are_refused() {
    for (text, part) in [
        ("route = 1", "route: write tables in a row, not an integer"),
        ("route = [1]", "route 1: write a table, not an integer"),
        ("upstream = []", "upstream: write a table, not an array"),
        ("[upstream]\na = 1", "upstream.a: write a table, not an integer"),
        ("limits = true", "limits: write a table, not a boolean"),
        ("default_routes = \"no\"", "default_routes: write true or false, not a string"),
        ("[assertion]", "key is missing"),
        ("[limits]\nper_user = \"0/1m\"", "limits.per_user: the limit must be from 1"),
    ] {
        assert!(fault(parse(text)).contains(part), "{text}: {:?}", parse(text));
    }
    assert!(fault(route("permissions = \"a:b\"")).contains("write a list of texts"));
    assert!(fault(route("permissions = [1]")).contains("write texts in quotes"));
    assert!(fault(route("retries = 1.0")).contains("a whole number, not a float"));
}

#[test]
fn values_out_of_range_are_refused() {
    for (members, part) in [
        ("timeout = \"0s\"", "from 1ms to 1h"),
        ("timeout = \"61m\"", "from 1ms to 1h"),
        ("timeout = \"15\"", "a whole number and a unit"),
        ("body_limit = \"0KiB\"", "1024GiB"),
        ("body_limit = \"1025GiB\"", "1024GiB"),
        ("body_limit = \"99999999999999GiB\"", "1024GiB"),
        ("body_limit = \"1MB\"", "KiB, MiB or GiB"),
        ("body_limit = \"1\"", "KiB, MiB or GiB"),
        ("retries = 6", "from 0 to 5"),
        ("rate_limit = \"100\"", "30/1m"),
        ("permissions = []", "the list is empty"),
        ("permissions = [\"a:b\", \"a:b\"]", "one thing twice"),
        ("permissions = [\"read\"]", "resource:action"),
        ("permissions = [\"A:b\"]", "resource:action"),
        ("permissions = [\"a:b:c\"]", "resource:action"),
        ("any_permission = [\"a:\"]", "resource:action"),
        ("auth = \"open\"", "\"required\" or \"optional\" or \"none\""),
        ("stale = \"maybe\"", "\"allow\" or \"deny\""),
        ("issuer = \"\"", "fill it"),
        ("host = \"a/b\"", "write a host"),
        ("host = \"u@b\"", "write a host"),
        ("rewrite = \"other\"", "begin with a slash"),
        ("rewrite = \"/a/../b\"", "dot segment"),
        ("content_security_policy = \"a\\nb\"", "one line of ASCII"),
    ] {
        let fault = fault(route(members));
        assert!(fault.starts_with("route 1 (orders): ") && fault.contains(part), "{members}: {fault}");
    }
}

#[test]
fn matches_out_of_form_are_refused() {
    for (members, part) in [
        ("path = \"orders\"", "begin with a slash"),
        ("path = \"/a;b\"", "semicolon"),
        ("path = \"/orders/*\"", "no star"),
        ("path = \"/orders?a\"", "percent-encoded"),
        ("path = \"/internal\"", "never forwarded"),
        ("path = \"/internal/v1\"", "never forwarded"),
        ("path = \"/%69nternal/\"", "never forwarded"),
        ("path = \"/gateway/health\"", "never forwarded"),
        ("path = \"/a\", host = \"*\"", "leave host out"),
        ("path = \"/a\", host = \"a.b:80\"", "without scheme, port and path"),
        ("path = \"/a\", methods = []", "the list is empty"),
        ("path = \"/a\", methods = [\"GET\", \"GET\"]", "one thing twice"),
        ("host = \"a.b\"", "path is missing"),
        ("path = \"/a\", hosts = \"a.b\"", "no member match.hosts; did you mean host?"),
    ] {
        let fault = fault(parse(&format!("[[route]]\nmatch = {{ {members} }}\nupstream = \"console\"")));
        assert!(fault.starts_with("route 1") && fault.contains(part), "{members}: {fault}");
    }
    assert!(fault(parse("[[route]]\nupstream = \"console\"")).contains("match is missing"));
}

#[test]
fn contradictions_are_refused() {
    for member in [
        "permissions = [\"a:b\"]",
        "any_permission = [\"a:b\"]",
        "issuer = \"i\"",
        "audience = \"a\"",
        "stale = \"deny\"",
    ] {
        let fault = fault(route(&format!("auth = \"none\"\n{member}")));
        assert!(fault.contains("auth = \"none\" looks at no credential"), "{fault}");
    }
    for member in ["permissions", "any_permission"] {
        assert!(fault(route(&format!("auth = \"optional\"\n{member} = [\"a:b\"]"))).contains("who hold nothing"));
    }
    assert!(route("auth = \"optional\"\nissuer = \"i\"").is_ok());
    assert!(fault(route("strip_prefix = true\nrewrite = \"/\"")).contains("exclude each other"));
    assert_eq!(route("strip_prefix = true").unwrap().rewrite, Rewrite::Replace("/".to_owned()));
    assert_eq!(route("strip_prefix = false\nrewrite = \"/a\"").unwrap().rewrite, Rewrite::Replace("/a".to_owned()));
}

#[test]
fn no_rewrite_opens_what_is_internal_to_the_auth_api() {
    let to_api = |matches: &str, members: &str| {
        parse(&format!("[[route]]\nmatch = {{ path = \"/x/\"{matches} }}\nupstream = \"auth-api\"\n{members}"))
    };
    for members in [
        "strip_prefix = true",
        "rewrite = \"/\"",
        "rewrite = \"/internal\"",
        "rewrite = \"/internal/v1\"",
        "rewrite = \"/%69nternal\"",
    ] {
        assert!(fault(to_api("", members)).contains("would open /internal"), "{members}");
    }
    assert!(to_api(", exact = true", "strip_prefix = true").is_ok());
    assert!(fault(to_api(", exact = true", "rewrite = \"/internal/a\"")).contains("would open /internal"));
    assert!(to_api("", "rewrite = \"/api\"").is_ok());
    assert!(to_api("", "rewrite = \"/internals\"").is_ok());
    assert!(route("strip_prefix = true").is_ok(), "a team's own service may have what it likes");
}

#[test]
fn routes_that_match_the_same_are_refused_by_both_names() {
    let pair = |one: &str, other: &str| {
        let route =
            |name, matches| format!("[[route]]\nname = \"{name}\"\nmatch = {{ {matches} }}\nupstream = \"console\"\n");
        parse(&(route("one", one) + &route("two", other)))
    };
    for (one, other) in [
        ("path = \"/a\"", "path = \"/a/\""),
        ("path = \"/a\"", "path = \"/%61\""),
        ("path = \"/a\", methods = [\"GET\"]", "path = \"/a\""),
        ("path = \"/a\", methods = [\"GET\", \"PUT\"]", "path = \"/a\", methods = [\"HEAD\"]"),
        ("path = \"/a\", host = \"x.io\"", "path = \"/a\", host = \"X.io\""),
        ("path = \"/a\", exact = true", "path = \"/a\", exact = true"),
    ] {
        let fault = fault(pair(one, other));
        assert!(fault.starts_with("route 2 (two): route 1 (one) matches the same"), "{one} {other}: {fault}");
    }
    for (one, other) in [
        ("path = \"/a\"", "path = \"/a\", exact = true"),
        ("path = \"/a\", exact = true", "path = \"/a/\", exact = true"),
        ("path = \"/a\"", "path = \"/a\", host = \"x.io\""),
        ("path = \"/a\", host = \"*.x.io\"", "path = \"/a\", host = \"x.io\""),
        ("path = \"/a\", methods = [\"GET\"]", "path = \"/a\", methods = [\"PUT\"]"),
    ] {
        assert!(pair(one, other).is_ok(), "{one} {other}");
    }
    let text = "[[route]]\nname = \"n\"\nmatch = { path = \"/a\" }\nupstream = \"console\"\n[[route]]\nname = \"n\"\nmatch = { path = \"/b\" }\nupstream = \"console\"";
    assert!(fault(parse(text)).contains("called \"n\" already"));
}

#[test]
fn upstreams_out_of_form_are_refused() {
    for (members, part) in [
        ("balance = \"random\"", "\"round_robin\" or \"least_loaded\""),
        ("protocol = \"h2\"", "\"http1\" or \"http2\""),
        ("health = { path = \"health\" }", "health.path: "),
        ("health = { interval = \"1s\" }", "health.path is missing"),
        ("health = { path = \"/\", interval = \"10ms\" }", "from 100ms to 1h"),
        ("health = { path = \"/\", healthy_after = 0 }", "from 1 to 100"),
        ("max_requests = 0", "from 1 to 1000000"),
        ("max_requests = 99999999999", "from 1 to 1000000"),
        ("eject_after = 0", "from 1 to 1000"),
        ("eject_time = \"6m\"", "from 1ms to 5m"),
        ("resolve_interval = \"0s\"", "from 1s to 1d"),
        ("connect_timeout = \"0s\"", "from 1ms to 1m"),
        ("tls = { ca = \"a\" }", "tls has no effect"),
        ("server = \"a\"", "there is no member server; did you mean servers?"),
    ] {
        let fault = fault(upstream(members));
        assert!(fault.starts_with("upstream.orders: ") && fault.contains(part), "{members}: {fault}");
    }
}

#[test]
fn servers_out_of_form_are_refused() {
    let servers = |servers: &str| parse(&format!("[upstream.a]\nservers = {servers}"));
    for (list, part) in [
        ("[]", "the list is empty"),
        ("[\"10.0.0.5:9000\"]", "cannot be read"),
        ("[\"orders:9000\"]", "neither http nor https"),
        ("[\"http://a/path\"]", "more than a host and a port"),
        ("[\"http://a?q\"]", "more than a host and a port"),
        ("[\"http://a#f\"]", "more than a host and a port"),
        ("[\"http://u:p@a\"]", "must not carry a user"),
        ("[\"ftp://u:p@a\"]", "the URL is neither http nor https"),
        ("[\"http://u:p@a:99999\"]", "the URL cannot be read"),
        ("[\"http://a:0\"]", "usable host and port"),
        ("[\"http://a\", \"http://a:80\"]", "one thing twice"),
    ] {
        let fault = fault(servers(list));
        assert!(fault.contains(part), "{list}: {fault}");
        assert!(!fault.contains("u:p"), "{fault}");
    }
    assert!(fault(parse("[upstream.a]")).contains("servers is missing"));
    assert!(fault(parse("[upstream.auth-api]\nservers = [\"http://a\"]")).contains("defines this upstream itself"));
    assert!(fault(parse("[upstream.console]\nservers = [\"http://a\"]")).contains("defines this upstream itself"));
    assert!(fault(parse("[upstream.\"a b\"]\nservers = [\"http://a\"]")).contains("the name must be plain"));
}

#[test]
fn tls_to_upstreams_out_of_form_is_refused() {
    let tls = |tls: &str| parse(&format!("[upstream.a]\nservers = [\"https://a\"]\ntls = {{ {tls} }}"));
    assert!(tls("ca = \"ca.pem\"").is_ok());
    assert!(fault(tls("client_cert = \"a\"")).contains("needs its key"));
    assert!(fault(tls("client_key = \"a\"")).contains("needs its certificate"));
    assert!(fault(tls("server_name = \"a:443\"")).contains("no host name"));
    assert!(fault(tls("ca = \"\"")).contains("fill it"));
    assert!(fault(tls("insecure = true")).contains("no member tls.insecure"));
}

#[test]
fn tls_of_the_gateway_out_of_form_is_refused() {
    let tls = |members: &str| fault(parse(&format!("[tls]\n{members}")));
    let certificates = "certificates = [{ cert = \"a\", key = \"b\" }]";
    assert!(tls("listen = \":8443\"").contains("no certificate"));
    assert!(tls(&format!("listen = \"8443\"\n{certificates}")).contains("only the port: :8443"));
    assert!(tls(certificates).contains("listen is missing"));
    assert!(tls(&format!("listen = \":1\"\nredirect = \":1\"\n{certificates}")).contains("another port"));
    let public = |members: &str| tls(&format!("listen = \":1\"\n{members}\n{certificates}"));
    assert!(public("public_port = 443").contains("write redirect"));
    for port in ["0", "65536", "-443"] {
        let told = public(&format!("redirect = \":2\"\npublic_port = {port}"));
        assert!(told.contains("write a number from 1 to 65535"), "{told}");
    }
    assert!(public("redirect = \":2\"\npublic_port = \":443\"").contains("write a whole number"));
    assert!(tls("listen = \":1\"\ncertificates = [{ cert = \"a\" }]").contains("key is missing"));
    let acme = |directory: &str, contact: &str, domain: &str| {
        tls(&format!(
            "listen = \":1\"\nacme = {{ directory = \"{directory}\", contact = \"{contact}\", domains = [\"{domain}\"], storage = \"s\" }}"
        ))
    };
    assert!(acme("http://ca", "mailto:a@b", "a.b").contains("https URL"));
    assert!(acme("https://ca", "a@b", "a.b").contains("write mailto:"));
    assert!(acme("https://ca", "mailto:a@b", "*.b").contains("challenge over DNS"));
    assert!(acme("https://ca", "mailto:a@b", "a/b").contains("no host name"));
    assert_eq!(parse("[tls]\nlisten = \":1\"\nacme = {}").unwrap_err().len(), 3, "directory, domains, storage");
}

proptest! {
    #[test]
    fn no_text_panics(text in "[\\[\\]a-z.={}\"0-9\\n _-]{0,80}") {
        let _ = parse(&text);
        let _ = parse(&format!("{ROUTE}{text}"));
        let _ = parse(&format!("{UPSTREAM}{text}"));
    }
}

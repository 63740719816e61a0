//! Cases that hold, cases that do not, and what is said then.

use super::*;
use std::path::Path;

const ROUTES: &str = r#"
[[route]]
name = "orders"
match = { path = "/orders/", host = "api.example.com", methods = ["GET", "POST"] }
upstream = "orders"
permissions = ["orders:read"]
strip_prefix = true
[[route]]
name = "partners"
match = { path = "/partners/" }
upstream = "orders"
issuer = "https://id.partner.example"
audience = "partners"
[[route]]
name = "catalogue"
match = { path = "/catalogue/" }
upstream = "orders"
auth = "optional"
[[route]]
name = "hooks"
match = { path = "/hooks", exact = true }
upstream = "orders"
auth = "none"
[upstream.orders]
servers = ["http://10.0.0.5:9000"]
"#;

fn file() -> File {
    crate::routes::read(ROUTES, Path::new("")).unwrap()
}

/// The differences of one case.
fn differences(request: &str, caller: &str, expect: &str) -> Vec<String> {
    let caller = if caller == "nobody" { String::new() } else { format!("caller = {{ {caller} }}") };
    let text = format!("[[case]]\nname = \"a\"\nrequest = {{ {request} }}\n{caller}\nexpect = {{ {expect} }}");
    let mut report = run(&file(), &text).unwrap();
    assert_eq!(report.verdicts.len(), 1);
    report.verdicts.remove(0).differences
}

/// What is decided about a GET.
fn decision(path: &str, caller: &str) -> String {
    let request = format!("path = \"{path}\", host = \"api.example.com\"");
    let expected = "decision = \"method_not_allowed\"";
    let differences = differences(&request, caller, expected).concat();
    differences.strip_prefix("decision: expected method_not_allowed, got ").unwrap_or("method_not_allowed").to_owned()
}

#[test]
fn each_decision_can_be_expected() {
    let reader = "permissions = [\"orders:read\"]";
    for (path, caller, expected) in [
        ("/orders/7", reader, "allow"),
        ("/%6frders/7", reader, "allow"),
        ("/orders/7", "permissions = []", "forbidden"),
        ("/orders/7", "permissions = [\"orders:write\"], roles = [\"user\"]", "forbidden"),
        ("/orders/7", "nobody", "unauthenticated"),
        ("/orders/7", "kind = \"api_key\", permissions = [\"orders:read\"]", "allow"),
        ("/orders/7", "kind = \"api_key\"", "forbidden"),
        ("/orders/7", "permissions = [\"orders:read\"], issuer = \"https://id.partner.example\"", "invalid_token"),
        ("/orders/7", "permissions = [\"orders:read\"], audience = \"partners\"", "invalid_token"),
        ("/partners/", reader, "invalid_token"),
        ("/partners/", "issuer = \"https://id.partner.example\", audience = \"partners\"", "allow"),
        ("/partners/", "issuer = \"https://id.partner.example\", audience = \"others\"", "invalid_token"),
        ("/partners/", "kind = \"api_key\"", "allow"),
        ("/catalogue/", "nobody", "allow"),
        ("/catalogue/", "issuer = \"https://elsewhere.example\"", "invalid_token"),
        ("/hooks", "issuer = \"https://elsewhere.example\"", "allow"),
        ("/hooks", "nobody", "allow"),
        ("/hooks/a", "nobody", "not_found"),
        ("/internal/v1/revocations", reader, "not_found"),
        ("/orders/../hooks", reader, "bad_request"),
        ("/orders/%252e", reader, "bad_request"),
        ("/api/v1/users", "nobody", "allow"),
    ] {
        assert_eq!(decision(path, caller), expected, "{path} {caller}");
    }
    let delete = "method = \"DELETE\", path = \"/orders/7\", host = \"API.example.com:443\"";
    assert_eq!(differences(delete, reader, "decision = \"method_not_allowed\""), Vec::<String>::new());
}

#[test]
fn a_case_that_holds_says_nothing_about_the_rest() {
    let request = "path = \"/orders/7?full=1\", host = \"api.example.com\"";
    let expect = "decision = \"forbidden\", route = \"orders\", upstream = \"orders\", path = \"/7?full=1\"";
    assert_eq!(differences(request, "permissions = [\"profile:read\"]", expect), Vec::<String>::new());
    assert_eq!(
        differences(request, "permissions = [\"profile:read\"]", "decision = \"forbidden\""),
        Vec::<String>::new()
    );
}

#[test]
fn every_difference_is_told() {
    let request = "path = \"/orders/7\", host = \"api.example.com\"";
    let expect = "decision = \"allow\", route = \"hooks\", upstream = \"console\", path = \"/orders/7\"";
    let expected = [
        "decision: expected allow, got unauthenticated",
        "route: expected hooks, got orders",
        "upstream: expected console, got orders",
        "path: expected /orders/7, got /7",
    ];
    assert_eq!(differences(request, "nobody", expect), expected);
    let nowhere = differences("path = \"/nowhere\"", "nobody", "decision = \"not_found\", route = \"orders\"");
    assert_eq!(nowhere, ["route: expected orders, got none"]);
}

#[test]
fn the_report_reads_well() {
    let cases = r#"
[[case]]
name = "readers read"
request = { path = "/orders/7", host = "api.example.com" }
caller = { permissions = ["orders:read"] }
expect = { decision = "allow" }
[[case]]
name = "nobody reads"
request = { method = "GET", path = "/orders/7", host = "api.example.com" }
expect = { decision = "allow", path = "/orders/7" }
"#;
    let report = run(&file(), cases).unwrap();
    assert_eq!(report.failed(), 1);
    let expected = "\
ok    readers read
FAIL  nobody reads
      GET api.example.com/orders/7
        decision: expected allow, got unauthenticated
        path: expected /orders/7, got /7
2 cases, 1 failed
";
    assert_eq!(report.to_string(), expected);
}

#[test]
fn everything_wrong_with_cases_is_told_at_once() {
    let cases = r#"cases = 1
[[case]]
name = "a"
request = { method = "G T", host = "x" }
caller = { kind = "api_key", issuer = "i", permission = ["a:b"] }
expect = { decision = "allowed", route = "order" }
[[case]]
request = { path = "/a" }
expect = { upstream = "other" }
"#;
    let expected = [
        "line 1: there is no member cases; did you mean case?",
        "line 4: case 1 (a): request.method: invalid HTTP method",
        "line 4: case 1 (a): request.path is missing: write path = \"/orders/7\"",
        "line 5: case 1 (a): caller.issuer: an API key has none: remove it, or write kind = \"session\"",
        "line 5: case 1 (a): there is no member caller.permission; did you mean permissions?",
        "line 6: case 1 (a): expect.decision: write \"allow\" or \"bad_request\" or \"not_found\" or \"method_not_allowed\" or \"unauthenticated\" or \"forbidden\" or \"invalid_token\"",
        "line 6: case 1 (a): expect.route: \"order\" is no route; did you mean orders?",
        "line 7: case 2: name is missing: write name = \"customers cannot read all orders\"",
        "line 9: case 2: expect.decision is missing: write decision = \"allow\"",
        "line 9: case 2: expect.upstream: \"other\" is no upstream of a route",
    ];
    let mut faults = run(&file(), cases).unwrap_err();
    // Of one line the order is of no interest.
    faults.sort_by_key(|fault| (fault.split(':').next().map(str::to_owned), fault.clone()));
    assert_eq!(faults, expected);
}

#[test]
fn a_file_without_cases_is_a_mistake() {
    assert_eq!(run(&file(), "").unwrap_err(), ["line 1: case is missing: write [[case]]"]);
}

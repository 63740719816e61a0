//! Where requests go, and what reaches the service behind.

use reqwest::Method;
use serde_json::Value;

use super::{ROUTES, Site, upstream::values};
use crate::{
    client::Answer,
    support::{Engine, Workplace},
};

#[tokio::test]
async fn without_a_file_the_gateway_is_the_door_of_the_api() {
    let site = Site::with("").await;
    let front = site.front();
    assert_eq!(front.get("/health").await.text("status"), "healthy");
    assert_eq!(front.get("/api/v1/health").await.status, 200);
    assert_eq!(front.get("/.well-known/jwks.json").await.body["keys"].as_array().unwrap().len(), 1);
    assert_eq!(front.get("/openapi.json").await.body["openapi"], "3.1.0");
    assert_eq!(front.get("/docs/").await.status, 200);
    let person = front.person("kim@example.com").await;
    let me = front.me(&person.access).await;
    assert_eq!((me.status, me.text("email").as_str()), (200, "kim@example.com"));
    assert_eq!(front.logout(&person.access).await.status, 204);
    assert_eq!(front.me(&person.access).await.status, 401);
    assert_eq!(front.get("/").await.text("documentation"), "/docs");
    assert_eq!(front.get("/nothing").await.text("code"), "not_found");
    assert_eq!(front.get("/admin/").await.status, 502, "no console runs here");
}

#[tokio::test]
async fn what_is_internal_never_passes_the_door() {
    let site = Site::with("").await;
    let client = site.front().with_header("authorization", &format!("Bearer {}", super::FEED_TOKEN));
    for path in ["/internal/v1/revocations", "/internal/v1/api-keys/resolve", "/internal", "/gateway/anything"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_once_and_an_id() {
    let site = Site::with(ROUTES).await;
    let front = site.front();
    for path in ["/api/v1/health", "/nothing", "/gateway/health", "/", "/open/framed", "/private/x", "/open//x"] {
        let answer = front.get(path).await;
        for name in [
            "strict-transport-security",
            "x-content-type-options",
            "x-frame-options",
            "x-xss-protection",
            "referrer-policy",
            "content-security-policy",
            "cross-origin-opener-policy",
            "x-request-id",
        ] {
            assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{path} {name} {answer:?}");
        }
        assert!(!answer.headers.contains_key("server"), "{path} {answer:?}");
    }
    let framed = front.get("/open/framed").await;
    assert_eq!(framed.header("x-frame-options"), "SAMEORIGIN", "what a service says of itself stands");
    assert_eq!(framed.header("content-security-policy"), "default-src 'self'");
    assert!(!framed.headers.contains_key("x-hop") && !framed.headers.contains_key("connection"), "{framed:?}");
}

#[tokio::test]
async fn the_service_sees_whose_request_it_is_and_nothing_of_the_connection() {
    let site = Site::with(ROUTES).await;
    let front = site.front().with_header("x-request-id", "my-id-1").with_header("connection", "keep-alive, x-drop");
    let front =
        front.with_header("x-drop", "1").with_header("te", "trailers").with_header("x-forwarded-for", "6.6.6.6");
    let front = front.with_header("x_forwarded_for", "7.7.7.7").with_header("forwarded", "for=8.8.8.8");
    let answer = front.get("/open/a?b=c%20d").await;
    assert_eq!((answer.status, answer.header("x-request-id")), (200, "my-id-1"));
    let head = site.upstream.last();
    assert!(head.starts_with("GET /open/a?b=c%20d HTTP/1.1\r\n"), "{head}");
    assert_eq!(values(&head, "x-request-id"), ["my-id-1"]);
    assert_eq!(values(&head, "host"), [format!("127.0.0.1:{}", site.gateway.port)]);
    assert_eq!(values(&head, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&head, "x-forwarded-proto"), ["http"]);
    for gone in ["x-drop", "te", "connection", "x_forwarded_for", "forwarded", "x-user-id"] {
        assert_eq!(values(&head, gone), [""; 0], "{gone} {head}");
    }
}

#[tokio::test]
async fn a_declared_proxy_is_continued_and_believed() {
    let site = Site::with(ROUTES).await;
    let place = super::Gateway::place(&[site.api_place.port], &ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let gateway = super::Gateway::start_in(place.set("TRUSTED_PROXIES", "127.0.0.1")).await;
    let proxy = gateway.client.with_header("x-forwarded-for", "203.0.113.9").with_header("x-forwarded-proto", "https");
    assert_eq!(proxy.get("/open/a").await.status, 200);
    let head = site.upstream.last();
    assert_eq!(values(&head, "x-forwarded-for"), ["203.0.113.9, 127.0.0.1"]);
    assert_eq!(values(&head, "x-forwarded-proto"), ["https"]);
}

#[tokio::test]
async fn methods_hosts_and_prefixes_decide() {
    let routes = r#"
default_routes = false
[[route]]
match = { path = "/api/" }
upstream = "service"
auth = "none"
strip_prefix = true
[[route]]
match = { path = "/api/", host = "*.example.com", methods = ["POST"] }
upstream = "service"
auth = "none"
rewrite = "/v2/"
host = "inside.example"
[upstream.service]
servers = ["UPSTREAM"]
"#;
    let site = Site::with(routes).await;
    let front = site.front();
    assert_eq!(front.get("/api/v1/health").await.status, 200);
    assert!(site.upstream.last().starts_with("GET /v1/health HTTP/1.1"), "the default routes are gone");
    let there = front.with_header("host", "shop.example.com");
    let refused = there.get("/api/things").await;
    assert_eq!((refused.status, refused.header("allow")), (405, "POST"));
    assert_eq!(there.post("/api/things", Value::Null).await.status, 200);
    let head = site.upstream.last();
    assert!(head.starts_with("POST /v2/things HTTP/1.1"), "{head}");
    assert_eq!(values(&head, "host"), ["inside.example"]);
    assert_eq!(values(&head, "x-forwarded-host"), ["shop.example.com"]);
    assert_eq!(front.get("/apis").await.status, 404);
    for method in [Method::TRACE, Method::CONNECT] {
        let answer = Answer::of(front.request(method.clone(), "/api/x")).await.unwrap();
        assert!([400, 405].contains(&answer.status), "{method} {answer:?}");
    }
}

#[tokio::test]
async fn only_expected_hosts_are_answered_except_by_checks() {
    let site = Site::with(ROUTES).await;
    let place = super::Gateway::place(&[site.api_place.port], &ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let gateway = super::Gateway::spawn(place.set("ALLOWED_HOSTS", "api.example.com"));
    gateway.until_ready().await;
    let seen = site.upstream.seen().len();
    let refused = gateway.client.get("/open/a").await;
    assert_eq!((refused.status, refused.text("code").as_str()), (400, "invalid_host"));
    assert_eq!(site.upstream.seen().len(), seen);
    assert_eq!(gateway.client.with_header("host", "api.example.com").get("/open/a").await.status, 200);
    assert_eq!(gateway.client.get("/gateway/health").await.status, 200);
}

#[tokio::test]
async fn errors_are_told_in_the_callers_language_and_documented() {
    let site = Site::with(ROUTES).await;
    let documented = site.api_place.run(&["docs", "errors"]).out;
    let korean = site.front().with_header("accept-language", "ko-KR,ko;q=0.9");
    let refused = korean.get("/private/x").await;
    assert_eq!((refused.status, refused.header("content-language")), (401, "ko"));
    assert_eq!(refused.text("detail"), "인증이 필요합니다.");
    for path in ["/private/x", "/open//x", "/open/;x", "/open/garbage", "/nothing"] {
        let answer = site.front().get(path).await;
        let line = format!("| `{}` | {} |", answer.text("code"), answer.status);
        assert!(documented.contains(&line), "{path} {line}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn the_program_proves_files_and_policies_without_a_server() {
    let place = Workplace::on(Engine::Sqlite);
    std::fs::write(place.path("good.toml"), ROUTES.replace("UPSTREAM", "http://127.0.0.1:9")).unwrap();
    std::fs::write(place.path("bad.toml"), "[[route]]\nmatch = { path = \"orders\" }\nupstream = \"nowhere\"\n")
        .unwrap();
    let checked = place.run(&["gateway", "check", "good.toml"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.out.contains("orders") && checked.out.contains("orders:read"), "{checked:?}");
    let refused = place.run(&["gateway", "check", "bad.toml"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("bad.toml") && refused.err.contains("nowhere"), "{refused:?}");
    let cases = r#"
[[case]]
name = "strangers are kept out"
request = { method = "GET", path = "/private/x" }
expect = { decision = "unauthenticated", route = "private" }
[[case]]
name = "who may read orders reaches the service"
request = { method = "GET", path = "/orders/7" }
caller = { permissions = ["orders:read"] }
expect = { decision = "allow", upstream = "service", path = "/7" }
"#;
    std::fs::write(place.path("cases.toml"), cases).unwrap();
    let passed = place.run(&["gateway", "test", "cases.toml", "--config", "good.toml"]);
    assert_eq!(passed.code, Some(0), "{passed:?}");
    std::fs::write(place.path("wrong.toml"), cases.replace("\"allow\"", "\"forbidden\"")).unwrap();
    let failed = place.run(&["gateway", "test", "wrong.toml", "--config", "good.toml"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.out.contains("who may read orders"), "{failed:?}");
}

//! What every answer carries, and how errors are written.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderName, HeaderValue, StatusCode, header};
use service_kit::config::Env;
use service_kit::cors::Cors;
use service_kit::edge::Edge;
use service_kit::hosts::AllowedHosts;
use service_kit::problem::{FieldError, Problem, Text};
use service_kit::proxies::{ClientAddr, TrustedProxies};
use service_kit::serve::ServeLimits;

use crate::client::{Answer, ask};
use crate::{Server, start};

const SECURITY: [(&str, &str); 9] = [
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "1; mode=block"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("content-security-policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("cache-control", "no-store"),
];

async fn weak() -> Problem {
    let error = FieldError {
        field: "password".into(),
        code: "too_short",
        detail: Text::new("At least 8 characters.", "8자 이상이어야 합니다."),
    };
    let detail = Text::new("The password is too weak.", "비밀번호가 너무 약합니다.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", detail).with_errors(vec![error]).retry_after(3)
}

async fn repeated() -> Response {
    let mut response = "fine".into_response();
    for name in ["x-frame-options", "content-security-policy", "server", "x-request-id", "referrer-policy"] {
        for value in ["first", "second"] {
            response.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    response
}

async fn client(client: axum::Extension<ClientAddr>) -> String {
    client.ip.to_string()
}

async fn panics() {
    panic!("secret detail");
}

async fn start_edge() -> Server {
    let origins = ("CORS_ALLOWED_ORIGINS", "https://app.com");
    let mut env = Env::from_pairs([("ALLOWED_HOSTS", "a.com"), ("TRUSTED_PROXIES", "127.0.0.1"), origins]);
    let edge = Edge::new(TrustedProxies::read(&mut env));
    let layers = (edge, AllowedHosts::read(&mut env, &["/fine"]), Cors::read(&mut env).layer());
    let app = Router::new()
        .route("/fine", get(async || "fine"))
        .route("/weak", get(weak))
        .route("/repeated", get(repeated))
        .route("/panics", get(panics))
        .route("/client", get(client))
        .route("/cached", get(async || ([(header::CACHE_CONTROL, "public, max-age=300")], "fine")))
        .route("/plain-error", get(async || (StatusCode::CONFLICT, "a framework's own words")))
        .route("/json-error", get(async || (StatusCode::BAD_REQUEST, axum::Json(7))))
        .layer(layers);
    start(app, ServeLimits::default()).await
}

async fn get_path(path: &str, headers: &str) -> Answer {
    let server = start_edge().await;
    ask(server.address, &format!("GET {path} HTTP/1.1\r\nHost: a.com{headers}")).await
}

fn assert_secured(answer: &Answer) {
    for (name, value) in SECURITY {
        assert_eq!(answer.header(name), Some(value), "{answer:?}");
    }
    assert!(answer.header("permissions-policy").is_some());
    assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()));
    assert_eq!(answer.header("server"), None);
}

#[tokio::test]
async fn every_status_carries_each_security_header_once() {
    for (path, status) in [("/fine", 200), ("/weak", 422), ("/nowhere", 404), ("/panics", 500), ("/plain-error", 409)] {
        let answer = get_path(path, "").await;
        assert_eq!(answer.status, status, "{path}");
        assert_secured(&answer);
    }
}

#[tokio::test]
async fn headers_that_were_set_twice_leave_once() {
    let answer = get_path("/repeated", "").await;
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("content-security-policy"), Some("first"));
    assert_eq!(answer.header("server"), None);
    assert_ne!(answer.header("x-request-id"), Some("first"));
}

#[tokio::test]
async fn an_answer_may_be_cached_when_it_says_so() {
    assert_eq!(get_path("/cached", "").await.header("cache-control"), Some("public, max-age=300"));
}

#[tokio::test]
async fn problems_have_exactly_the_documented_members() {
    let answer = get_path("/weak", "\r\nX-Request-Id: my-id").await;
    assert_eq!(answer.header("x-request-id"), Some("my-id"));
    assert_eq!(answer.header("retry-after"), Some("3"));
    assert_eq!(answer.header("content-language"), Some("en"));
    let vary: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "vary").map(|(_, value)| value).collect();
    assert_eq!(vary, ["origin", "accept-language"]);
    let expected = serde_json::json!({
        "type": "https://auth-system.dev/errors/weak_password",
        "title": "Unprocessable Entity",
        "status": 422,
        "code": "weak_password",
        "detail": "The password is too weak.",
        "request_id": "my-id",
        "errors": [{"field": "password", "code": "too_short", "detail": "At least 8 characters."}],
    });
    assert_eq!(answer.problem(), expected);
}

#[tokio::test]
async fn problems_speak_the_language_that_is_preferred() {
    let answer = get_path("/weak", "\r\nAccept-Language: fr, ko-KR;q=0.9, en;q=0.8").await;
    assert_eq!(answer.header("content-language"), Some("ko"));
    assert_eq!(answer.problem()["detail"], "비밀번호가 너무 약합니다.");
    assert_eq!(answer.problem()["errors"][0]["detail"], "8자 이상이어야 합니다.");
}

#[tokio::test]
async fn errors_nobody_wrote_a_problem_for_get_one() {
    let missing = get_path("/nowhere?token=secret", "").await;
    assert_eq!((missing.status, &missing.problem()["code"]), (404, &"not_found".into()));
    assert!(missing.problem().get("errors").is_none());
    let plain = get_path("/plain-error", "").await;
    assert_eq!(plain.problem()["code"], "conflict");
    assert!(!plain.body.contains("framework"));
}

#[tokio::test]
async fn a_wrong_method_is_told_which_ones_are_allowed() {
    let server = start_edge().await;
    let answer = ask(server.address, "DELETE /fine HTTP/1.1\r\nHost: a.com").await;
    assert_eq!((answer.status, &answer.problem()["code"]), (405, &"method_not_allowed".into()));
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    assert_secured(&answer);
}

#[tokio::test]
async fn an_error_that_a_program_can_read_is_left_as_it_is() {
    let answer = get_path("/json-error", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (400, "7"));
}

#[tokio::test]
async fn a_panic_is_an_internal_error_that_tells_nothing_and_the_server_goes_on() {
    let server = start_edge().await;
    let answer = ask(server.address, "GET /panics HTTP/1.1\r\nHost: a.com").await;
    assert_eq!((answer.status, &answer.problem()["code"]), (500, &"internal_error".into()));
    assert!(!answer.body.contains("secret"));
    assert_eq!(ask(server.address, "GET /fine HTTP/1.1\r\nHost: a.com").await.status, 200);
}

#[tokio::test]
async fn a_head_request_gets_the_headers_of_the_error_and_no_body() {
    let server = start_edge().await;
    let mut wire = crate::client::Wire::connect(server.address).await;
    wire.send("HEAD /nowhere HTTP/1.1\r\nHost: a.com\r\nConnection: close\r\n\r\n").await;
    let rest = wire.rest().await;
    let (head, body) = rest.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    assert!(head.contains("application/problem+json") && !head.contains("content-length: 0"), "{head}");
    assert_eq!(body, "");
}

#[tokio::test]
async fn unknown_repeated_and_missing_hosts_are_bad_requests() {
    let server = start_edge().await;
    for hosts in ["\r\nHost: b.com", "\r\nHost: a.com\r\nHost: a.com", "\r\nHost: a.com\r\nHost: b.com", ""] {
        let answer = ask(server.address, &format!("GET /weak HTTP/1.1{hosts}")).await;
        assert_eq!((answer.status, &answer.problem()["code"]), (400, &"invalid_host".into()), "{hosts:?}");
        assert_secured(&answer);
    }
    assert_eq!(ask(server.address, "GET /fine HTTP/1.1\r\nHost: 10.0.0.1").await.status, 200);
}

#[tokio::test]
async fn handlers_see_the_client_behind_a_trusted_proxy() {
    assert_eq!(get_path("/client", "\r\nX-Forwarded-For: 6.6.6.6, 198.51.100.7").await.body, "198.51.100.7");
    assert_eq!(get_path("/client", "\r\nX-Forwarded-Host: evil.com").await.body, "127.0.0.1");
}

#[tokio::test]
async fn only_listed_origins_may_read_answers_with_credentials() {
    let listed = get_path("/weak", "\r\nOrigin: https://app.com").await;
    assert_eq!(listed.header("access-control-allow-origin"), Some("https://app.com"));
    assert_eq!(listed.header("access-control-allow-credentials"), Some("true"));
    assert_secured(&listed);
    for origin in ["", "\r\nOrigin: https://evil.com", "\r\nOrigin: null", "\r\nOrigin: https://app.com.evil.com"] {
        let answer = get_path("/fine", origin).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        assert!(answer.headers.iter().any(|(name, value)| name == "vary" && value.contains("origin")), "{origin}");
    }
}

#[tokio::test]
async fn a_preflight_is_answered_without_the_handler() {
    let server = start_edge().await;
    let asked = "\r\nAccess-Control-Request-Method: PATCH\r\nAccess-Control-Request-Headers: authorization";
    let head = format!("OPTIONS /panics HTTP/1.1\r\nHost: a.com\r\nOrigin: https://app.com{asked}");
    let answer = ask(server.address, &head).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("access-control-allow-methods").is_some_and(|methods| methods.contains("PATCH")));
    assert!(answer.header("access-control-allow-headers").is_some_and(|headers| headers.contains("authorization")));
    assert_secured(&answer);
}

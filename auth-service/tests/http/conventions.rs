//! What holds for every answer: ids, problems, methods, and the OpenAPI document.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Deployment, Engine, Instance};

const ROUTES: [(&str, &str); 11] = [
    ("/api/v1/health", "GET,HEAD"),
    ("/.well-known/jwks.json", "GET,HEAD"),
    ("/api/v1/auth/register", "POST"),
    ("/api/v1/auth/login", "POST"),
    ("/api/v1/auth/refresh", "POST"),
    ("/api/v1/auth/logout", "POST"),
    ("/api/v1/auth/reauthenticate", "POST"),
    ("/api/v1/auth/sessions", "GET,HEAD,DELETE"),
    ("/api/v1/auth/sessions/01900000-0000-7000-8000-000000000000", "DELETE"),
    ("/api/v1/users/me", "GET,HEAD,PATCH,DELETE"),
    ("/api/v1/users/me/password", "PUT"),
];

async fn start() -> Instance {
    Deployment::new(Engine::Sqlite).start().await
}

#[tokio::test]
async fn a_problem_has_exactly_the_documented_members() {
    let api = start().await.with_header("x-request-id", "the-request_1");
    let answer = api.get("/nowhere").await;
    let expected = json!({
        "type": "https://auth-system.dev/errors/not_found", "title": "Not Found", "status": 404, "code": "not_found",
        "detail": "There is nothing here.", "request_id": "the-request_1",
    });
    assert_eq!((answer.status, &answer.body), (404, &expected));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let faulty = api.post("/api/v1/auth/refresh", json!({})).await;
    assert_eq!(faulty.members(), ["code", "detail", "errors", "request_id", "status", "title", "type"]);
    let error = json!({"field": "refresh_token", "code": "required", "detail": "This member is required."});
    assert_eq!(faulty.body["errors"], json!([error]));
}

#[rstest]
#[case("a")]
#[case("abc-DEF_123")]
#[case("0123456789012345678901234567890123456789012345678901234567890123")]
#[tokio::test]
async fn a_sane_request_id_is_echoed(#[case] id: &str) {
    let answer = start().await.with_header("x-request-id", id).get("/api/v1/users/me").await;
    assert_eq!((answer.header("x-request-id"), answer.text("request_id").as_str()), (id, id));
}

#[rstest]
#[case("")]
#[case("a b")]
#[case("a;b")]
#[case("한글")]
#[case("01234567890123456789012345678901234567890123456789012345678901234")]
#[tokio::test]
async fn another_request_id_is_replaced(#[case] id: &str) {
    let answer = start().await.with_header("x-request-id", id).get("/api/v1/users/me").await;
    let made = answer.header("x-request-id");
    assert!(!made.is_empty() && made.len() <= 64 && made != id, "{made}");
    assert_eq!(answer.text("request_id"), made);
}

#[tokio::test]
async fn another_method_is_told_which_are_allowed() {
    let api = start().await;
    for (path, allowed) in ROUTES {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if allowed.split(',').any(|name| name == method.as_str()) {
                continue;
            }
            let answer = api.request(method.clone(), path, "").await;
            assert_eq!((answer.status, answer.code()), (405, "method_not_allowed"), "{method} {path}: {answer:?}");
            let mut told: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
            let mut expected: Vec<_> = allowed.split(',').collect();
            told.sort_unstable();
            expected.sort_unstable();
            assert_eq!(told, expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn head_is_answered_like_get_without_the_body() {
    let api = start().await;
    let person = api.person("kim@example.com").await;
    let own = api.bearing(&person.access);
    for path in [
        "/api/v1/health",
        "/.well-known/jwks.json",
        "/openapi.json",
        "/api/v1/users/me",
        "/api/v1/auth/sessions",
        "/nowhere",
    ] {
        let (get, head) = (own.get(path).await, own.request(Method::HEAD, path, "").await);
        assert_eq!((head.status, &head.body), (get.status, &Value::String(String::new())), "{path}");
        for name in ["content-type", "content-length", "cache-control", "x-frame-options"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn the_served_document_is_the_generated_one() {
    let served = start().await.get("/openapi.json").await;
    let generated: Value = serde_json::from_str(&auth_service::openapi().to_json().unwrap()).unwrap();
    assert_eq!(served.body["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    assert_eq!(served.body, generated);
}

#[tokio::test]
async fn every_documented_call_exists_and_documents_its_answers() {
    // Nobody listens there.
    let kakao = [("KAKAO_CLIENT_ID", "us"), ("KAKAO_ADMIN_KEY", "key"), ("KAKAO_AUTH_URL", "http://127.0.0.1:9")];
    let deployment = Deployment::new(Engine::Sqlite);
    let deployment = kakao.iter().fold(deployment, |deployment, (name, value)| deployment.set(name, value));
    let api = deployment.start().await;
    let document = api.get("/openapi.json").await.body;
    let mut calls = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let concrete = path.replace("{id}", "01900000-0000-7000-8000-000000000000").replace("{provider}", "kakao");
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            for body in ["", "{}"] {
                let answer = api.send(method.clone(), &concrete, body, "application/json").await;
                assert!(![404, 405].contains(&answer.status), "{method} {path}: {answer:?}");
                let documented = operation["responses"].as_object().unwrap();
                let status = answer.status.to_string();
                let is_documented = documented.contains_key(&status) || documented.contains_key("default");
                assert!(is_documented, "{method} {path} answers {status}");
            }
            let needs_token = operation["security"].is_array();
            let answer = api.send(method.clone(), &concrete, "{}", "application/json").await;
            assert_eq!(needs_token, answer.code() == "invalid_token", "{method} {path}: {answer:?}");
            calls += 1;
        }
    }
    assert_ne!(calls, 0);
}

//! What is no acceptable body, on every route that takes one: never a 500, always an answer that helps.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Engine, Instance};

const AUTH_LIMIT: usize = 64 * 1024;
const DEFAULT_LIMIT: usize = 1024 * 1024;
const JSON: &str = "application/json";

/// A route that takes a body: which members it must be given, and which it may be.
pub struct Route {
    method: Method,
    pub path: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    limit: usize,
}

pub const ROUTES: [Route; 6] = [
    Route {
        method: Method::POST,
        path: "/api/v1/auth/register",
        required: &["email", "password"],
        optional: &["username", "display_name", "locale"],
        limit: AUTH_LIMIT,
    },
    Route {
        method: Method::POST,
        path: "/api/v1/auth/login",
        required: &["password"],
        optional: &["email", "username", "device_name"],
        limit: AUTH_LIMIT,
    },
    Route {
        method: Method::POST,
        path: "/api/v1/auth/refresh",
        required: &["refresh_token"],
        optional: &[],
        limit: AUTH_LIMIT,
    },
    Route {
        method: Method::POST,
        path: "/api/v1/auth/reauthenticate",
        required: &["password"],
        optional: &[],
        limit: AUTH_LIMIT,
    },
    Route {
        method: Method::PATCH,
        path: "/api/v1/users/me",
        required: &[],
        optional: &["display_name", "username", "phone", "avatar_url", "locale"],
        limit: DEFAULT_LIMIT,
    },
    Route {
        method: Method::PUT,
        path: "/api/v1/users/me/password",
        required: &["new_password"],
        optional: &["current_password"],
        limit: DEFAULT_LIMIT,
    },
];

impl Route {
    pub async fn send(&self, api: &Instance, body: impl Into<reqwest::Body>) -> Answer {
        api.send(self.method.clone(), self.path, body, JSON).await
    }

    pub fn members(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }
}

pub async fn logged_in(engine: Engine) -> Instance {
    let api = Deployment::new(engine).start().await;
    let person = api.person("kim@example.com").await;
    api.bearing(&person.access)
}

#[rstest]
#[tokio::test]
async fn what_is_no_json_object_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = logged_in(engine).await;
    let deep = ["{\"a\":".repeat(5_000), "1".to_owned(), "}".repeat(5_000)].concat();
    let bodies: [(&[u8], u16, &str); 18] = [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b"{}{}", 400, "malformed_json"),
        (b"{'a':1}", 400, "malformed_json"),
        (b"{\"a\":1,}", 400, "malformed_json"),
        (b"{\"a\":NaN}", 400, "malformed_json"),
        (b"{\"a\":1e999}", 400, "malformed_json"),
        (b"a=1", 400, "malformed_json"),
        (b"\xef\xbb\xbf{}", 400, "malformed_json"),
        (b"{\"a\":\"\xff\xfe\"}", 400, "malformed_json"),
        (b"{\"a\":\"\\ud800\"}", 400, "malformed_json"),
        (b"{\"a\":\"\0\"}", 400, "malformed_json"),
        (deep.as_bytes(), 400, "malformed_json"),
        (b"{\"a\":1,\"a\":1}", 400, "duplicate_member"),
        (b"{\"a\":[{\"b\":1,\"\\u0062\":2}]}", 400, "duplicate_member"),
        (b"[]", 422, "not_an_object"),
        (b"null", 422, "not_an_object"),
        (b"\"{}\"", 422, "not_an_object"),
    ];
    for route in ROUTES {
        for (body, status, code) in bodies {
            let answer = route.send(&api, body.to_vec()).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
            assert_eq!((answer.status, answer.code()), (status, code), "{} {shown}: {answer:?}", route.path);
        }
    }
}

#[rstest]
#[tokio::test]
async fn only_plain_json_is_taken(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = logged_in(engine).await;
    for route in ROUTES {
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", ""] {
            let answer = api.send(route.method.clone(), route.path, "{}", content_type).await;
            let expected = (415, "unsupported_media_type");
            assert_eq!((answer.status, answer.code()), expected, "{} {content_type}", route.path);
        }
        assert_eq!(api.request(route.method.clone(), route.path, "{}").await.status, 415, "no type at all");
        for encoding in ["gzip", "br", "identity", "x"] {
            let answer = route.send(&api.with_header("content-encoding", encoding), "{}").await;
            assert_eq!((answer.status, answer.header("accept-encoding")), (415, "identity"), "{encoding}");
        }
        let charset = api.send(route.method.clone(), route.path, "[]", "Application/JSON; charset=utf-8").await;
        assert_eq!(charset.code(), "not_an_object", "case and parameters do not matter");
    }
}

#[rstest]
#[tokio::test]
async fn a_huge_body_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = logged_in(engine).await;
    for route in ROUTES {
        let answer = route.send(&api, " ".repeat(route.limit + 1)).await;
        assert_eq!((answer.status, answer.code()), (413, "payload_too_large"), "{}", route.path);
        assert_eq!(route.send(&api, " ".repeat(route.limit)).await.code(), "malformed_json", "just small enough");
    }
}

#[rstest]
#[tokio::test]
async fn members_of_another_type_or_name_are_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = logged_in(engine).await;
    for route in ROUTES {
        for value in [json!(1), json!(1e300), json!(true), json!(["a"]), json!({"$ne": null})] {
            for name in route.members() {
                let answer = route.send(&api, json!({name: value}).to_string()).await;
                assert_eq!((answer.status, answer.code()), (422, "invalid_request"), "{} {name}: {value}", route.path);
                assert!(answer.faults().contains(&(name, "not_a_string")), "{} {answer:?}", route.path);
            }
        }
        let unknown = route.send(&api, r#"{"is_admin": true, "": 1}"#).await;
        assert_eq!(unknown.status, 422);
        assert!(unknown.faults().ends_with(&[("", "unknown"), ("is_admin", "unknown")]), "{unknown:?}");
        for name in route.required {
            assert!(unknown.faults().contains(&(*name, "required")), "{name}: {unknown:?}");
            let null = route.send(&api, json!({*name: null}).to_string()).await;
            assert!(null.faults().contains(&(*name, "not_a_string")), "{name}: {null:?}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn thousands_of_unknown_members_get_a_short_answer(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = logged_in(engine).await;
    for route in ROUTES {
        let count = if route.limit == AUTH_LIMIT { 5_000 } else { 10_000 };
        let members: serde_json::Map<_, _> = (0..count).map(|number| (format!("x{number}"), json!(0))).collect();
        let answer = route.send(&api, Value::Object(members).to_string()).await;
        assert_eq!((answer.status, answer.faults().len()), (422, 20), "{}", route.path);
        let long = route.send(&api, json!({"<script>".repeat(1_000): 1}).to_string()).await;
        let field = long.body["errors"].as_array().unwrap().last().unwrap()["field"].as_str().unwrap();
        assert_eq!(field, "<script>".repeat(8), "cut short");
    }
}

//! Bodies and load: what is too large, too slow or too much is refused with an answer that helps.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use service_kit::body::{AUTH_LIMIT, BodyLimits};
use service_kit::edge::Edge;
use service_kit::proxies::TrustedProxies;
use service_kit::serve::ServeLimits;
use service_kit::shed::{Shed, ShedConfig};
use tokio::sync::Notify;

use crate::client::{Answer, Wire};
use crate::{Server, start};

const SHORT: Duration = Duration::from_millis(100);

fn edge() -> Edge {
    Edge::new(TrustedProxies::default())
}

async fn start_bodies(limits: BodyLimits) -> Server {
    let length = post(async |body: String| body.len().to_string());
    let app = Router::new().route("/auth/login", length.clone()).route("/users", length).layer((edge(), limits));
    start(app, ServeLimits::default()).await
}

fn limits() -> BodyLimits {
    BodyLimits::new(&[("/auth", AUTH_LIMIT)])
}

async fn send(path: &str, headers: &str, body: &str) -> Answer {
    send_within(limits(), path, headers, body).await
}

async fn send_within(limits: BodyLimits, path: &str, headers: &str, body: &str) -> Answer {
    let server = start_bodies(limits).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(&format!("POST {path} HTTP/1.1\r\nHost: a.com\r\n{headers}\r\n\r\n{body}")).await;
    wire.answer().await
}

#[tokio::test]
async fn an_announced_excess_is_refused_unread() {
    // Nothing follows these heads: an answer shows that nothing was waited for.
    for (path, length) in [("/auth/login", 64 * 1024 + 1), ("/users", 1024 * 1024 + 1)] {
        let answer = send(path, &format!("Content-Length: {length}"), "").await;
        assert_eq!((answer.status, &answer.problem()["code"]), (413, &"payload_too_large".into()));
    }
}

#[tokio::test]
async fn an_unannounced_excess_is_refused_when_it_comes() {
    let chunk = format!("{:x}\r\n{}\r\n", AUTH_LIMIT + 1, "x".repeat(AUTH_LIMIT + 1));
    assert_eq!(send("/auth/login", "Transfer-Encoding: chunked", &chunk).await.status, 413);
}

#[tokio::test]
async fn who_sent_what_was_not_read_is_told_that_the_connection_ends() {
    let long = format!("Content-Length: {}", AUTH_LIMIT + 1);
    for headers in [long.as_str(), "Content-Encoding: gzip\r\nContent-Length: 9999999"] {
        assert_eq!(send("/auth/login", headers, "").await.header("connection"), Some("close"));
    }
    assert_eq!(send("/auth/login", "Content-Length: 1", "x").await.header("connection"), None);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_passes() {
    let answer = send("/auth/login", &format!("Content-Length: {AUTH_LIMIT}"), &"x".repeat(AUTH_LIMIT)).await;
    assert_eq!((answer.status, answer.body), (200, AUTH_LIMIT.to_string()));
}

#[tokio::test]
async fn bodies_that_together_take_too_much_are_refused_and_a_login_is_read_all_the_same() {
    let server = start_bodies(limits().with_budget(10_000)).await;
    let (mut slow, mut other) = (Wire::connect(server.address).await, Wire::connect(server.address).await);
    slow.send(&format!("POST /users HTTP/1.1\r\nHost: a.com\r\nContent-Length: 14000\r\n\r\n{}", "x".repeat(13_000)))
        .await;
    // Until the first body's bytes are counted, the second still fits.
    let big = format!("POST /users HTTP/1.1\r\nHost: a.com\r\nContent-Length: 8000\r\n\r\n{}", "x".repeat(8_000));
    let refused = loop {
        other.send(&big).await;
        let answer = other.answer().await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!((refused.status, &refused.problem()["code"]), (503, &"overloaded".into()));
    assert_eq!((refused.header("retry-after"), refused.header("connection")), (Some("1"), Some("close")));
    let mut login = Wire::connect(server.address).await;
    login
        .send(&format!("POST /auth/login HTTP/1.1\r\nHost: a.com\r\nContent-Length: 4096\r\n\r\n{}", "x".repeat(4_096)))
        .await;
    assert_eq!(login.answer().await.status, 200);
    slow.send(&"x".repeat(1_000)).await;
    assert_eq!(slow.answer().await.body, "14000");
    let mut next = Wire::connect(server.address).await;
    next.send(&big).await;
    assert_eq!(next.answer().await.status, 200, "what was answered counts no longer");
}

#[tokio::test]
async fn an_encoded_body_is_refused_whatever_its_size() {
    for headers in ["Content-Encoding: gzip\r\nContent-Length: 9999999", "Content-Encoding: gzip"] {
        let answer = send("/users", headers, "").await;
        assert_eq!((answer.status, &answer.problem()["code"]), (415, &"unsupported_media_type".into()));
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
    }
}

#[tokio::test]
async fn a_slow_body_is_a_request_timeout() {
    let answer = send_within(limits().with_time(SHORT), "/users", "Content-Length: 10", "half").await;
    assert_eq!((answer.status, &answer.problem()["code"]), (408, &"request_timeout".into()));
}

#[tokio::test]
async fn above_the_concurrency_limit_only_health_is_answered() {
    let (arrived, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (arriving, waiting) = (Arc::clone(&arrived), Arc::clone(&release));
    let slow = get(async move || {
        arriving.notify_one();
        waiting.notified().await;
        "fine"
    });
    let config = ShedConfig { concurrent_requests: 1, request_timeout: Duration::from_secs(15) };
    let app = Router::new().route("/slow", slow).route("/health/ready", get(async || "ready"));
    let server = start(app.layer((edge(), Shed::new(config, &["/health"]))), ServeLimits::default()).await;

    let mut slow = Wire::connect(server.address).await;
    slow.send("GET /slow HTTP/1.1\r\nHost: a.com\r\n\r\n").await;
    arrived.notified().await;
    let mut next = Wire::connect(server.address).await;
    next.send("GET /slow HTTP/1.1\r\nHost: a.com\r\n\r\n").await;
    let refused = next.answer().await;
    assert_eq!((refused.status, &refused.problem()["code"]), (503, &"overloaded".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    next.send("GET /health/ready HTTP/1.1\r\nHost: a.com\r\n\r\n").await;
    assert_eq!(next.answer().await.body, "ready");
    release.notify_one();
    assert_eq!(slow.answer().await.status, 200);
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_ended() {
    let config = ShedConfig { concurrent_requests: 1, request_timeout: SHORT };
    let app = Router::new().route("/", get(async || std::future::pending::<()>().await));
    let server = start(app.layer((edge(), Shed::new(config, &[]))), ServeLimits::default()).await;
    // The second answer shows that the first gave its place back.
    for _ in 0..2 {
        let mut wire = Wire::connect(server.address).await;
        wire.send("GET / HTTP/1.1\r\nHost: a.com\r\n\r\n").await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, &answer.problem()["code"]), (503, &"timed_out".into()));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

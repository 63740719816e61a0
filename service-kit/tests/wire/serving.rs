//! Connections: their limits, their end, and the listener's survival.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures_util::StreamExt;
use service_kit::edge::Edge;
use service_kit::proxies::TrustedProxies;
use service_kit::serve::ServeLimits;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::client::{Wire, ask};
use crate::start;

const GET: &str = "GET / HTTP/1.1\r\nHost: a.com\r\n\r\n";
const SHORT: Duration = Duration::from_millis(500);
/// Far above every limit a test sets, far below the defaults.
const SOON: Duration = Duration::from_secs(8);

fn app() -> Router {
    Router::new().route("/", get(async || "fine")).layer(Edge::new(TrustedProxies::default()))
}

fn short_heads() -> ServeLimits {
    ServeLimits { header_time: SHORT, ..ServeLimits::default() }
}

#[tokio::test]
async fn headers_above_the_limit_are_431_in_every_size() {
    let server = start(app(), ServeLimits::default()).await;
    for size in [17 * 1024, 200 * 1024] {
        let answer =
            ask(server.address, &format!("GET / HTTP/1.1\r\nHost: a.com\r\nX-Big: {}", "x".repeat(size))).await;
        assert_eq!((answer.status, &answer.problem()["code"]), (431, &"headers_too_large".into()));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    }
    let many = "\r\nX-Many: x".repeat(200);
    assert_eq!(ask(server.address, &format!("GET / HTTP/1.1\r\nHost: a.com{many}")).await.problem()["status"], 431);
}

#[tokio::test]
async fn a_head_that_is_no_http_gets_a_problem_too() {
    let server = start(app(), ServeLimits::default()).await;
    for head in ["GET / HTTP/1.1\r\nno colon\r\n\r\n", "NO\u{1}SENSE / HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(head).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status, &answer.problem()["code"]), (400, &"bad_request".into()), "{head:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(wire.rest().await, "");
    }
}

#[tokio::test]
async fn a_slow_or_absent_head_is_cut_off() {
    let server = start(app(), short_heads()).await;
    for beginning in ["", "GET / HTTP/1.1\r\nHost: a", "PRI * HT"] {
        let begun = Instant::now();
        let mut wire = Wire::connect(server.address).await;
        wire.send(beginning).await;
        assert_eq!(wire.rest().await, "");
        assert!(begun.elapsed() >= SHORT && begun.elapsed() < SOON, "{beginning:?}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_slow_second_head_is_cut_off_too() {
    let server = start(app(), short_heads()).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(GET).await;
    assert_eq!(wire.answer().await.status, 200);
    wire.send("GET / HT").await;
    let begun = Instant::now();
    assert_eq!(wire.rest().await, "");
    assert!(begun.elapsed() < SOON);
}

#[tokio::test]
async fn an_idle_connection_outlives_the_head_limit_and_ends_at_its_own() {
    let limits = ServeLimits { header_time: SHORT, idle_time: 4 * SHORT, ..ServeLimits::default() };
    let server = start(app(), limits).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(GET).await;
    assert_eq!(wire.answer().await.status, 200);
    let begun = Instant::now();
    assert_eq!(wire.rest().await, "");
    assert!(begun.elapsed() > 2 * SHORT && begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_silent_stream_outlives_the_idle_limit() {
    let release = Arc::new(Notify::new());
    let waiting = Arc::clone(&release);
    let stream = get(async move || {
        let last = futures_util::stream::once(async move {
            waiting.notified().await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"end"))
        });
        let first = futures_util::stream::iter([Ok(Bytes::from_static(b"begin"))]);
        Body::from_stream(first.chain(last))
    });
    let limits = ServeLimits { header_time: SHORT, idle_time: SHORT, ..ServeLimits::default() };
    let server = start(Router::new().route("/", stream), limits).await;
    let mut streaming = Wire::connect(server.address).await;
    streaming.send(GET).await;
    // Two connections that are cut one after the other show that the limit has passed, and passed again.
    for _ in 0..2 {
        assert_eq!(Wire::connect(server.address).await.rest().await, "");
    }
    release.notify_one();
    let rest = streaming.rest().await;
    assert!(rest.contains("begin") && rest.contains("end\r\n0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn stopping_answers_what_is_in_progress_and_takes_nothing_new() {
    let (arrived, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (arriving, waiting) = (Arc::clone(&arrived), Arc::clone(&release));
    let handler = get(async move || {
        arriving.notify_one();
        waiting.notified().await;
        "fine"
    });
    let server = start(Router::new().route("/", handler), ServeLimits::default()).await;
    let mut idle = Wire::connect(server.address).await;
    let mut busy = Wire::connect(server.address).await;
    busy.send(GET).await;
    arrived.notified().await;
    server.trigger.request();
    assert_eq!(idle.rest().await, "");
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.done.is_finished());
    release.notify_one();
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    drop((busy, idle));
    server.done.await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_answers_whoever_is_in_the_queue() {
    let server = start(app(), ServeLimits::default()).await;
    assert_eq!(ask(server.address, GET.trim_end()).await.status, 200);
    // Connected by the operating system alone: on this one thread the server cannot have seen it yet.
    let mut queued = std::net::TcpStream::connect(server.address).unwrap();
    queued.write_all(GET.as_bytes()).unwrap();
    server.trigger.request();
    server.done.await.unwrap().unwrap();
    let mut answer = String::new();
    queued.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_drain_ends_at_its_limit() {
    let never = get(async || std::future::pending::<()>().await);
    let limits = ServeLimits { drain_time: SHORT, ..ServeLimits::default() };
    let server = start(Router::new().route("/", never), limits).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(GET).await;
    server.trigger.request();
    server.done.await.unwrap().unwrap();
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn connections_above_the_cap_wait_for_a_slot() {
    let server = start(app(), ServeLimits { connections: 1, ..ServeLimits::default() }).await;
    let mut first = Wire::connect(server.address).await;
    first.send(GET).await;
    assert_eq!(first.answer().await.status, 200);
    let mut second = Wire::connect(server.address).await;
    second.send(GET).await;
    let waiting = tokio::time::timeout(SHORT, second.answer()).await;
    assert!(waiting.is_err(), "served above the cap");
    drop(first);
    assert_eq!(second.answer().await.status, 200);
}

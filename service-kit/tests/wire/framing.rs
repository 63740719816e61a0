//! Requests whose end is in doubt: refused with an answer, in order, and unseen by the application.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use http::StatusCode;
use http_body_util::BodyExt;
use service_kit::edge::Edge;
use service_kit::proxies::TrustedProxies;
use service_kit::serve::ServeLimits;

use crate::client::{Answer, Wire};
use crate::{Server, start};

const GET: &str = "GET / HTTP/1.1\r\nHost: a.com\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a.com\r\nContent-Length: 5\r\n\r\nhello";

/// What follows the request line; some of it the guard refuses and some hyper.
const HEADS: [&str; 20] = [
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "Content-Length: 5, 5\r\n\r\nhello",
    "Content-Length: +5\r\n\r\nhello",
    "Content-Length: -5\r\n\r\nhello",
    "Content-Length : 5\r\n\r\nhello",
    "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: identity\r\n\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
    "A: b\n\r\n",
    "A: b\r\n\n",
    "A: b\rC: d\r\n\r\n",
    "A: b\r\r\n\r\n",
    "A: b\r\n folded\r\n\r\n",
    "A : b\r\n\r\n",
    " A: b\r\n\r\n",
];

const CHUNKS: [&str; 10] = [
    "5\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "00000000000000005\r\nhello\r\n0\r\n\r\n",
    "5;a\nb\r\nhello\r\n0\r\n\r\n",
    "5\r\nhelloo\r\n0\r\n\r\n",
    "0\r\nA: b\n\r\n",
    "0\r\nContent-Length: 3\r\n\r\n",
];

/// Counts the requests it sees and echoes their bodies.
async fn start_echo() -> (Server, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let echo = any(async move |request: Request| {
        counter.fetch_add(1, Ordering::SeqCst);
        request.into_body().collect().await.map(|body| body.to_bytes()).map_err(|_| StatusCode::BAD_REQUEST)
    });
    let app = Router::new().route("/", echo).layer(Edge::new(TrustedProxies::default()));
    (start(app, ServeLimits::default()).await, seen)
}

fn assert_refused(answer: &Answer, context: &str) {
    assert_eq!((answer.status, &answer.problem()["code"]), (400, &"bad_request".into()), "{context:?}");
    assert_eq!(answer.header("connection"), Some("close"), "{context:?}");
    assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{context:?}");
    assert!(answer.header("x-request-id").is_some(), "{context:?}");
}

#[tokio::test]
async fn heads_in_doubt_are_refused_unseen() {
    let (server, seen) = start_echo().await;
    let old = ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET / HTTP/1.1\nHost: a.com\r\n\r\n"];
    let heads = HEADS.map(|rest| format!("POST / HTTP/1.1\r\nHost: a.com\r\n{rest}"));
    for head in heads.into_iter().chain(old.map(str::to_owned)) {
        let mut wire = Wire::connect(server.address).await;
        wire.send(&format!("{head}{GET}")).await;
        assert_refused(&wire.answer().await, &head);
        assert_eq!(wire.rest().await, "", "{head:?}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_cut_anywhere_changes_nothing() {
    let (server, seen) = start_echo().await;
    for rest in ["Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "A: b\r\nC: d\n\r\n"] {
        let head = format!("POST / HTTP/1.1\r\nHost: a.com\r\n{rest}");
        for cut in 1..head.len() {
            let mut wire = Wire::connect(server.address).await;
            wire.send(&head[..cut]).await;
            // On this one thread the server reads as soon as it is let.
            tokio::task::yield_now().await;
            wire.send(&head[cut..]).await;
            assert_refused(&wire.answer().await, &head[..cut]);
            assert_eq!(wire.rest().await, "");
        }
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_was_asked_before_is_answered_first() {
    let (server, seen) = start_echo().await;
    for rest in HEADS {
        let mut wire = Wire::connect(server.address).await;
        wire.send(&format!("{GET}{POST}POST / HTTP/1.1\r\nHost: a.com\r\n{rest}{GET}")).await;
        assert_eq!(wire.answer().await.status, 200, "{rest:?}");
        assert_eq!(wire.answer().await.body, "hello", "{rest:?}");
        assert_refused(&wire.answer().await, rest);
        assert_eq!(wire.rest().await, "", "{rest:?}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 2 * HEADS.len());
}

#[tokio::test]
async fn chunks_in_doubt_end_the_body_and_the_connection() {
    let (server, seen) = start_echo().await;
    for (index, chunks) in CHUNKS.into_iter().enumerate() {
        let mut wire = Wire::connect(server.address).await;
        wire.send(&format!("POST / HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{GET}")).await;
        assert_refused(&wire.answer().await, chunks);
        assert_eq!(wire.rest().await, "", "{chunks:?}");
        assert_eq!(seen.load(Ordering::SeqCst), index + 1, "{chunks:?}");
    }
}

#[tokio::test]
async fn a_pipelined_body_in_doubt_is_answered_after_what_was_asked_before() {
    let (server, _) = start_echo().await;
    for chunks in CHUNKS {
        let mut wire = Wire::connect(server.address).await;
        let doubtful = "POST / HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: chunked\r\n\r\n";
        wire.send(&format!("{POST}{doubtful}{chunks}{GET}")).await;
        let first = wire.answer().await;
        assert_eq!((first.body.as_str(), first.header("connection")), ("hello", None), "{chunks:?}");
        assert_refused(&wire.answer().await, chunks);
        assert_eq!(wire.rest().await, "", "{chunks:?}");
    }
}

#[tokio::test]
async fn fine_requests_pass_in_any_number() {
    let (server, seen) = start_echo().await;
    let chunked = "POST / HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nhel\r\n02\r\nlo\r\n0\r\nA: b\r\n\r\n";
    let mut wire = Wire::connect(server.address).await;
    wire.send(&format!("\r\n{GET}{chunked}{POST}{chunked}").repeat(20)).await;
    for _ in 0..20 {
        for body in ["", "hello", "hello", "hello"] {
            assert_eq!(wire.answer().await.body, body);
        }
    }
    assert_eq!(seen.load(Ordering::SeqCst), 80);
}

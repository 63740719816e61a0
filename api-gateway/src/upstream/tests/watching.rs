use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::peer::{OK, Peer, refusing};
use super::{config, get, idle, open};
use crate::upstream::ejection::{Company, Fault};
use crate::upstream::{Failure, HealthCheck, Upstream, UpstreamConfig};

/// Answers with a status that can be changed, and tells of each request.
async fn telling(status: &Arc<AtomicU16>) -> (Peer, mpsc::UnboundedReceiver<String>) {
    let (told, asked) = mpsc::unbounded_channel();
    let status = Arc::clone(status);
    let peer = Peer::start(move |mut connection, _| {
        let (told, status) = (told.clone(), Arc::clone(&status));
        async move {
            while let Some(head) = connection.read_head().await {
                let status = status.load(Ordering::SeqCst);
                // The test may have ended.
                let _ = told.send(head);
                connection.write(&format!("HTTP/1.1 {status} Status\r\ncontent-length: 2\r\n\r\nok")).await;
            }
        }
    })
    .await;
    (peer, asked)
}

#[tokio::test]
async fn server_is_left_out_while_its_checks_fail() {
    let status = Arc::new(AtomicU16::new(200));
    let (peer, mut asked) = telling(&status).await;
    let health = Some(HealthCheck {
        path: "/health?deep".to_owned(),
        interval: Duration::from_millis(10),
        timeout: Duration::from_secs(5),
        healthy_after: 2,
        unhealthy_after: 2,
    });
    let upstream = Upstream::open(UpstreamConfig { health, ..config(&[peer.address]) }, None).unwrap();
    let first = asked.recv().await.unwrap();
    assert!(first.starts_with(&format!("GET /health?deep HTTP/1.1\r\nhost: {}\r\n", peer.address)), "{first}");
    for (code, healthy) in [(500, false), (302, true), (404, false), (200, true)] {
        status.store(code, Ordering::SeqCst);
        // The first may still have had the old status; the last begins only after the one before was judged.
        for _ in 0..4 {
            asked.recv().await.unwrap();
        }
        assert_eq!(upstream.status()[0].healthy, healthy, "{code}");
    }
    status.store(500, Ordering::SeqCst);
    for _ in 0..4 {
        asked.recv().await.unwrap();
    }
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::NoServer)));
    assert_eq!(idle(&upstream), 0);
}

const UNABLE: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";

async fn ask_status(upstream: &Upstream) -> StatusCode {
    upstream.send(get("/"), 0).await.unwrap().status()
}

#[tokio::test]
async fn answers_that_say_unable_eject_one_of_several_servers() {
    let unable = Peer::answering(UNABLE).await;
    let able = Peer::answering(OK).await;
    let config = UpstreamConfig { eject_after: 3, ..config(&[unable.address, able.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    for _ in 0..6 {
        ask_status(&upstream).await;
    }
    assert_eq!(upstream.status().iter().map(|s| s.ejected).collect::<Vec<_>>(), [true, false]);
    for _ in 0..4 {
        assert_eq!(ask_status(&upstream).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn answers_that_say_unable_never_eject_the_only_server() {
    let peer = Peer::answering(UNABLE).await;
    let upstream = open(&[peer.address]);
    for _ in 0..20 {
        assert_eq!(ask_status(&upstream).await, StatusCode::BAD_GATEWAY);
    }
}

#[tokio::test]
async fn answers_that_shed_load_eject_nobody() {
    let shedding = Peer::answering("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
    let able = Peer::answering(OK).await;
    let config = UpstreamConfig { eject_after: 1, ..config(&[shedding.address, able.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    for _ in 0..3 {
        assert_eq!(ask_status(&upstream).await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ask_status(&upstream).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn answers_that_say_unable_do_not_eject_the_last_usable_server() {
    let unable = Peer::answering(UNABLE).await;
    let config = UpstreamConfig { eject_after: 1, ..config(&[refusing().await, unable.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::Connect(..))));
    for _ in 0..5 {
        assert_eq!(ask_status(&upstream).await, StatusCode::BAD_GATEWAY);
    }
}

#[tokio::test]
async fn only_server_is_tried_again_after_a_second_however_long_it_was_away() {
    let upstream = Upstream::open(UpstreamConfig { eject_after: 1, ..config(&[refusing().await]) }, None).unwrap();
    let endpoint = Arc::clone(&upstream.group.endpoints.load()[0]);
    let mut now = Instant::now();
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::Connect(..))));
    for _ in 0..5 {
        now = now.max(Instant::now()) + Duration::from_secs(1);
        let trial = endpoint.take_trial(Company::Usable, now).unwrap();
        endpoint.failed(trial, Fault::Unconnected);
        assert!(upstream.status()[0].ejected);
    }
}

#[tokio::test]
async fn other_errors_of_the_server_eject_nobody() {
    let peer = Peer::answering("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n").await;
    let upstream = open(&[peer.address, peer.address]);
    for _ in 0..20 {
        assert_eq!(ask_status(&upstream).await, StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert!(upstream.status().iter().all(|server| !server.ejected));
}

#[tokio::test]
async fn ejected_server_comes_back_after_a_trial_that_goes_well() {
    let peer = Peer::start(|mut connection, number| async move {
        connection.read_head().await.unwrap();
        if number > 0 {
            connection.write(OK).await;
        }
    })
    .await;
    let config = UpstreamConfig { eject_after: 1, eject_time: Duration::ZERO, ..config(&[peer.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::Broken(..))));
    assert!(upstream.status()[0].ejected);
    assert_eq!(ask_status(&upstream).await, StatusCode::OK);
    assert!(!upstream.status()[0].ejected);
}

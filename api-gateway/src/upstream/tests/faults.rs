use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use tokio::sync::Semaphore;

use super::peer::{OK, Peer, refusing};
use super::{ask, config, get, open, request, text};
use crate::body::Outgoing;
use crate::upstream::ejection::{Fault, Kind};
use crate::upstream::{Failure, Patience, Upstream, UpstreamConfig};

/// Answers the first request on each connection, and closes without a word after the next; counts requests.
async fn closing_after_the_second() -> (Peer, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let peer = Peer::start(move |mut connection, _| {
        let count = Arc::clone(&count);
        async move {
            connection.read_request().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            connection.write(OK).await;
            if connection.read_request().await.is_some() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    (peer, requests)
}

#[tokio::test]
async fn post_is_never_sent_again_once_bytes_were() {
    let (peer, requests) = closing_after_the_second().await;
    let upstream = open(&[peer.address]);
    ask(&upstream, get("/")).await;
    let failure = upstream.send(request(Method::POST, "/"), 5).await.err().unwrap();
    assert!(matches!(failure, Failure::Broken(..)), "{failure}");
    assert_eq!((peer.connections(), requests.load(Ordering::SeqCst)), (1, 2));
}

#[tokio::test]
async fn safe_request_on_a_kept_connection_is_sent_again() {
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
        let (peer, requests) = closing_after_the_second().await;
        let upstream = open(&[peer.address]);
        ask(&upstream, get("/")).await;
        upstream.send(request(method, "/"), 1).await.unwrap();
        assert_eq!((peer.connections(), requests.load(Ordering::SeqCst)), (2, 3));
    }
}

#[tokio::test]
async fn safe_request_without_retries_is_not_sent_again() {
    let (peer, requests) = closing_after_the_second().await;
    let upstream = open(&[peer.address]);
    ask(&upstream, get("/")).await;
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::Broken(..))));
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn request_is_not_sent_again_after_the_first_byte_of_an_answer() {
    let peer = Peer::start(|mut connection, _| async move {
        connection.read_head().await.unwrap();
        connection.write(OK).await;
        connection.read_head().await.unwrap();
        connection.write("H").await;
    })
    .await;
    let upstream = open(&[peer.address]);
    ask(&upstream, get("/")).await;
    assert!(matches!(upstream.send(get("/"), 5).await, Err(Failure::Broken(..))));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn request_on_a_new_connection_is_not_sent_again() {
    let peer = Peer::start(|mut connection, _| async move {
        connection.read_head().await.unwrap();
    })
    .await;
    assert!(matches!(open(&[peer.address]).send(get("/"), 5).await, Err(Failure::Broken(..))));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn refused_connection_sends_any_request_to_the_next_server() {
    let peer = Peer::answering(OK).await;
    let config = UpstreamConfig { eject_after: 1000, ..config(&[refusing().await, peer.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    for _ in 0..6 {
        let answer = upstream.send(request(Method::POST, "/"), 1).await.unwrap();
        assert_eq!(text(answer).await.unwrap(), "ok");
    }
}

#[tokio::test]
async fn refused_connection_is_told_when_there_is_no_other_server_or_no_retry() {
    let (one, other) = (refusing().await, refusing().await);
    assert!(matches!(open(&[one]).send(get("/"), 5).await, Err(Failure::Connect(..))));
    assert!(matches!(open(&[one, other]).send(get("/"), 0).await, Err(Failure::Connect(..))));
    assert!(matches!(open(&[one, other]).send(get("/"), 5).await, Err(Failure::Connect(..))));
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "a".repeat(40 * 1024));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(200));
    for answer in ["SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 200 OK\r\na: b\r\n c: d\r\n\r\n", &endless, &many] {
        let answer = answer.to_owned();
        let peer = Peer::start(move |mut connection, _| {
            let answer = answer.clone();
            async move {
                connection.read_head().await.unwrap();
                connection.write(&answer).await;
                connection.wait_for_end().await;
            }
        })
        .await;
        assert!(matches!(open(&[peer.address]).send(get("/"), 5).await, Err(Failure::Broken(..))));
    }
}

#[tokio::test]
async fn contradicting_lengths_are_refused() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc").await;
    assert!(matches!(open(&[peer.address]).send(get("/"), 5).await, Err(Failure::Broken(..))));
}

#[tokio::test]
async fn body_shorter_than_it_said_ends_in_an_error() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
    ] {
        let peer = Peer::start(move |mut connection, _| async move {
            connection.read_head().await.unwrap();
            connection.write(answer).await;
        })
        .await;
        let answer = open(&[peer.address]).send(get("/"), 5).await.unwrap();
        assert!(text(answer).await.is_err());
    }
}

#[tokio::test]
async fn bytes_after_an_answer_never_become_the_next_answer() {
    let peer = Peer::start(|mut connection, number| async move {
        connection.read_head().await.unwrap();
        let stray = if number == 0 { "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil" } else { "" };
        connection.write(&format!("{OK}{stray}")).await;
        connection.wait_for_end().await;
    })
    .await;
    let upstream = open(&[peer.address]);
    assert_eq!(ask(&upstream, get("/")).await, "ok");
    assert_eq!(ask(&upstream, get("/")).await, "ok");
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn reset_is_told_as_broken() {
    let peer = Peer::start(|mut connection, _| async move {
        connection.read_head().await.unwrap();
        connection.reset();
    })
    .await;
    assert!(matches!(open(&[peer.address]).send(get("/"), 5).await, Err(Failure::Broken(..))));
}

#[tokio::test]
async fn reset_within_a_body_ends_it_in_an_error() {
    let peer = Peer::start(|mut connection, _| async move {
        connection.read_head().await.unwrap();
        connection.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n").await;
        connection.reset();
    })
    .await;
    if let Ok(answer) = open(&[peer.address]).send(get("/"), 0).await {
        assert!(text(answer).await.is_err());
    }
}

/// A server that takes connections and says nothing, and a permit for each request that came.
async fn hanging() -> (Peer, Arc<Semaphore>) {
    let asked = Arc::new(Semaphore::new(0));
    let count = Arc::clone(&asked);
    let peer = Peer::start(move |mut connection, _| {
        let asked = Arc::clone(&count);
        async move {
            connection.read_head().await.unwrap();
            asked.add_permits(1);
            connection.wait_for_end().await;
        }
    })
    .await;
    (peer, asked)
}

/// Gives up three requests that hang; those that do not are sent to others.
async fn give_up_three_times(upstream: &Upstream, asked: &Semaphore, patience: Duration) {
    let mut given_up = 0;
    while given_up < 3 {
        tokio::select! {
            answer = upstream.send_with(Patience(patience), get("/"), 0) => assert_eq!(text(answer.unwrap()).await.unwrap(), "ok"),
            asked = asked.acquire() => {
                asked.unwrap().forget();
                given_up += 1;
            }
        }
    }
}

fn three(addresses: &[SocketAddr]) -> Arc<Upstream> {
    Upstream::open(UpstreamConfig { eject_after: 3, ..config(addresses) }, None).unwrap()
}

#[tokio::test]
async fn server_that_hangs_is_ejected_when_another_can_take_over() {
    let (peer, asked) = hanging().await;
    let other = Peer::answering(OK).await;
    let upstream = three(&[peer.address, other.address]);
    give_up_three_times(&upstream, &asked, Duration::ZERO).await;
    assert!(upstream.status()[0].ejected);
}

#[tokio::test]
async fn only_server_is_not_ejected_for_answers_that_are_slow() {
    let (peer, asked) = hanging().await;
    let upstream = three(&[peer.address]);
    give_up_three_times(&upstream, &asked, Duration::ZERO).await;
    assert!(!upstream.status()[0].ejected);
}

#[tokio::test]
async fn last_usable_server_is_not_ejected_for_answers_that_are_slow() {
    let (peer, asked) = hanging().await;
    let upstream = three(&[refusing().await, peer.address]);
    for _ in 0..3 {
        upstream.group.endpoints.load()[0].failed(Kind::Ordinary, Fault::Unconnected);
    }
    give_up_three_times(&upstream, &asked, Duration::ZERO).await;
    assert_eq!(upstream.status().iter().map(|server| server.ejected).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn clients_that_leave_say_nothing_of_the_server() {
    let (peer, asked) = hanging().await;
    let other = Peer::answering(OK).await;
    let upstream = three(&[peer.address, other.address]);
    give_up_three_times(&upstream, &asked, Duration::from_secs(3600)).await;
    assert!(!upstream.status()[0].ejected);
}

#[tokio::test]
async fn body_that_fails_says_nothing_of_the_server() {
    let peer = Peer::start(|mut connection, _| async move { connection.wait_for_end().await }).await;
    let upstream = Upstream::open(UpstreamConfig { eject_after: 1, ..config(&[peer.address]) }, None).unwrap();
    let failing = http_body_util::StreamBody::new(futures_util::stream::iter([Err("gone".into())]));
    let request = request(Method::PUT, "/").map(|_| Outgoing::Stream(Box::pin(failing)));
    assert!(matches!(upstream.send(request, 5).await, Err(Failure::Broken(..))));
    assert!(!upstream.status()[0].ejected);
}

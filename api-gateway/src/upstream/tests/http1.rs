use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;

use super::peer::{OK, Peer, settle};
use super::{ask, config, get, idle, in_progress, open, request, text};
use crate::upstream::{Upstream, UpstreamConfig};

#[tokio::test]
async fn connection_is_used_again() {
    let peer = Peer::answering(OK).await;
    let upstream = open(&[peer.address]);
    for _ in 0..10 {
        assert_eq!(ask(&upstream, get("/")).await, "ok");
    }
    assert_eq!((peer.connections(), idle(&upstream), in_progress(&upstream)), (1, 1, 0));
}

#[tokio::test]
async fn request_arrives_as_it_is() {
    let peer = Peer::start(|mut connection, _| async move {
        let (head, body) = connection.read_request().await.unwrap();
        let seen = format!("{head}{}", String::from_utf8(body).unwrap());
        connection.write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{seen}", seen.len())).await;
    })
    .await;
    let seen = ask(&open(&[peer.address]), request(Method::POST, "/a%2Fb?c=%20")).await;
    assert_eq!(seen, "POST /a%2Fb?c=%20 HTTP/1.1\r\nhost: api.example\r\ncontent-length: 4\r\n\r\nbody");
}

#[tokio::test]
async fn answer_without_a_body_frees_connection_and_place_at_once() {
    for (method, answer) in [
        (Method::HEAD, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"),
        (Method::GET, "HTTP/1.1 204 No Content\r\n\r\n"),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\ncontent-length: 1000\r\n\r\n"),
        (Method::GET, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ] {
        let peer = Peer::answering(answer).await;
        let upstream = open(&[peer.address]);
        let kept = upstream.send(request(method, "/"), 0).await.unwrap();
        assert_eq!((idle(&upstream), in_progress(&upstream)), (1, 0), "{answer}");
        assert_eq!(text(kept).await.unwrap(), "");
    }
}

#[tokio::test]
async fn chunked_answer_comes_whole_with_its_trailers_and_frees_the_connection() {
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: sum\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nsum: 5\r\n\r\n";
    let peer = Peer::answering(answer).await;
    let upstream = open(&[peer.address]);
    let body = upstream.send(get("/"), 0).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["sum"], "5");
    assert_eq!(body.to_bytes(), "abcde");
    assert_eq!((idle(&upstream), in_progress(&upstream)), (1, 0));
}

#[tokio::test]
async fn answer_that_ends_with_its_connection_comes_whole() {
    let peer = Peer::start(|mut connection, _| async move {
        connection.read_head().await.unwrap();
        connection.write("HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
    })
    .await;
    let upstream = open(&[peer.address]);
    assert_eq!(ask(&upstream, get("/")).await, "until the end");
    assert_eq!(idle(&upstream), 0);
}

#[tokio::test]
async fn large_answer_comes_whole() {
    const LENGTH: usize = 8 << 20;
    let peer = Peer::start(|mut connection, _| async move {
        while connection.read_head().await.is_some() {
            connection.write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {LENGTH}\r\n\r\n")).await;
            connection.write(&"x".repeat(LENGTH)).await;
        }
    })
    .await;
    let upstream = open(&[peer.address]);
    for _ in 0..2 {
        assert_eq!(ask(&upstream, get("/")).await.len(), LENGTH);
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn connection_that_the_server_closed_meanwhile_is_not_used() {
    let may_close = Arc::new(Semaphore::new(0));
    let (closed, mut seen_closed) = tokio::sync::mpsc::unbounded_channel();
    let permits = Arc::clone(&may_close);
    let peer = Peer::start(move |mut connection, _| {
        let (closed, may_close) = (closed.clone(), Arc::clone(&permits));
        async move {
            connection.read_request().await.unwrap();
            connection.write(OK).await;
            may_close.acquire().await.unwrap().forget();
            drop(connection);
            closed.send(()).unwrap();
        }
    })
    .await;
    let upstream = open(&[peer.address]);
    for _ in 0..3 {
        assert_eq!(ask(&upstream, request(Method::POST, "/")).await, "ok");
        assert_eq!(idle(&upstream), 1);
        may_close.add_permits(1);
        seen_closed.recv().await.unwrap();
        settle().await;
    }
    assert_eq!(peer.connections(), 3);
}

#[tokio::test]
async fn connection_that_idled_too_long_is_not_used() {
    let peer = Peer::answering(OK).await;
    let config = UpstreamConfig { idle_timeout: Duration::ZERO, ..config(&[peer.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    ask(&upstream, get("/")).await;
    ask(&upstream, get("/")).await;
    assert_eq!(peer.connections(), 2);
    upstream.group.endpoints.load()[0].pool.sweep();
    assert_eq!(idle(&upstream), 0);
}

#[tokio::test]
async fn answer_that_says_close_ends_its_connection() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").await;
    let upstream = open(&[peer.address]);
    assert_eq!(ask(&upstream, get("/")).await, "ok");
    assert_eq!(idle(&upstream), 0);
}

#[tokio::test]
async fn answer_dropped_early_closes_its_connection_and_frees_its_place() {
    let (ended, mut seen_end) = tokio::sync::mpsc::unbounded_channel();
    let peer = Peer::start(move |mut connection, _| {
        let ended = ended.clone();
        async move {
            connection.read_head().await.unwrap();
            connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nbegin").await;
            connection.wait_for_end().await;
            ended.send(()).unwrap();
        }
    })
    .await;
    let upstream =
        Upstream::open(UpstreamConfig { max_requests: 1, queue: 0, ..config(&[peer.address]) }, None).unwrap();
    for _ in 0..3 {
        let answer = upstream.send(get("/"), 0).await.unwrap();
        assert_eq!((answer.status(), in_progress(&upstream)), (StatusCode::OK, 1));
        drop(answer);
        seen_end.recv().await.unwrap();
        assert_eq!((idle(&upstream), in_progress(&upstream)), (0, 0));
    }
}

#[tokio::test]
async fn future_dropped_before_the_head_closes_its_connection() {
    let asked = Arc::new(Semaphore::new(0));
    let (ended, mut seen_end) = tokio::sync::mpsc::unbounded_channel();
    let peer = Peer::start({
        let asked = Arc::clone(&asked);
        move |mut connection, _| {
            let (asked, ended) = (Arc::clone(&asked), ended.clone());
            async move {
                connection.read_head().await.unwrap();
                asked.add_permits(1);
                connection.wait_for_end().await;
                ended.send(()).unwrap();
            }
        }
    })
    .await;
    let upstream = open(&[peer.address]);
    tokio::select! {
        _ = upstream.send(get("/"), 3) => panic!("there is no answer"),
        _ = asked.acquire() => {}
    }
    seen_end.recv().await.unwrap();
    assert_eq!((peer.connections(), in_progress(&upstream)), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_are_all_answered() {
    let peer = Peer::answering(OK).await;
    let upstream = open(&[peer.address]);
    let askers = (0..200).map(|_| {
        let upstream = Arc::clone(&upstream);
        tokio::spawn(async move {
            for _ in 0..20 {
                assert_eq!(ask(&upstream, get("/")).await, "ok");
            }
        })
    });
    for asker in join_all(askers).await {
        asker.unwrap();
    }
    assert!(peer.connections() <= 200);
    assert_eq!((idle(&upstream), in_progress(&upstream)), (peer.connections(), 0));
}

use http::{StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::peer::{OK, Peer};
use super::{ask, get, idle, in_progress, open};
use crate::body::Outgoing;

fn upgrade() -> http::Request<Outgoing> {
    let mut request = get("/socket");
    request.headers_mut().insert(header::CONNECTION, "upgrade".parse().unwrap());
    request.headers_mut().insert(header::UPGRADE, "echo".parse().unwrap());
    request
}

#[tokio::test]
async fn upgraded_connection_carries_bytes_both_ways_and_counts_until_it_ends() {
    let peer = Peer::start(|mut connection, number| async move {
        let head = connection.read_head().await.unwrap();
        if number == 0 {
            connection.write(OK).await;
            return connection.wait_for_end().await;
        }
        assert!(head.contains("upgrade: echo\r\n"), "{head}");
        connection.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nhello").await;
        let (mut read, mut write) = connection.stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    })
    .await;
    let upstream = open(&[peer.address]);
    ask(&upstream, get("/")).await;
    let mut answer = upstream.send(upgrade(), 0).await.unwrap();
    assert_eq!((answer.status(), peer.connections()), (StatusCode::SWITCHING_PROTOCOLS, 2));
    let mut bytes = TokioIo::new(hyper::upgrade::on(&mut answer).await.unwrap());
    bytes.write_all(b" and back").await.unwrap();
    bytes.shutdown().await.unwrap();
    assert_eq!((in_progress(&upstream), idle(&upstream)), (1, 1));
    let mut seen = String::new();
    bytes.read_to_string(&mut seen).await.unwrap();
    assert_eq!(seen, "hello and back");
    drop(answer);
    assert_eq!((in_progress(&upstream), idle(&upstream)), (0, 1));
}

#[tokio::test]
async fn refused_upgrade_is_an_answer_like_any_other() {
    let peer = Peer::answering(OK).await;
    let upstream = open(&[peer.address]);
    assert_eq!(ask(&upstream, upgrade()).await, "ok");
    assert_eq!((in_progress(&upstream), idle(&upstream)), (0, 0));
}

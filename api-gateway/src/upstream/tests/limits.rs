use std::time::Duration;

use super::peer::{OK, Peer, refusing};
use super::{config, get, in_progress, text};
use crate::upstream::{Failure, Upstream, UpstreamConfig};

async fn answering_slowly() -> Peer {
    Peer::answering("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nbegin").await
}

#[tokio::test]
async fn answer_holds_its_place_until_it_ends() {
    let peer = answering_slowly().await;
    let upstream =
        Upstream::open(UpstreamConfig { max_requests: 2, queue: 0, ..config(&[peer.address]) }, None).unwrap();
    let first = upstream.send(get("/"), 0).await.unwrap();
    let _second = upstream.send(get("/"), 0).await.unwrap();
    assert_eq!(in_progress(&upstream), 2);
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::AtLimit)));
    drop(first);
    upstream.send(get("/"), 0).await.unwrap();
}

#[tokio::test]
async fn queued_request_goes_on_when_a_place_is_free() {
    let peer = Peer::answering(OK).await;
    let config = UpstreamConfig { max_requests: 1, queue_timeout: Duration::from_secs(60), ..config(&[peer.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    let first = upstream.send(get("/"), 0).await.unwrap();
    let (second, first) = tokio::join!(upstream.send(get("/"), 0), text(first));
    assert_eq!((first.unwrap(), text(second.unwrap()).await.unwrap()), ("ok".to_owned(), "ok".to_owned()));
}

#[tokio::test]
async fn queued_request_waits_no_longer_than_allowed() {
    let peer = answering_slowly().await;
    let config = UpstreamConfig { max_requests: 1, queue_timeout: Duration::ZERO, ..config(&[peer.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    let _first = upstream.send(get("/"), 0).await.unwrap();
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::AtLimit)));
}

#[tokio::test]
async fn nobody_waits_when_every_server_is_ejected() {
    let config = UpstreamConfig { eject_after: 1, max_requests: 1, ..config(&[refusing().await]) };
    let upstream = Upstream::open(UpstreamConfig { queue_timeout: Duration::from_secs(3600), ..config }, None).unwrap();
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::Connect(..))));
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::NoServer)));
    let _all_places = upstream.admission.try_enter().unwrap();
    assert!(matches!(upstream.send(get("/"), 0).await, Err(Failure::NoServer)));
}

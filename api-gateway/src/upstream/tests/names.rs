use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::peer::{OK, Peer};
use super::{ask, config, get};
use crate::upstream::resolve::{Names, Resolver};
use crate::upstream::{Failure, ServerUrl, Upstream, UpstreamConfig};

struct World {
    names: Arc<Names>,
    upstream: Arc<Upstream>,
}

impl World {
    fn new(addresses: Option<Vec<SocketAddr>>) -> Self {
        let known = addresses.map(|addresses| ("api.internal".to_owned(), addresses));
        let names = Arc::new(Names::new(HashMap::from_iter(known)));
        let config = UpstreamConfig {
            servers: vec![ServerUrl { tls: false, host: "api.internal".to_owned(), port: 80 }],
            resolve_interval: Duration::from_millis(10),
            connect_timeout: Duration::from_secs(30),
            ..config(&[])
        };
        let upstream = Upstream::watch(super::super::group::Group::new(config, None, None).unwrap(), Resolver::Told(Arc::clone(&names)));
        Self { names, upstream }
    }

    /// What was found before is in use once the look-up after the next has begun.
    async fn change(&self, addresses: Option<Vec<SocketAddr>>) {
        self.names.set("api.internal", addresses);
        let mut count = self.names.count();
        let seen = *count.borrow_and_update();
        count.wait_for(|count| *count >= seen + 2).await.unwrap();
    }
}

#[tokio::test]
async fn first_request_waits_for_the_addresses() {
    let peer = Peer::answering(OK).await;
    let world = World::new(Some(vec![peer.address]));
    assert_eq!(ask(&world.upstream, get("/")).await, "ok");
}

#[tokio::test]
async fn all_addresses_of_a_name_are_used_and_keep_their_connections() {
    let (one, other) = (Peer::answering(OK).await, Peer::answering(OK).await);
    let world = World::new(Some(vec![one.address]));
    ask(&world.upstream, get("/")).await;
    world.change(Some(vec![other.address, one.address])).await;
    for _ in 0..40 {
        ask(&world.upstream, get("/")).await;
    }
    assert_eq!((one.connections(), other.connections()), (1, 1));
    world.change(Some(vec![other.address])).await;
    assert_eq!(world.upstream.status().len(), 1);
    ask(&world.upstream, get("/")).await;
    assert_eq!(other.connections(), 1);
}

#[tokio::test]
async fn answer_from_an_address_that_went_is_finished() {
    let (one, other) = (Peer::answering(OK).await, Peer::answering(OK).await);
    let world = World::new(Some(vec![one.address]));
    let answer = world.upstream.send(get("/"), 0).await.unwrap();
    world.change(Some(vec![other.address])).await;
    assert_eq!(super::text(answer).await.unwrap(), "ok");
}

#[tokio::test]
async fn failed_look_up_keeps_the_old_addresses() {
    let peer = Peer::answering(OK).await;
    let world = World::new(Some(vec![peer.address]));
    ask(&world.upstream, get("/")).await;
    for nothing in [None, Some(Vec::new())] {
        world.change(nothing).await;
        assert_eq!(ask(&world.upstream, get("/")).await, "ok");
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn name_without_addresses_is_told_as_no_connection() {
    let world = World::new(None);
    assert!(matches!(world.upstream.send(get("/"), 3).await, Err(Failure::Connect(..))));
}

#[tokio::test]
async fn system_knows_localhost() {
    let peer = Peer::answering(OK).await;
    let server = ServerUrl { tls: false, host: "localhost".to_owned(), port: peer.address.port() };
    let upstream = Upstream::open(UpstreamConfig::of_servers("test", vec![server]), None).unwrap();
    assert_eq!(super::text(upstream.send(get("/"), 3).await.unwrap()).await.unwrap(), "ok");
}

#[tokio::test]
async fn look_ups_end_with_the_upstream() {
    let World { names, upstream } = World::new(None);
    let mut count = names.count();
    count.wait_for(|count| *count >= 2).await.unwrap();
    drop((upstream, count));
    // Only the tasks held it besides.
    let mut names = names;
    while Arc::get_mut(&mut names).is_none() {
        tokio::task::yield_now().await;
    }
}

//! The shared link to Redis, on good days and bad ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{Ipv4Addr, SocketAddr};

use service_kit::redis::{Received, Redis, RedisAway};
use test_peers::{Fault, FaultProxy, Log};
use tokio::sync::mpsc;

async fn link_to(server: &test_peers::Redis) -> Redis {
    let link = Redis::open(server.url(), None).unwrap();
    link.available().await;
    link
}

/// A proxy in front of `server`, and its address as a URL.
fn proxy_to(server: &test_peers::Redis) -> (FaultProxy, String) {
    let proxy = FaultProxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()))).unwrap();
    let url = format!("redis://{}/0", proxy.address());
    (proxy, url)
}

async fn heard(messages: &mut mpsc::Receiver<Received>, expected: Received) {
    assert_eq!(messages.recv().await, Some(expected));
}

fn message(text: &str) -> Received {
    Received::Message(text.as_bytes().to_vec())
}

#[tokio::test]
async fn commands_and_scripts_are_answered() {
    let link = link_to(test_peers::Redis::shared().unwrap()).await;
    link.ping().await.unwrap();
    link.command::<()>(redis::cmd("SET").arg("answered").arg(41)).await.unwrap();
    let script = redis::Script::new("return redis.call('INCR', KEYS[1])");
    assert_eq!(link.script(&script.key("answered")).await, Ok(42));
}

#[tokio::test]
async fn opening_never_waits_and_the_link_comes_up_when_redis_does() {
    let server = test_peers::Redis::start().unwrap();
    server.stop().unwrap();
    let link = Redis::open(server.url(), None).unwrap();
    assert_eq!(link.ping().await, Err(RedisAway));
    server.start_again().unwrap();
    link.available().await;
    link.ping().await.unwrap();
}

#[tokio::test]
async fn a_hanging_redis_is_away_until_it_answers_again() {
    let server = test_peers::Redis::start().unwrap();
    let link = link_to(&server).await;
    server.pause().unwrap();
    assert_eq!(link.ping().await, Err(RedisAway));
    assert!(!link.is_available());
    assert_eq!(link.ping().await, Err(RedisAway));
    server.resume().unwrap();
    link.available().await;
    link.ping().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_died_in_silence_is_replaced() {
    let (proxy, url) = proxy_to(test_peers::Redis::shared().unwrap());
    let link = Redis::open(&url, None).unwrap();
    link.available().await;
    for fault in [Fault::Blackhole, Fault::Reset, Fault::Refuse] {
        proxy.set(fault);
        assert_eq!(link.ping().await, Err(RedisAway), "{fault:?}");
        proxy.set(Fault::Pass);
        link.available().await;
        link.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_command_concerns_nobody_else() {
    let link = link_to(test_peers::Redis::shared().unwrap()).await;
    link.command::<()>(redis::cmd("RPUSH").arg("a list").arg(1)).await.unwrap();
    assert_eq!(link.command::<i64>(redis::cmd("INCR").arg("a list")).await, Err(RedisAway));
    assert!(link.is_available());
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_away() {
    let server = test_peers::Redis::start().unwrap();
    let link = link_to(&server).await;
    let mut messages = link.subscribe("any");
    heard(&mut messages, Received::Connected).await;
    link.command::<()>(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(server.port())).await.unwrap();
    heard(&mut messages, Received::Disconnected).await;
    assert!(!link.is_available());
}

#[tokio::test]
async fn a_subscriber_hears_messages_and_when_it_may_have_missed_some() {
    let server = test_peers::Redis::start().unwrap();
    let link = link_to(&server).await;
    let mut messages = link.subscribe("news");
    heard(&mut messages, Received::Connected).await;
    link.publish("other news", b"0").await.unwrap();
    link.publish("news", b"1").await.unwrap();
    heard(&mut messages, message("1")).await;

    server.stop().unwrap();
    heard(&mut messages, Received::Disconnected).await;
    server.start_again().unwrap();
    heard(&mut messages, Received::Connected).await;
    link.publish("news", b"2").await.unwrap();
    heard(&mut messages, message("2")).await;

    server.pause().unwrap();
    heard(&mut messages, Received::Disconnected).await;
    server.resume().unwrap();
    heard(&mut messages, Received::Connected).await;
    link.publish("news", b"3").await.unwrap();
    heard(&mut messages, message("3")).await;
}

#[tokio::test]
async fn a_subscription_ends_with_the_last_handle() {
    let link = link_to(test_peers::Redis::shared().unwrap()).await;
    let mut messages = link.subscribe("ends");
    heard(&mut messages, Received::Connected).await;
    drop(link);
    heard(&mut messages, Received::Disconnected).await;
    assert_eq!(messages.recv().await, None);
}

#[tokio::test]
async fn tls_trusts_the_given_roots_and_no_strangers() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let server = test_peers::Redis::start_tls().unwrap();
    let stranger = Redis::open(server.url(), None).unwrap();
    let link = Redis::open(server.url(), Some(server.ca_pem().unwrap().as_bytes())).unwrap();
    link.available().await;
    link.ping().await.unwrap();
    assert!(!stranger.is_available());
}

#[tokio::test]
async fn a_url_that_cannot_work_is_refused_without_being_repeated() {
    for url in ["", "localhost:6379", "http://:hunter2@host", "redis://:hunter2@host:port", "redis+unix:///hunter2"] {
        let error = Redis::open(url, None).map(drop).unwrap_err().to_string();
        assert!(error.contains("rediss://"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn an_outage_is_logged_once_in_the_words_of_the_guide_and_without_the_password() {
    let log = Log::collect();
    let server = test_peers::Redis::start().unwrap();
    let link = link_to(&server).await;
    let refused = Redis::open(&format!("redis://:hunter2@127.0.0.1:{}/0", server.port()), None).unwrap();
    server.stop().unwrap();
    for _ in 0..3 {
        assert_eq!(link.ping().await, Err(RedisAway));
        assert_eq!(refused.ping().await, Err(RedisAway));
    }
    server.start_again().unwrap();
    link.available().await;
    let text = log.lines().join("\n");
    assert_eq!(text.matches("Error connecting to Redis: ").count(), 2, "one for each link: {text}");
    assert_eq!(text.matches("Connected to Redis").count(), 2, "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

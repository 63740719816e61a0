//! Revoked at the API, refused at the door.

use std::time::{Duration, Instant};

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::{Gateway, ROUTES, Site};
use crate::{
    client::{Answer, Client},
    support::Engine,
};

/// The longest that a revoked token may pass.
const A_SECOND: Duration = Duration::from_secs(1);

/// How long a token passes still.
async fn until_refused(front: &Client, token: &str) -> Duration {
    let (began, client) = (Instant::now(), front.bearing(token));
    loop {
        match client.get("/private/x").await.status {
            200 => {}
            401 => return began.elapsed(),
            other => panic!("{other}"),
        }
        assert!(began.elapsed() < A_SECOND * 5, "it is never refused");
    }
}

#[rstest]
#[tokio::test]
async fn a_logout_is_known_at_the_door_within_a_second(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let site = Site::on(engine, ROUTES).await;
    let mut slowest = Duration::ZERO;
    site.api().person("kim@example.com").await;
    for _ in 0..5 {
        let person = site.api().log_in("kim@example.com").await;
        assert_eq!(site.front().bearing(&person.access).get("/private/x").await.status, 200);
        assert_eq!(site.api().logout(&person.access).await.status, 204);
        slowest = slowest.max(until_refused(site.front(), &person.access).await);
    }
    println!("{engine:?}: refused at the gateway {slowest:?} after the logout at worst");
    assert!(slowest < A_SECOND, "{slowest:?}");
}

#[tokio::test]
async fn a_revocation_at_one_instance_reaches_a_gateway_that_hears_another() {
    let site = Site::on(Engine::Postgres, ROUTES).await;
    let (_other, other_port) = site.another_api(&[]).await;
    let gateway = Gateway::start(&[other_port], &ROUTES.replace("UPSTREAM", &site.upstream.url())).await;
    let person = site.api.client.person("kim@example.com").await;
    assert_eq!(gateway.client.bearing(&person.access).get("/private/x").await.status, 200);
    assert_eq!(site.api.client.logout(&person.access).await.status, 204);
    assert!(until_refused(&gateway.client, &person.access).await < A_SECOND);
}

#[tokio::test]
async fn a_new_password_and_ended_sessions_are_known_too() {
    let site = Site::with(ROUTES).await;
    let first = site.api().person("kim@example.com").await;
    let second = site.api().log_in("kim@example.com").await;
    let ended = site.api().bearing(&first.access).request(Method::DELETE, "/api/v1/auth/sessions?except_current=true");
    assert_eq!(Answer::of(ended).await.unwrap().status, 204);
    assert!(until_refused(site.front(), &second.access).await < A_SECOND);
    let third = site.api().log_in("kim@example.com").await;
    let change = site.api().bearing(&first.access).request(Method::PUT, "/api/v1/users/me/password");
    let body = json!({"current_password": crate::client::PASSWORD, "new_password": "NewPass456!x"});
    assert_eq!(Answer::of(change.json(&body)).await.unwrap().status, 204);
    assert!(until_refused(site.front(), &third.access).await < A_SECOND);
    assert_eq!(site.front().bearing(&first.access).get("/private/x").await.status, 200, "the session that changed it");
}

#[tokio::test]
async fn before_anything_is_heard_nobody_who_must_be_known_is_admitted() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let nowhere = test_peers::free_port().unwrap();
    let deaf = Gateway::spawn(Gateway::place(&[nowhere], &ROUTES.replace("UPSTREAM", &site.upstream.url())));
    deaf.program.until("it serves", async || deaf.health("").await == Some(200)).await;
    assert_eq!(deaf.health("/ready").await, Some(503));
    deaf.client.bearing(&person.access).get("/private/x").await.assert_unavailable();
    deaf.client.bearing(&person.access).get("/optional/x").await.assert_unavailable();
    assert_eq!(deaf.client.get("/open/x").await.status, 200);
    let health = deaf.client.get("/gateway/health").await;
    assert_eq!(
        (health.text("status").as_str(), &health.body["checks"]["revocations"]),
        ("degraded", &json!("unknown"))
    );
}

#[tokio::test]
async fn a_gateway_that_started_before_the_api_recovers_by_itself() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let place = Gateway::place(&[site.api_place.port], &ROUTES.replace("UPSTREAM", &site.upstream.url()));
    site.api.stop().await;
    let gateway = Gateway::spawn(place);
    gateway.program.until("it serves", async || gateway.health("").await == Some(200)).await;
    gateway.client.bearing(&person.access).get("/private/x").await.assert_unavailable();
    let api = site.api_place.spawn(&["service"]);
    api.until_ready().await;
    gateway.until_ready().await;
    assert_eq!(gateway.client.bearing(&person.access).get("/private/x").await.status, 200);
}

#[tokio::test]
async fn without_the_feed_routes_do_what_they_say() {
    let site = Site::with(ROUTES).await;
    let place = Gateway::place(&[site.api_place.port], &ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let gateway = Gateway::start_in(place.set("REVOCATION_MAX_STALENESS", "2s")).await;
    let person = site.api().person("kim@example.com").await;
    let client = gateway.client.bearing(&person.access);
    assert_eq!(client.get("/careful/x").await.status, 200);
    site.api.stop().await;
    gateway.program.until("the feed is stale", async || client.get("/careful/x").await.status == 503).await;
    assert_eq!(client.get("/private/x").await.status, 200, "this one goes on with what is known");
    let health = client.get("/gateway/health").await;
    assert_eq!(health.body["checks"]["revocations"], json!("stale"), "{health:?}");
    let age = gateway.details().await.body["revocations_staleness_seconds"].as_f64();
    assert!(age > Some(2.0), "{age:?}");
    let metrics = metrics_of(&gateway).await;
    assert!(metrics.contains("gateway_revocation_staleness_seconds"), "{metrics}");
}

/// What Prometheus would read.
pub async fn metrics_of(gateway: &Gateway) -> String {
    let port = gateway.place.port_of("GATEWAY_METRICS_ADDR");
    Client::new(port).get("/metrics").await.body.as_str().unwrap_or_default().to_owned()
}

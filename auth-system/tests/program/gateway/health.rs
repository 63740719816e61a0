//! What the gateway says of its own state: to anybody, and to operators.

use reqwest::Method;
use serde_json::json;
use test_peers::free_port;

use super::{ROUTES, Site, upstream::Upstream};
use crate::{
    client::{Answer, Client},
    support::{Engine, Workplace},
};

#[tokio::test]
async fn the_public_learns_how_it_is_and_nothing_of_what_it_is() {
    let site = Site::with(ROUTES).await;
    let health = site.front().get("/gateway/health").await;
    let checks = json!({"routes": "current", "keys": "known", "revocations": "current", "upstreams": "usable"});
    assert_eq!((health.status, &health.body), (200, &json!({"status": "healthy", "checks": checks})));
    // From this machine too: behind a proxy on it everybody is a neighbour.
    let neighbour = site.front().with_header("x-forwarded-for", "127.0.0.1").get("/gateway/health").await;
    assert_eq!(neighbour.body, health.body);
    let index = site.front().get("/").await;
    assert_eq!(index.status, 200);
    assert!(!index.body.to_string().contains(env!("CARGO_PKG_VERSION")), "{index:?}");
}

#[tokio::test]
async fn operators_learn_the_rest_where_metrics_are() {
    let site = Site::with(ROUTES).await;
    let health = site.front().get("/gateway/health").await;
    let details = site.gateway.details().await;
    assert_eq!(details.status, 200, "{details:?}");
    for member in ["status", "checks"] {
        assert_eq!(details.body[member], health.body[member]);
    }
    assert_eq!(details.text("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(details.text("environment"), "development");
    assert_eq!(details.body["routes_refused"], json!(null));
    assert!(details.body["revocations_staleness_seconds"].as_f64() < Some(10.0), "{details:?}");
    let one = json!({"servers": 1, "usable": 1});
    assert_eq!(details.body["upstreams"], json!({"auth-api": one, "console": one, "service": one}));
    assert_eq!((details.header("cache-control"), details.header("x-content-type-options")), ("no-store", "nosniff"));
    let operators = Client::new(site.gateway.place.port_of("GATEWAY_METRICS_ADDR"));
    let posted = Answer::of(operators.request(Method::POST, "/gateway/health")).await.unwrap();
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
    let metrics = operators.get("/metrics").await;
    assert_eq!(metrics.status, 200, "it is no hindrance to these");
}

#[tokio::test]
async fn a_service_that_is_away_is_told_without_its_name() {
    let gone = format!("http://127.0.0.1:{}", free_port().unwrap());
    let checked = "[upstream.service]\nhealth = { path = \"/\", interval = \"1s\", unhealthy_after = 1 }";
    let site = Site::with(&ROUTES.replace("UPSTREAM", &gone).replace("[upstream.service]", checked)).await;
    let health = async || site.front().get("/gateway/health").await;
    let program = &site.gateway.program;
    program.until("it is noticed", async || health().await.body["checks"]["upstreams"] == "some_unusable").await;
    assert_eq!(health().await.text("status"), "healthy", "the gateway itself is well");
    assert_eq!(site.gateway.details().await.body["upstreams"]["service"], json!({"servers": 1, "usable": 0}));
}

#[tokio::test]
async fn the_metrics_listener_of_all_servers_has_it_and_that_of_the_api_alone_has_not() {
    let upstream = Upstream::start().await;
    let place = Workplace::on(Engine::Sqlite).set("GATEWAY_CONFIG", "gateway.toml");
    std::fs::write(place.path("gateway.toml"), ROUTES.replace("UPSTREAM", &upstream.url())).unwrap();
    let (program, operators) = (place.start().await, Client::new(place.metrics_port));
    let details = operators.get("/gateway/health").await;
    assert_eq!((details.status, &details.body["upstreams"]["service"]["servers"]), (200, &json!(1)), "{details:?}");
    program.stop().await;
    let program = place.spawn(&["service"]);
    program.until_ready().await;
    assert_eq!(operators.get("/gateway/health").await.status, 404);
    program.stop().await;
}

//! How often one may ask at the door.

use rstest::rstest;
use test_peers::Redis;

use super::{Gateway, ROUTES, Site};

const LIMITED: &str = r#"
[limits]
per_address = "40/1m"
per_user = "30/1m"

[[route]]
name = "limited"
match = { path = "/limited" }
upstream = "service"
auth = "optional"
rate_limit = "5/1m"
"#;

#[rstest]
#[tokio::test]
async fn a_route_counts_each_caller_and_each_stranger_by_themselves(#[values(false, true)] shared: bool) {
    let site = Site::with(ROUTES).await;
    let routes = format!("{LIMITED}{}", ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let place = Gateway::place(&[site.api_place.port], &routes).set("TRUSTED_PROXIES", "127.0.0.1");
    let place = if shared { place.set("REDIS_URL", Redis::shared().unwrap().url()) } else { place };
    let gateway = Gateway::start_in(place).await;
    // An address of its own for each run: Redis is shared by all tests.
    let address = format!("203.0.113.{}", std::process::id() % 250);
    let [kim, lee] = ["kim@example.com", "lee@example.com"];
    let (kim, lee) = (site.api().person(kim).await, site.api().person(lee).await);
    let near = gateway.client.with_header("x-forwarded-for", &address);
    let (kim, lee) = (near.bearing(&kim.access), near.bearing(&lee.access));
    for left in (0..5).rev() {
        let answer = kim.get("/limited/x").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.header("ratelimit").contains(&format!("r={left}")), "{answer:?}");
        assert!(answer.header("ratelimit-policy").contains("q=5;w=60"), "{answer:?}");
    }
    let refused = kim.get("/limited/x").await;
    assert_eq!((refused.status, refused.text("code").as_str()), (429, "rate_limited"));
    assert!(refused.header("retry-after").parse::<u32>().is_ok(), "{refused:?}");
    assert_eq!(lee.get("/limited/x").await.status, 200, "another person has a count of their own");
    assert_eq!(near.get("/limited/x").await.status, 200, "and so has the address of whoever is nobody");
    assert_eq!(kim.get("/private/x").await.status, 200, "the limit is the route's");
}

#[tokio::test]
async fn an_address_is_counted_over_all_routes_and_health_is_not() {
    let site = Site::with(ROUTES).await;
    let routes = format!("{LIMITED}{}", ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let gateway =
        Gateway::start_in(Gateway::place(&[site.api_place.port], &routes).set("TRUSTED_PROXIES", "127.0.0.1")).await;
    let client = gateway.client.with_header("x-forwarded-for", "198.51.100.7");
    for _ in 0..40 {
        assert_eq!(client.get("/open/x").await.status, 200);
    }
    assert_eq!(client.get("/open/x").await.status, 429);
    assert_eq!(client.get("/gateway/health").await.status, 200);
    assert_eq!(client.with_header("x-forwarded-for", "198.51.100.8").get("/open/x").await.status, 200);
}

#[tokio::test]
async fn one_address_cannot_hold_every_place() {
    let site = Site::with(ROUTES).await;
    let routes = format!("[limits]\nconcurrent_per_address = 3\n{}", ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let gateway =
        Gateway::start_in(Gateway::place(&[site.api_place.port], &routes).set("TRUSTED_PROXIES", "127.0.0.1")).await;
    let greedy = gateway.client.with_header("x-forwarded-for", "198.51.100.7");
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(greedy.request(reqwest::Method::GET, "/open/events").send().await.unwrap());
    }
    let refused = greedy.get("/open/x").await;
    assert_eq!((refused.status, refused.text("code").as_str()), (429, "rate_limited"));
    assert_eq!(gateway.client.with_header("x-forwarded-for", "198.51.100.8").get("/open/x").await.status, 200);
    drop(held);
    gateway.program.until("its places are free", async || greedy.get("/open/x").await.status == 200).await;
}

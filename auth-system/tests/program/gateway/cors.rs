//! Browsers of other origins.

use reqwest::Method;

use super::{Gateway, ROUTES, Site};
use crate::client::Answer;

#[tokio::test]
async fn the_gateway_speaks_for_all_routes_where_origins_are_named() {
    let site = Site::with(ROUTES).await;
    let place = Gateway::place(&[site.api_place.port], &ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let gateway = Gateway::start_in(place.set("CORS_ALLOWED_ORIGINS", "https://app.example.com")).await;
    let app = gateway.client.with_header("origin", "https://app.example.com");
    let preflight = app.request(Method::OPTIONS, "/private/x").header("access-control-request-method", "DELETE");
    let preflight =
        Answer::of(preflight.header("access-control-request-headers", "authorization, x-mine")).await.unwrap();
    assert_eq!(preflight.status, 200, "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-origin"), "https://app.example.com");
    assert_eq!(preflight.header("access-control-allow-methods"), "DELETE");
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization, x-mine");
    assert_eq!(site.upstream.seen().len(), 0);
    let refused = app.get("/private/x").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, "https://app.example.com"));
    let framed = app.get("/open/framed").await;
    assert_eq!(
        framed.headers.get_all("access-control-allow-origin").iter().collect::<Vec<_>>(),
        ["https://app.example.com"]
    );
    let stranger = gateway.client.with_header("origin", "https://evil.example").get("/open/framed").await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");
    let options = Answer::of(app.request(Method::OPTIONS, "/open/x")).await.unwrap();
    assert_eq!(options.status, 200);
    assert!(site.upstream.last().starts_with("OPTIONS /open/x"), "no preflight, so it is the service's");
}

#[tokio::test]
async fn without_origins_the_services_speak_for_themselves() {
    let site = Site::with(ROUTES).await;
    let app = site.front().with_header("origin", "https://app.example.com");
    assert_eq!(app.get("/open/framed").await.header("access-control-allow-origin"), "*");
}

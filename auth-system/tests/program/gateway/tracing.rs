//! One trace from the client through the gateway to the service.

use super::{Gateway, ROUTES, Site, upstream::values};
use crate::wire::Collector;

const CLIENTS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn a_trace_goes_on_through_the_gateway() {
    let site = Site::with(ROUTES).await;
    let collector = Collector::start().await;
    let place = Gateway::place(&[site.api_place.port], &ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let endpoint = format!("http://127.0.0.1:{}", collector.port);
    let gateway = Gateway::start_in(place.set("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)).await;
    assert_eq!(gateway.client.with_header("traceparent", CLIENTS).get("/open/x").await.status, 200);
    let head = site.upstream.last();
    let parent = values(&head, "traceparent");
    let [parent] = parent.as_slice() else { panic!("{head}") };
    assert!(parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{parent}");
    assert!(!parent.contains("b7ad6b7169203331"), "the service's parent is the gateway's span, not the client's");
    gateway.program.stop().await;
    let reports = collector.taken();
    assert!(reports.iter().any(|report| report.contains("GET open")), "the span is named by its route: {reports:?}");
}

#[tokio::test]
async fn without_an_exporter_a_trace_passes_by() {
    let site = Site::with(ROUTES).await;
    assert_eq!(site.front().with_header("traceparent", CLIENTS).get("/open/x").await.status, 200);
    assert_eq!(values(&site.upstream.last(), "traceparent"), [CLIENTS]);
}

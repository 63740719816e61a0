//! Telemetry belongs to the process, so it is one test in a process of its own: traces out, metrics in, no harm done.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use service_kit::config::Env;
use service_kit::edge::Edge;
use service_kit::proxies::TrustedProxies;
use service_kit::telemetry::TelemetryConfig;
use service_kit::{metrics, telemetry};
use tower::ServiceExt;
use tracing::Span;

const TRACE_ID: [u8; 16] =
    [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];

/// Takes one export and returns it as it came.
fn collector() -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taken = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut export = Vec::new();
        let mut buffer = [0; 65_536];
        while !export.windows(TRACE_ID.len()).any(|bytes| bytes == TRACE_ID) {
            let count = stream.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "the export ended early: {}", String::from_utf8_lossy(&export));
            export.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        export
    });
    (address, taken)
}

async fn body(app: Router, request: Request<Body>) -> String {
    let bytes = app.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a server that we ask would be told of the trace.
async fn forwarded() -> String {
    let mut headers = HeaderMap::new();
    telemetry::inject_trace(&Span::current(), &mut headers);
    assert!(!headers.contains_key("tracestate"));
    headers["traceparent"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_is_traced_into_its_callers_trace_and_counted_by_route() {
    let (address, taken) = collector();
    let endpoint = format!("http://{address}/");
    let mut env = Env::from_pairs([("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("LOG_LEVEL", "info")]);
    let config = TelemetryConfig::read(&mut env);
    env.finish().unwrap();
    let prometheus = metrics::install().unwrap();
    let guard = telemetry::start(&config, "auth-service", "1.0.0").unwrap();

    let app = Router::new().route("/users/{id}", get(forwarded)).layer(Edge::new(TrustedProxies::default()));
    let request = Request::get("/users/7?token=secret")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .body(Body::empty());
    let forwarded = body(app.clone(), request.unwrap()).await;
    assert!(forwarded.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && forwarded.ends_with("-01"), "{forwarded}");
    assert!(!forwarded.contains("00f067aa0ba902b7"), "the caller's span instead of ours: {forwarded}");
    let odd = Request::builder().method("BREW").uri("/x").body(Body::empty());
    body(app, odd.unwrap()).await;

    drop(guard);
    let export = String::from_utf8_lossy(&taken.join().unwrap()).into_owned();
    assert!(export.starts_with("POST /v1/traces "), "{export}");
    assert!(export.contains("GET /users/{id}") && export.contains("auth-service") && !export.contains("secret"));

    let page = body(metrics::router(prometheus), Request::get("/metrics").body(Body::empty()).unwrap()).await;
    for line in [
        "http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"200\"} 1",
        "http_requests_total{method=\"OTHER\",route=\"unmatched\",status=\"404\"} 1",
        "http_request_duration_seconds_bucket{method=\"GET\",route=\"/users/{id}\",le=\"15\"} 1",
        "http_requests_in_flight 1",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}

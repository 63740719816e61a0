//! HTTP/2 without TLS, by prior knowledge.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use service_kit::config::Env;
use service_kit::edge::Edge;
use service_kit::hosts::AllowedHosts;
use service_kit::proxies::TrustedProxies;
use service_kit::serve::ServeLimits;
use tokio::net::TcpStream;

use crate::start;

#[tokio::test]
async fn http2_is_served_with_the_same_headers_and_hosts() {
    let mut env = Env::from_pairs([("ALLOWED_HOSTS", "a.com")]);
    let layers = (Edge::new(TrustedProxies::default()), AllowedHosts::read(&mut env, &[]));
    let server = start(Router::new().route("/", get(async || "fine")).layer(layers), ServeLimits::default()).await;
    let io = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);

    for (uri, status) in [("http://a.com/", 200), ("http://b.com/", 400), ("http://a.com/nowhere", 404)] {
        let answer = client.send_request(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{uri}");
        assert_eq!(answer.headers()["x-frame-options"], "DENY");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.starts_with(b"{\"type\":"), status != 200);
    }
    server.trigger.request();
    drop(client);
    connection.await.unwrap().unwrap();
    server.done.await.unwrap().unwrap();
}

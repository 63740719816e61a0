//! Upstreams against real sockets, in the places where the peers misbehave too.

mod aborted;
mod balancing;
mod faults;
mod http1;
mod http2;
mod limits;
mod names;
mod peer;
mod tls;
mod upgrade;
mod upload;
mod watching;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::BodyExt;

use super::*;
use crate::body::{BodyError, Outgoing};

fn server(address: SocketAddr) -> ServerUrl {
    ServerUrl { tls: false, host: address.ip().to_string(), port: address.port() }
}

fn config(addresses: &[SocketAddr]) -> UpstreamConfig {
    UpstreamConfig::of_servers("test", addresses.iter().map(|address| server(*address)).collect())
}

fn open(addresses: &[SocketAddr]) -> Arc<Upstream> {
    Upstream::open(config(addresses), None).unwrap()
}

fn request(method: Method, path: &str) -> Request<Outgoing> {
    let body = if method == Method::POST { Outgoing::Bytes(Some("body".into())) } else { Outgoing::Empty };
    Request::builder().method(method).uri(path).header(header::HOST, "api.example").body(body).unwrap()
}

fn get(path: &str) -> Request<Outgoing> {
    request(Method::GET, path)
}

async fn text(answer: Response<Answer>) -> Result<String, BodyError> {
    let bytes: Bytes = answer.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

/// Sends, and reads the whole answer.
async fn ask(upstream: &Upstream, request: Request<Outgoing>) -> String {
    text(upstream.send(request, 0).await.unwrap()).await.unwrap()
}

fn idle(upstream: &Upstream) -> usize {
    upstream.group.endpoints.load().iter().map(|endpoint| endpoint.pool.len()).sum()
}

fn in_progress(upstream: &Upstream) -> usize {
    upstream.status().iter().map(|server| server.in_progress).sum()
}

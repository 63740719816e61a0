use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::tls::{Certificates, Clients, over_tls};
use super::{ask, config, get, idle, in_progress, request};
use crate::upstream::{Upstream, UpstreamConfig};

/// Tells what it sees of each request.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    latest: Arc<std::sync::Mutex<Option<AbortHandle>>>,
}

impl Server {
    async fn start(acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, connections: Arc::default(), latest: Arc::default() };
        let (connections, latest) = (Arc::clone(&server.connections), Arc::clone(&server.latest));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                let task = tokio::spawn(async move {
                    let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    // The client ends it whenever it likes.
                    let _ = match acceptor {
                        Some(acceptor) => {
                            let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
                            http2.serve_connection(stream, service_fn(tell)).await
                        }
                        None => http2.serve_connection(TokioIo::new(stream), service_fn(tell)).await,
                    };
                });
                *latest.lock().unwrap() = Some(task.abort_handle());
            }
        });
        server
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn config(&self) -> UpstreamConfig {
        UpstreamConfig { http2: true, ..config(&[([127, 0, 0, 1], self.port).into()]) }
    }
}

async fn tell(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let host = head.headers.contains_key("host");
    let told = format!("{} {} {:?} host={host} {body}", head.method, head.uri, head.version);
    Ok(Response::new(told.into()))
}

#[tokio::test]
async fn plain_http2_is_spoken_by_prior_knowledge_on_one_connection() {
    let server = Server::start(None).await;
    let upstream = Upstream::open(server.config(), None).unwrap();
    let told = ask(&upstream, request(Method::POST, "/a?b")).await;
    assert_eq!(told, "POST http://api.example/a?b HTTP/2.0 host=false body");
    let all = join_all((0..50).map(|_| ask(&upstream, get("/")))).await;
    assert!(all.iter().all(|told| told == "GET http://api.example/ HTTP/2.0 host=false "));
    assert_eq!((server.connections(), in_progress(&upstream)), (1, 0));
}

#[tokio::test]
async fn many_first_requests_at_once_open_one_connection() {
    let server = Server::start(None).await;
    let upstream = Upstream::open(server.config(), None).unwrap();
    join_all((0..50).map(|_| ask(&upstream, get("/")))).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn closed_connection_is_replaced() {
    let server = Server::start(None).await;
    let upstream = Upstream::open(server.config(), None).unwrap();
    ask(&upstream, get("/")).await;
    server.latest.lock().unwrap().take().unwrap().abort();
    let answer = upstream.send(get("/"), 1).await.unwrap();
    assert!(super::text(answer).await.unwrap().starts_with("GET"));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn http2_over_tls_is_chosen_by_negotiation() {
    let certificates = Certificates::new();
    let server = Server::start(Some(certificates.server("127.0.0.1", Clients::Anyone, &["h2", "http/1.1"]))).await;
    let config = UpstreamConfig { http2: true, ..over_tls(server.port, certificates.trusting()) };
    let upstream = Upstream::open(config, None).unwrap();
    assert_eq!(ask(&upstream, get("/")).await, "GET https://api.example/ HTTP/2.0 host=false ");
    ask(&upstream, get("/")).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn server_over_tls_that_does_not_speak_http2_is_spoken_to_as_it_likes() {
    let certificates = Certificates::new();
    let acceptor = certificates.server("127.0.0.1", Clients::Anyone, &["http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
                hyper::server::conn::http1::Builder::new().serve_connection(stream, service_fn(tell)).await
            });
        }
    });
    let config = UpstreamConfig { http2: true, ..over_tls(port, certificates.trusting()) };
    let upstream = Upstream::open(config, None).unwrap();
    assert_eq!(ask(&upstream, get("/")).await, "GET / HTTP/1.1 host=true ");
    ask(&upstream, get("/")).await;
    assert_eq!(idle(&upstream), 1);
}

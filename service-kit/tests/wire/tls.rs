//! TLS on the listener, as its clients see it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use http::Request;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use rustls_pki_types::CertificateDer;
use service_kit::edge::Edge;
use service_kit::proxies::TrustedProxies;
use service_kit::serve::tls::{CertificateFiles, Certificates};
use service_kit::serve::{Listener, Origin, ServeLimits, serve};
use service_kit::shutdown::Shutdown;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Server;
use crate::client::Wire;

const SHORT: Duration = Duration::from_millis(500);
const SOON: Duration = Duration::from_secs(8);
const LAST: &str = "GET / HTTP/1.1\r\nHost: a.com\r\nConnection: close\r\n\r\n";

/// A server with two certificates, and what its clients trust.
struct TlsServer {
    server: Server,
    certificates: Certificates,
    folder: TempDir,
    roots: RootCertStore,
}

async fn whence(Extension(origin): Extension<Origin>) -> String {
    format!("{} from {}", origin.scheme.as_str(), origin.peer.ip())
}

impl TlsServer {
    async fn start(limits: ServeLimits) -> Self {
        let (folder, mut roots) = (TempDir::new().unwrap(), RootCertStore::empty());
        let files = ["a.com", "b.com"].map(|name| issue(&folder, name, &mut roots));
        let certificates = Certificates::load(&files).unwrap();
        let app = Router::new().route("/", get(whence)).layer(Edge::new(TrustedProxies::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (trigger, shutdown) = Shutdown::manual();
        let own = certificates.clone();
        let done =
            tokio::spawn(async move { serve(Listener::from(listener).with_tls(own), app, limits, shutdown).await });
        Self { server: Server { address, trigger, done }, certificates, folder, roots }
    }

    async fn connect(&self, name: &'static str, alpn: &[&str]) -> TlsStream<TcpStream> {
        self.connect_by(&version::TLS13, name, alpn).await
    }

    async fn connect_by(
        &self,
        version: &'static SupportedProtocolVersion,
        name: &'static str,
        alpn: &[&str],
    ) -> TlsStream<TcpStream> {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(&[version]).unwrap();
        let mut config = builder.with_root_certificates(self.roots.clone()).with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(self.server.address).await.unwrap();
        TlsConnector::from(Arc::new(config)).connect(name.try_into().unwrap(), stream).await.unwrap()
    }
}

/// Writes a certificate that clients with these roots trust.
fn issue(folder: &TempDir, name: &str, roots: &mut RootCertStore) -> CertificateFiles {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
    roots.add(certificate.der().clone()).unwrap();
    let path = |extension: &str| folder.path().join(format!("{name}.{extension}"));
    std::fs::write(path("pem"), certificate.pem()).unwrap();
    std::fs::write(path("key"), key.serialize_pem()).unwrap();
    CertificateFiles { chain: path("pem"), key: path("key") }
}

fn certificate_of(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

async fn ask(stream: &mut TlsStream<TcpStream>, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn each_name_gets_its_certificate_and_handlers_learn_of_tls() {
    let server = TlsServer::start(ServeLimits::default()).await;
    let mut seen = Vec::new();
    for name in ["a.com", "b.com"] {
        // The client itself verifies that the certificate is for the name.
        let mut stream = server.connect(name, &[]).await;
        seen.push(certificate_of(&stream));
        let answer = ask(&mut stream, LAST).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("https from 127.0.0.1"), "{answer}");
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn both_versions_are_spoken() {
    let server = TlsServer::start(ServeLimits::default()).await;
    let expected = [(&version::TLS12, ProtocolVersion::TLSv1_2), (&version::TLS13, ProtocolVersion::TLSv1_3)];
    for (version, expected) in expected {
        let mut stream = server.connect_by(version, "a.com", &["http/1.1"]).await;
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert!(ask(&mut stream, LAST).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn http2_is_agreed_on_and_ends_with_the_server() {
    let server = TlsServer::start(ServeLimits::default()).await;
    let stream = server.connect("a.com", &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let answer = client.send_request(Request::get("https://a.com/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.headers()["x-frame-options"], "DENY");
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "https from 127.0.0.1");
    server.server.trigger.request();
    drop(client);
    connection.await.unwrap().unwrap();
    server.server.done.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_reload_is_for_the_next_handshake_and_open_connections_go_on() {
    let mut server = TlsServer::start(ServeLimits::default()).await;
    let mut open = server.connect("a.com", &[]).await;
    issue(&server.folder, "a.com", &mut server.roots);
    server.certificates.reload().unwrap();
    let mut new = server.connect("a.com", &[]).await;
    assert_ne!(certificate_of(&open), certificate_of(&new));
    for stream in [&mut open, &mut new] {
        assert!(ask(stream, LAST).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn plain_http_is_closed_on() {
    let server = TlsServer::start(ServeLimits::default()).await;
    let mut plain = TcpStream::connect(server.server.address).await.unwrap();
    plain.write_all(LAST.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Closed or reset; at most an alert of TLS, never an answer.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(ask(&mut server.connect("a.com", &[]).await, LAST).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut() {
    let server = TlsServer::start(ServeLimits { header_time: SHORT, ..ServeLimits::default() }).await;
    let begun = Instant::now();
    assert_eq!(Wire::connect(server.server.address).await.rest().await, "");
    assert!(begun.elapsed() >= SHORT && begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_handshake_that_does_not_come_holds_nobody_up() {
    let server = TlsServer::start(ServeLimits::default()).await;
    let begun = Instant::now();
    let _silent = Wire::connect(server.server.address).await;
    assert!(ask(&mut server.connect("a.com", &[]).await, LAST).await.starts_with("HTTP/1.1 200"));
    assert!(begun.elapsed() < ServeLimits::default().header_time, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn framing_is_guarded_behind_tls_too() {
    let server = TlsServer::start(ServeLimits::default()).await;
    let doubtful = "POST / HTTP/1.1\r\nHost: a.com\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello";
    let answer = ask(&mut server.connect("a.com", &[]).await, doubtful).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("\"code\":\"bad_request\""), "{answer}");
}

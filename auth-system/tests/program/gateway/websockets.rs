//! WebSockets pass, and end with the session that began them.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{ROUTES, Site, upstream::values};

struct Socket(TcpStream);

impl Socket {
    async fn open(site: &Site, path: &str, access: &str) -> Result<Self, String> {
        let mut stream = TcpStream::connect(("127.0.0.1", site.gateway.port)).await.unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {access}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.map_err(|error| error.to_string())?);
        }
        let answer = String::from_utf8(answer).unwrap();
        if answer.starts_with("HTTP/1.1 101 ") { Ok(Self(stream)) } else { Err(answer) }
    }

    async fn echoes(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
        let mut back = vec![0; bytes.len()];
        timeout(Duration::from_secs(10), self.0.read_exact(&mut back)).await.expect("an echo").unwrap();
        assert_eq!(back, bytes);
    }
}

#[tokio::test]
async fn a_websocket_passes_for_whoever_may_and_ends_with_their_session() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let other = site.api().log_in("kim@example.com").await;
    let mut socket = Socket::open(&site, "/private/socket", &person.access).await.unwrap();
    let mut unrelated = Socket::open(&site, "/private/socket", &other.access).await.unwrap();
    assert_eq!(values(&site.upstream.last(), "x-user-id").len(), 1);
    socket.echoes(b"\x81\x05hello").await;
    // Bytes that are no HTTP, and that the rules of HTTP would refuse.
    socket.echoes(b"GET / HTTP/1.1\nTransfer-Encoding : x\n\n\0").await;
    socket.echoes(&vec![7; 300_000]).await;
    assert_eq!(site.api().logout(&person.access).await.status, 204);
    let (began, mut rest) = (Instant::now(), Vec::new());
    timeout(Duration::from_secs(20), socket.0.read_to_end(&mut rest)).await.expect("it ends within seconds").unwrap();
    println!("the WebSocket ended {:?} after the logout", began.elapsed());
    unrelated.echoes(b"still here").await;
}

#[tokio::test]
async fn a_websocket_without_a_session_is_refused_and_other_protocols_are_not_changed_to() {
    let site = Site::with(ROUTES).await;
    let refused = Socket::open(&site, "/private/socket", "nonsense").await.err().unwrap();
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    assert_eq!(site.upstream.seen().len(), 0);
    let mut wire = crate::wire::Wire::connect(site.gateway.port).await;
    wire.send(
        "GET /open/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    )
    .await;
    let answer = wire.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("no upgrade asked for"), "{answer}");
    let head = site.upstream.last().to_lowercase();
    assert!(!head.contains("h2c") && !head.contains("http2-settings"), "{head}");
}

#[tokio::test]
async fn a_browser_of_a_foreign_origin_gets_no_websocket() {
    let site = Site::with(ROUTES).await;
    let place = super::Gateway::place(&[site.api_place.port], &ROUTES.replace("UPSTREAM", &site.upstream.url()));
    let gateway = super::Gateway::start_in(place.set("CORS_ALLOWED_ORIGINS", "https://app.example.com")).await;
    for (origin, status) in [("https://evil.example", 403), ("https://app.example.com", 101), ("http://x", 101)] {
        let mut stream = TcpStream::connect(("127.0.0.1", gateway.port)).await.unwrap();
        let head = format!(
            "GET /open/socket HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"), "{origin}");
    }
}

#[tokio::test]
async fn a_service_that_declines_is_heard() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let declined = Socket::open(&site, "/private/x", &person.access).await.err().unwrap();
    assert!(declined.starts_with("HTTP/1.1 200 "), "{declined}");
}

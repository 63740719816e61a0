//! Requests that two readers could read differently: 400 at the door, and the service behind sees nothing of them.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use super::{ROUTES, Site};
use crate::{support::timed, wire::Wire};

/// Heads whose framing, lines or names are in doubt (RFC 9112 sections 2.2, 5, 6, 7 and 11.2).
const HEADS: [&str; 24] = [
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /open/sink HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /open/sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "GET /open/x HTTP/1.1\r\nHost: x\r\nX-Folded: a\r\n b\r\n\r\n",
    "GET /open/x HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n",
    "GET /open/x HTTP/1.1\nHost: x\n\n",
    "GET /open/x HTTP/1.1\r\nHost: x\r\nX-A: b\nX-B: c\r\n\r\n",
    "GET /open/x HTTP/1.1\r\nHost: x\r\nX-A: b\rX-B: c\r\n\r\n",
    "GET /open/x HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "GET /open/x HTTP/1.1\r\n\r\n",
    "GET http://evil.example/open/x HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /open/x HTTP/1.1\r\nHost: x\r\nX-Nul: a\0b\r\n\r\n",
];

/// Paths that servers are known to disagree about.
const PATHS: [&str; 22] = [
    "/open/%2e%2e/private/x",
    "/open/%2E%2E/private/x",
    "/open/../private/x",
    "/open/./x",
    "/open/.%2e/private/x",
    "/open/%2f/x",
    "/open%2Fx",
    "/open//x",
    "//open/x",
    "/open/;x",
    "/open/x;jsessionid=1",
    "/open/\\x",
    "/open/%5cx",
    "/open/%00",
    "/open/%0d%0aX-A:%20b",
    "/open/%252e%252e/private",
    "/open/%252f",
    "/open/%c0%af",
    "/open/%e0%80%af",
    "/open/%ed%a0%80",
    "/open/%zz",
    "/open/%u002e",
];

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused_at_the_door() {
    let site = Site::with(ROUTES).await;
    let of_paths = PATHS.map(|path| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
    for request in HEADS.into_iter().map(str::to_owned).chain(of_paths) {
        let mut wire = Wire::connect(site.gateway.port).await;
        // A second request behind it must not be taken for one either.
        wire.send(&format!("{request}GET /open/smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
        let answer =
            timeout(Duration::from_secs(20), wire.rest()).await.unwrap_or_else(|_| panic!("hangs: {request:?}"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?} {answer}");
        assert!(
            answer.contains("application/problem+json") && answer.contains("x-frame-options"),
            "{request:?} {answer}"
        );
        let heads = site.upstream.seen();
        let first = heads.iter().find(|head| !head.starts_with("GET /open/smuggled"));
        assert_eq!(first, None, "{request:?}");
    }
}

#[tokio::test]
async fn chunks_in_doubt_end_the_request() {
    let site = Site::with(ROUTES).await;
    for chunks in [
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "-1\r\n",
        "fffffffffffffffff\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
    ] {
        let mut wire = Wire::connect(site.gateway.port).await;
        wire.send(&format!("POST /open/sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")).await;
        let answer =
            timeout(Duration::from_secs(20), wire.rest()).await.unwrap_or_else(|_| panic!("hangs: {chunks:?}"));
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{chunks:?} {answer}");
    }
    assert_eq!(site.front().get("/open/x").await.status, 200, "the others are served all the same");
}

#[tokio::test]
async fn the_path_that_is_judged_is_the_path_that_is_sent() {
    let site = Site::with(ROUTES).await;
    for path in ["/open/%ED%95%9C%EA%B8%80", "/open/a%20b", "/open/~x.y-z_!$&'()*+,=:@", "/open/a?x=//;..%2f\\"] {
        let mut wire = Wire::connect(site.gateway.port).await;
        wire.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
        let answer = wire.rest().await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path} {answer}");
        assert_eq!(site.upstream.last().split(' ').nth(1), Some(path));
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let site = Site::with(ROUTES).await;
    let answer = site.front().with_header("x-long", &"x".repeat(17 * 1024)).get("/open/x").await;
    assert_eq!(answer.status, 431, "{answer:?}");
    assert_eq!(site.upstream.seen().len(), 0);
}

#[tokio::test]
async fn two_thousand_slow_heads_and_as_many_idle_connections_slow_nobody_down() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let mut slow = JoinSet::new();
    for number in 0..4_000 {
        let port = site.gateway.port;
        slow.spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            if number % 2 == 0 {
                stream.write_all(b"GET /open/x HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
            }
            stream
        });
    }
    let held = slow.join_all().await;
    let client = site.front().bearing(&person.access);
    for _ in 0..20 {
        let (answer, took) = timed(client.get("/private/x")).await;
        assert_eq!(answer.status, 200);
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    let resident = resident_kib(site.gateway.program.id());
    println!("resident with 4,000 slow and idle connections: {} MiB", resident / 1024);
    assert!(resident < 300 * 1024, "{resident} KiB");
    drop(held);
}

#[tokio::test]
async fn a_slow_head_is_cut_off_after_ten_seconds() {
    let site = Site::with(ROUTES).await;
    let mut wire = Wire::connect(site.gateway.port).await;
    wire.send("GET /open/x HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    let (ended, took) = timed(timeout(Duration::from_secs(20), wire.rest())).await;
    assert!(ended.is_ok() && took >= Duration::from_secs(9), "{took:?}");
    assert_eq!(site.upstream.seen().len(), 0);
}

/// HTTP/2 by prior knowledge: thousands of streams that are begun and reset at once (CVE-2023-44487).
#[tokio::test]
async fn a_rapid_reset_ends_the_connection_and_nothing_else() {
    let site = Site::with(ROUTES).await;
    let before = resident_kib(site.gateway.program.id());
    let mut stream = TcpStream::connect(("127.0.0.1", site.gateway.port)).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").await.unwrap();
    // :method GET, :scheme http, :path /open/hang, :authority x
    let mut block = vec![0x82, 0x86, 0x04, 0x0a];
    block.extend(b"/open/hang");
    block.extend([0x41, 0x01, b'x']);
    let mut flood = Vec::new();
    for stream_id in (1..20_001_u32).step_by(2) {
        flood.extend([0, 0, block.len() as u8, 1, 5]);
        flood.extend(stream_id.to_be_bytes());
        flood.extend(&block);
        flood.extend([0, 0, 4, 3, 0]);
        flood.extend(stream_id.to_be_bytes());
        flood.extend([0, 0, 0, 8]);
    }
    // It may be cut before everything is sent: that is the defence.
    drop(stream.write_all(&flood).await);
    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection goes on");
    assert_eq!(site.front().get("/open/x").await.status, 200);
    let grown = resident_kib(site.gateway.program.id()).saturating_sub(before);
    println!("grown by {grown} KiB over 10,000 resets");
    assert!(grown < 20 * 1024, "{grown} KiB");
}

/// Memory of a process, KiB.
pub fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

//! Bodies: streamed, bounded, and never left half way without an answer.

use std::time::Duration;

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use super::{ROUTES, Site, hostile::resident_kib};
use crate::{client::Answer, wire::Wire};

/// What each of the large uploads sends.
const GIBIBYTE: usize = 1 << 30;

#[tokio::test]
async fn a_body_passes_whole_with_a_length_and_in_chunks() {
    let site = Site::with(ROUTES).await;
    let body = "x".repeat(300_000);
    let sent = site.front().request(Method::POST, "/open/sink").body(body.clone());
    assert_eq!(Answer::of(sent).await.unwrap().body, 300_000);
    let pieces = futures_util::stream::iter(
        body.as_bytes().chunks(7_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>(),
    );
    let sent = site.front().request(Method::POST, "/open/sink").body(reqwest::Body::wrap_stream(pieces));
    assert_eq!(Answer::of(sent).await.unwrap().body, 300_000);
}

#[tokio::test]
async fn a_body_beyond_the_routes_limit_is_refused_by_its_length_or_as_it_comes() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let client = site.front().bearing(&person.access);
    let large = "x".repeat(1024 * 1024 + 1);
    let refused = Answer::of(client.request(Method::POST, "/private/sink").body(large.clone())).await.unwrap();
    assert_eq!((refused.status, refused.text("code").as_str()), (413, "payload_too_large"));
    assert_eq!(site.upstream.seen().len(), 0, "by its length alone");
    let mut wire = Wire::connect(site.gateway.port).await;
    let head = format!(
        "POST /private/sink HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n",
        person.access,
        large.len()
    );
    wire.send(&head).await;
    assert!(wire.rest().await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn fifty_uploads_of_a_gibibyte_are_streamed_in_flat_memory() {
    let site = Site::with(ROUTES).await;
    assert_eq!(site.front().get("/open/x").await.status, 200);
    let before = resident_kib(site.gateway.program.id());
    let (mut uploads, port) = (JoinSet::new(), site.gateway.port);
    for _ in 0..50 {
        uploads.spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let head = format!(
                "POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: {GIBIBYTE}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![b'x'; 64 * 1024];
            // A part of it: how much memory is held does not depend on how much was sent before.
            for _ in 0..64 {
                stream.write_all(&piece).await.unwrap();
            }
            stream
        });
    }
    let held = uploads.join_all().await;
    let grown = resident_kib(site.gateway.program.id()).saturating_sub(before);
    println!("grown by {grown} KiB with 50 uploads in progress");
    assert!(grown < 20 * 1024, "{grown} KiB");
    drop(held);
    assert_eq!(site.front().get("/open/x").await.status, 200);
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_still_sends() {
    let site = Site::with(ROUTES).await;
    let mut stream = TcpStream::connect(("127.0.0.1", site.gateway.port)).await.unwrap();
    let head = format!("POST /open/early HTTP/1.1\r\nHost: x\r\nContent-Length: {GIBIBYTE}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // Enough of it for the request to go on its way.
    stream.write_all(&vec![b'x'; 128 * 1024]).await.unwrap();
    let mut answer = vec![0; 1024];
    let count = timeout(Duration::from_secs(10), stream.read(&mut answer)).await.expect("an answer").unwrap();
    assert!(String::from_utf8_lossy(&answer[..count]).starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn bodies_that_do_not_come_take_no_place_at_the_service() {
    let routes = ROUTES.replace("[upstream.service]", "[upstream.service]\nmax_requests = 5\nqueue = 0");
    let site = Site::with(&routes).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut wire = Wire::connect(site.gateway.port).await;
        wire.send("POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc").await;
        slow.push(wire);
    }
    for _ in 0..20 {
        assert_eq!(site.front().get("/open/x").await.status, 200);
    }
    assert!(site.upstream.seen().iter().all(|head| head.starts_with("GET")), "nothing of them was sent on");
}

#[tokio::test]
async fn clients_that_go_away_leave_their_places() {
    let routes = ROUTES.replace("[upstream.service]", "[upstream.service]\nmax_requests = 5\nqueue = 0");
    let site = Site::with(&routes).await;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        let mut wire = Wire::connect(site.gateway.port).await;
        wire.send("GET /open/hang HTTP/1.1\r\nHost: x\r\n\r\n").await;
        waiting.push(wire);
    }
    let (front, program) = (site.front(), &site.gateway.program);
    program.until("every place is taken", async || site.upstream.seen().len() == 5).await;
    assert_eq!(front.get("/open/x").await.status, 503);
    drop(waiting);
    program.until("every place is free", async || front.get("/open/x").await.status == 200).await;
}

#[tokio::test]
async fn a_body_in_chunks_reaches_the_service_whatever_the_method() {
    let site = Site::with(ROUTES).await;
    let mut wire = Wire::connect(site.gateway.port).await;
    wire.send("GET /open/sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n").await;
    let answer = wire.rest().await;
    assert!(answer.ends_with("\r\n\r\n3"), "{answer} {:?}", site.upstream.seen());
}

#[tokio::test]
async fn expect_continue_is_answered_by_the_gateway() {
    let site = Site::with(ROUTES).await;
    let mut wire = Wire::connect(site.gateway.port).await;
    wire.send("POST /open/sink HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nhello").await;
    let answer = wire.rest().await;
    assert!(answer.starts_with("HTTP/1.1 100 ") && answer.contains("HTTP/1.1 200 "), "{answer}");
    assert!(!site.upstream.last().to_lowercase().contains("expect"));
}

#[tokio::test]
async fn server_sent_events_end_with_their_session() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    let events = site.front().bearing(&person.access).request(Method::GET, "/private/events");
    let mut response = events.send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    assert_eq!(site.api().logout(&person.access).await.status, 204);
    let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
    timeout(Duration::from_secs(5), rest).await.expect("it ends soon after the session");
}

#[tokio::test]
async fn server_sent_events_pass_as_they_come() {
    let site = Site::with(ROUTES).await;
    let mut response = site.front().request(Method::GET, "/open/events").send().await.unwrap();
    let mut read = String::new();
    while !read.contains("data: 2") {
        let chunk = timeout(Duration::from_secs(10), response.chunk()).await.expect("an event").unwrap().unwrap();
        read += &String::from_utf8_lossy(&chunk);
    }
}

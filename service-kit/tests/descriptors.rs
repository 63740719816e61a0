//! A process without free descriptors: a test binary of its own, because the limit is the whole process's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::process::Command;

use axum::Router;
use axum::routing::get;
use service_kit::serve::{ServeLimits, serve};
use service_kit::shutdown::Shutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Sets this process's own limit, with the tool that needs no unsafe call.
fn allow_descriptors(count: u32) {
    let limit = format!("--nofile={count}:");
    let done = Command::new("prlimit").args(["--pid", &std::process::id().to_string(), &limit]).status();
    assert!(done.unwrap().success());
}

#[tokio::test]
async fn the_listener_survives_a_lack_of_descriptors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let app = Router::new().route("/", get(async || "fine"));
    let done = tokio::spawn(serve(listener, app, ServeLimits::default(), shutdown));

    allow_descriptors(64);
    let mut client = TcpStream::connect(address).await.unwrap();
    // The client's end is there and the server's queued; now nothing is left for the server's.
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    client.write_all(b"GET / HTTP/1.1\r\nHost: a.com\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let refused = tokio::time::timeout(std::time::Duration::from_millis(300), client.read_to_string(&mut answer)).await;
    assert!(refused.is_err(), "served without a descriptor: {answer}");
    assert!(!done.is_finished());

    hoard.clear();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    trigger.request();
    done.await.unwrap().unwrap();
}

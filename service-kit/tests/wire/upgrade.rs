//! Upgraded connections: their bytes are nobody's business, and their end is their owner's.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use service_kit::serve::{ServeLimits, serve};
use service_kit::shutdown::Shutdown;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::Server;
use crate::client::{Wire, ask};

const SHORT: Duration = Duration::from_millis(300);
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a.com\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

/// A bare service, with no router and a body of its own: answers 101 and echoes, or 200 to a request for no upgrade.
async fn echo(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if !request.headers().contains_key(header::UPGRADE) {
        return Ok(Response::new(Full::from("fine")));
    }
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let (mut reading, mut writing) = tokio::io::split(TokioIo::new(upgraded.await.unwrap()));
        tokio::io::copy(&mut reading, &mut writing).await.unwrap();
        writing.shutdown().await.unwrap();
    });
    let switching = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    Ok(switching.header(header::CONNECTION, "upgrade").header(header::UPGRADE, "echo").body(Full::default()).unwrap())
}

async fn start_echo(limits: ServeLimits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let done = tokio::spawn(serve(listener, tower::service_fn(echo), limits, shutdown));
    Server { address, trigger, done }
}

#[tokio::test]
async fn any_service_is_served_without_a_router() {
    let server = start_echo(ServeLimits::default()).await;
    let answer = ask(server.address, "GET / HTTP/1.1\r\nHost: a.com").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "fine"));
}

#[tokio::test]
async fn bytes_after_an_upgrade_are_no_longer_http() {
    let server = start_echo(ServeLimits::default()).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(UPGRADE).await;
    assert_eq!(wire.answer().await.status, 101);
    let opaque = "GET / HTTP/1.1\nContent-Length: 1\nContent-Length: 2\n\n\0";
    wire.send(opaque).await;
    assert_eq!(wire.exactly(opaque.len()).await, opaque);
    wire.finish().await;
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn a_silent_upgraded_connection_outlives_every_limit_of_http() {
    let limits = ServeLimits { header_time: SHORT, idle_time: SHORT, ..ServeLimits::default() };
    let server = start_echo(limits).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(UPGRADE).await;
    assert_eq!(wire.answer().await.status, 101);
    // Two connections that are cut one after the other show that the limit has passed, and passed again.
    for _ in 0..2 {
        assert_eq!(Wire::connect(server.address).await.rest().await, "");
    }
    wire.send("still here").await;
    assert_eq!(wire.exactly(10).await, "still here");
}

#[tokio::test]
async fn an_upgraded_connection_keeps_its_slot_and_is_waited_for() {
    let server = start_echo(ServeLimits { connections: 1, ..ServeLimits::default() }).await;
    let mut wire = Wire::connect(server.address).await;
    wire.send(UPGRADE).await;
    assert_eq!(wire.answer().await.status, 101);
    let mut second = Wire::connect(server.address).await;
    second.send("GET / HTTP/1.1\r\nHost: a.com\r\n\r\n").await;
    assert!(tokio::time::timeout(SHORT, second.answer()).await.is_err(), "served above the cap");
    server.trigger.request();
    let mut done = server.done;
    assert!(tokio::time::timeout(SHORT, &mut done).await.is_err(), "stopped under an open connection");
    wire.finish().await;
    done.await.unwrap().unwrap();
}

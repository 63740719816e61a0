use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Method, Request, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::oneshot;

use super::peer::{OK, Peer};
use super::{ask, idle, open, request, text};
use crate::body::{BodyError, Outgoing};

const CHUNK: usize = 64 * 1024;

fn upload(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Request<Outgoing> {
    let body = StreamBody::new(chunks.map(|chunk| Ok::<_, BodyError>(Frame::data(chunk))));
    request(Method::PUT, "/").map(|_| Outgoing::Stream(Box::pin(body)))
}

fn chunk() -> Bytes {
    Bytes::from(vec![b'x'; CHUNK])
}

fn with_length(mut request: Request<Outgoing>, length: usize) -> Request<Outgoing> {
    request.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    request
}

#[tokio::test]
async fn upload_arrives_whole_and_its_connection_is_used_again() {
    let peer = Peer::start(|mut connection, _| async move {
        while let Some((_, body)) = connection.read_request().await {
            let text = body.len().to_string();
            connection.write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len())).await;
        }
    })
    .await;
    let upstream = open(&[peer.address]);
    for _ in 0..2 {
        let request = with_length(upload(stream::repeat_with(chunk).take(100)), 100 * CHUNK);
        assert_eq!(ask(&upstream, request).await, (100 * CHUNK).to_string());
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn answer_before_the_end_of_an_upload_comes_and_its_connection_is_not_used_again() {
    let peer = Peer::start(|mut connection, _| async move {
        connection.read_head().await.unwrap();
        connection.write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno").await;
        connection.wait_for_end().await;
    })
    .await;
    let upstream = open(&[peer.address]);
    let answer = upstream.send(upload(stream::pending()), 0).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(text(answer).await.unwrap(), "no");
    assert_eq!(idle(&upstream), 0);
}

#[tokio::test]
async fn upload_goes_on_while_nobody_reads_the_answer() {
    let (received, all_received) = oneshot::channel();
    let received = std::sync::Mutex::new(Some(received));
    let peer = Peer::start(move |mut connection, _| {
        let received = received.lock().unwrap().take().unwrap();
        async move {
            connection.read_head().await.unwrap();
            connection.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n").await;
            connection.read_body(100 * CHUNK).await.unwrap();
            received.send(()).unwrap();
            connection.write("ok").await;
        }
    })
    .await;
    let (go_on, may_go_on) = oneshot::channel();
    let rest = stream::once(may_go_on).flat_map(|_| stream::repeat_with(chunk).take(99));
    let request = with_length(upload(stream::once(async { chunk() }).chain(rest)), 100 * CHUNK);
    let answer = open(&[peer.address]).send(request, 0).await.unwrap();
    go_on.send(()).unwrap();
    all_received.await.unwrap();
    assert_eq!(text(answer).await.unwrap(), "ok");
}

#[tokio::test]
async fn answer_that_is_read_slowly_holds_up_the_server() {
    let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&sent);
    let peer = Peer::start(move |mut connection, _| {
        let sent = std::sync::Arc::clone(&count);
        async move {
            connection.read_head().await.unwrap();
            connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
            let chunk = "x".repeat(CHUNK);
            loop {
                connection.write(&chunk).await;
                sent.fetch_add(CHUNK, std::sync::atomic::Ordering::SeqCst);
            }
        }
    })
    .await;
    let upstream = open(&[peer.address]);
    let other = Peer::answering(OK).await;
    let _unread = upstream.send(super::get("/"), 0).await.unwrap();
    for _ in 0..1000 {
        ask(&open(&[other.address]), super::get("/")).await;
    }
    assert!(sent.load(std::sync::atomic::Ordering::SeqCst) < 64 << 20);
}

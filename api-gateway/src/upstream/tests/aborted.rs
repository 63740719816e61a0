//! Uploads that end badly, which clients can bring about at will.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::peer::{OK, Peer};
use super::{config, get, request};
use crate::body::{BodyError, Outgoing};
use crate::upstream::{Failure, Patience, Upstream, UpstreamConfig};

/// A body whose beginning comes, and then this.
fn upload(rest: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> Request<Outgoing> {
    let frames = stream::once(async { Ok(Bytes::from_static(b"begin")) }).chain(rest).map(|part| part.map(Frame::data));
    request(Method::PUT, "/").map(|_| Outgoing::Stream(Box::pin(StreamBody::new(frames))))
}

fn aborted() -> Request<Outgoing> {
    upload(stream::once(async { Err("gone".into()) }))
}

/// Over HTTP/2 without TLS; ejected at the first failure.
async fn over_http2<S, F>(serve: S) -> Arc<Upstream>
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<Empty<Bytes>>, BodyError>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(http2.serve_connection(TokioIo::new(stream), service_fn(serve.clone())));
        }
    });
    Upstream::open(UpstreamConfig { http2: true, eject_after: 1, ..config(&[address]) }, None).unwrap()
}

#[tokio::test]
async fn uploads_over_http2_that_fail_leave_the_server_usable() {
    let upstream = over_http2(|request| async {
        request.into_body().collect().await?;
        Ok(Response::new(Empty::new()))
    })
    .await;
    for _ in 0..6 {
        assert!(matches!(upstream.send(aborted(), 0).await, Err(Failure::Broken(..))));
    }
    assert!(!upstream.status()[0].ejected);
    upstream.send(get("/"), 0).await.unwrap();
}

#[tokio::test]
async fn upload_over_http2_that_is_shorter_than_it_said_leaves_the_server_usable() {
    let upstream = over_http2(|request| async {
        request.into_body().collect().await?;
        Ok(Response::new(Empty::new()))
    })
    .await;
    let mut short = upload(stream::empty());
    short.headers_mut().insert(http::header::CONTENT_LENGTH, 100.into());
    assert!(matches!(upstream.send(short, 0).await, Err(Failure::Broken(..))));
    assert!(!upstream.status()[0].ejected);
}

#[tokio::test]
async fn server_over_http2_that_resets_an_unfinished_upload_is_not_ejected() {
    let upstream = over_http2(|_| async { Err::<Response<Empty<Bytes>>, BodyError>("no".into()) }).await;
    assert!(matches!(upstream.send(upload(stream::pending()), 0).await, Err(Failure::Broken(..))));
    assert!(!upstream.status()[0].ejected);
    assert!(matches!(upstream.send(upload(stream::empty()), 0).await, Err(Failure::Broken(..))));
    assert!(upstream.status()[0].ejected);
}

#[tokio::test]
async fn server_that_resets_an_unfinished_upload_is_not_ejected() {
    let peer = Peer::start(|mut connection, _| async move {
        connection.read_head().await.unwrap();
        connection.reset();
    })
    .await;
    let config = UpstreamConfig { eject_after: 1, ..config(&[peer.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    let endless = stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 64 * 1024])));
    assert!(matches!(upstream.send(upload(endless), 0).await, Err(Failure::Broken(..))));
    assert!(matches!(upstream.send(upload(stream::pending()), 0).await, Err(Failure::Broken(..))));
    assert!(!upstream.status()[0].ejected);
    assert!(matches!(upstream.send(upload(stream::empty()), 0).await, Err(Failure::Broken(..))));
    assert!(upstream.status()[0].ejected);
}

/// Gives up an upload, whose server never answers, when the server has seen its beginning. Whether it is ejected.
async fn give_up(rest: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> bool {
    let seen = Arc::new(Notify::new());
    let tell = Arc::clone(&seen);
    let hanging = Peer::start(move |mut connection, _| {
        let tell = Arc::clone(&tell);
        async move {
            connection.read_head().await.unwrap();
            connection.read_body(b"5\r\nbegin\r\n".len()).await.unwrap();
            tell.notify_one();
            connection.wait_for_end().await;
        }
    })
    .await;
    let other = Peer::answering(OK).await;
    let config = UpstreamConfig { eject_after: 1, ..config(&[hanging.address, other.address]) };
    let upstream = Upstream::open(config, None).unwrap();
    tokio::select! {
        _ = upstream.send_with(Patience(Duration::ZERO), upload(rest), 0) => panic!("there is no answer"),
        () = seen.notified() => {}
    };
    upstream.status()[0].ejected
}

#[tokio::test]
async fn patience_begins_at_the_end_of_the_upload() {
    assert!(!give_up(stream::pending()).await);
    assert!(give_up(stream::empty()).await);
}

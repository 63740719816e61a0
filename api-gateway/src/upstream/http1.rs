//! HTTP/1.1 connections, driven by whoever uses them, and the pool of idle ones.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::runtime::{self, Handle};
use tokio::time::Instant;

use crate::body::Outgoing;
use crate::upstream::bell::Bell;
use crate::upstream::connect::Stream;
use crate::upstream::upload::{Progress, Sending, Upload};

/// Of the head of an answer.
const MAX_HEAD: usize = 32 * 1024;
/// What is read ahead of an answer's body. Larger ones make large answers no faster.
const MAX_BUFFER: usize = 128 * 1024;
/// More than most machines have processors; a few runtimes on one shelf do no harm.
const SHELVES: usize = 16;
/// How often a connection that rings while it is polled is polled again at once.
const ROUNDS: usize = 4;

/// A connection that its user polls.
pub(super) struct Http1 {
    sender: SendRequest<Upload>,
    /// Until it is closed.
    connection: Option<Connection<TokioIo<Stream>, Upload>>,
    bell: Arc<Bell>,
    waker: Waker,
    heard: Arc<AtomicBool>,
    /// What watches the socket.
    runtime: runtime::Id,
}

/// Why there is no head.
pub(super) enum Loss {
    /// Nothing of the request was written, and here it is again.
    Unsent(Box<Request<Outgoing>>, String),
    /// The request, or a part of it, was written, but no byte came back.
    Silent(String),
    /// It broke, or what came is no HTTP.
    Broken(String),
    /// It broke while the client was still sending: a server may answer and close before it has read all.
    Unfinished(String),
    /// The body of the request failed, which is no fault of the server.
    Body(String),
}

impl Http1 {
    /// # Errors
    /// A sentence; there is none in practice, for nothing is sent.
    pub async fn begin(stream: Stream) -> Result<Box<Self>, String> {
        let heard = stream.heard();
        let (sender, connection) = builder().handshake(TokioIo::new(stream)).await.map_err(|e| explain(&e))?;
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        Ok(Box::new(Self { sender, connection: Some(connection), bell, waker, heard, runtime: Handle::current().id() }))
    }

    /// Sends a request and returns with the answer's head; when dropped before, the connection closes.
    pub async fn exchange(
        &mut self,
        request: Request<Outgoing>,
        sending: &Sending,
    ) -> Result<Response<Incoming>, Loss> {
        self.heard.store(false, Ordering::Relaxed);
        self.bell.set_uploading(matches!(request.body(), Outgoing::Stream(_)));
        let request = Upload::inline(request, sending.clone(), &self.bell);
        let mut response = pin!(self.sender.try_send_request(request));
        let answer = poll_fn(|cx| self.poll_with(cx, |cx| response.as_mut().poll(cx))).await;
        answer.map_err(|error| loss(error, self.heard.load(Ordering::Relaxed), sending))
    }

    /// Polls for the next frame of an answer's body.
    pub fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        self.poll_with(cx, |cx| Pin::new(&mut *body).poll_frame(cx))
    }

    /// Whether the request's body is still on its way.
    pub fn is_uploading(&self) -> bool {
        self.bell.is_uploading()
    }

    /// The connection for a task of its own, which takes what the answer's reader has no time for.
    pub fn into_connection(self) -> Option<Connection<TokioIo<Stream>, Upload>> {
        self.connection
    }

    /// Whether another request can be sent, as far as is known. Notices that the server closed.
    fn is_usable(&mut self) -> bool {
        // Nobody attends: the bell rings for no task, but polling tells what happened meanwhile.
        drive(&mut self.connection, &mut Context::from_waker(&self.waker));
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Polls what the connection works for, the connection, and the former again.
    fn poll_with<T>(&mut self, cx: &Context<'_>, mut step: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.bell.attend(cx.waker());
        let mut inner = Context::from_waker(&self.waker);
        let mut outcome = step(&mut inner);
        for _ in 0..ROUNDS {
            if outcome.is_ready() {
                break;
            }
            self.bell.hush();
            drive(&mut self.connection, &mut inner);
            outcome = step(&mut inner);
            if !self.bell.rang() {
                break;
            }
        }
        if self.bell.leave() && outcome.is_pending() {
            cx.waker().wake_by_ref();
        }
        outcome
    }
}

/// One poll. A connection that has ended is dropped, which tells whoever still waits for something from it.
fn drive(connection: &mut Option<Connection<TokioIo<Stream>, Upload>>, cx: &mut Context<'_>) {
    if let Some(Poll::Ready(ended)) = connection.as_mut().map(|connection| Pin::new(connection).poll(cx)) {
        if let Err(error) = ended {
            tracing::debug!(error = explain(&error), "a connection to an upstream ended");
        }
        *connection = None;
    }
}

/// Idle connections to one address, the last used on top. Each is used again only by the runtime that watches its socket:
/// for any other, a second thread would have to be woken for what comes in. So every runtime has a shelf of its own, and
/// no thread waits for another's.
pub(super) struct Pool {
    shelves: [Shelf; SHELVES],
    most: usize,
    idle_timeout: Duration,
}

/// What the runtimes with one remainder keep; aligned so that no two shelves share a line of the processors' caches.
#[derive(Default)]
#[repr(align(128))]
struct Shelf(Mutex<Vec<Idle>>);

struct Idle {
    connection: Box<Http1>,
    since: Instant,
}

impl Pool {
    pub fn new(most: usize, idle_timeout: Duration) -> Self {
        Self { shelves: Default::default(), most, idle_timeout }
    }

    /// A connection that did not idle too long. If the server closed it meanwhile, the first poll of the exchange notices
    /// before anything is written, for hyper reads first, and gives the request back.
    pub fn take(&self, now: Instant) -> Option<Box<Http1>> {
        let here = Handle::current().id();
        let mut shelf = self.shelf(here).lock();
        let last = shelf.iter().rposition(|idle| idle.connection.runtime == here)?;
        let idle = shelf.remove(last);
        drop(shelf);
        // If this one idled too long, so did the others, which the sweep will find.
        self.is_fresh(&idle, now).then_some(idle.connection)
    }

    /// Keeps a connection whose answer has ended, if it can be used again.
    pub fn put(&self, mut connection: Box<Http1>) {
        if connection.is_uploading() || !(connection.sender.is_ready() || connection.is_usable()) {
            return;
        }
        connection.bell.forget_task();
        let since = Instant::now();
        let mut shelf = self.shelf(connection.runtime).lock();
        if shelf.len() < self.most {
            shelf.push(Idle { connection, since });
        }
    }

    /// Closes those that idled for too long, or that the server closed.
    pub fn sweep(&self) {
        let now = Instant::now();
        for shelf in &self.shelves {
            let mut kept = std::mem::take(&mut *shelf.lock());
            kept.retain_mut(|idle| self.is_fresh(idle, now) && idle.connection.is_usable());
            let mut shelf = shelf.lock();
            let newer = std::mem::replace(&mut *shelf, kept);
            shelf.extend(newer);
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.lock().len()).sum()
    }

    fn shelf(&self, runtime: runtime::Id) -> &Shelf {
        let number = BuildHasherDefault::<DefaultHasher>::default().hash_one(runtime);
        &self.shelves[number as usize % SHELVES]
    }

    fn is_fresh(&self, idle: &Idle, now: Instant) -> bool {
        now.saturating_duration_since(idle.since) < self.idle_timeout
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What all connections are made with.
pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.max_buf_size(MAX_BUFFER).max_header_size(MAX_HEAD);
    builder
}

/// What an error of hyper's means for the request. Over HTTP/2 only the body itself tells that it was what failed.
pub(super) fn loss(mut error: TrySendError<Request<Upload>>, heard: bool, sending: &Sending) -> Loss {
    let text = explain(error.error());
    if let Some(request) = error.take_message() {
        return Loss::Unsent(Box::new(request.map(Upload::give_back)), text);
    }
    let error = error.into_error();
    match sending.progress() {
        Progress::Failed => Loss::Body(text),
        Progress::Underway | Progress::Sent if error.is_user() => Loss::Body(text),
        Progress::Underway => Loss::Unfinished(text),
        Progress::Sent if heard || error.is_parse() => Loss::Broken(text),
        Progress::Sent => Loss::Silent(text),
    }
}

/// An error with its causes, for logs.
pub(super) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

//! The pace of a connection: how long a head may take, how long nothing may happen, and what a request suspends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// Shared by the socket, which sees bytes, and the service, which sees requests.
#[derive(Clone)]
pub(super) struct Pace(Arc<State>);

struct State {
    opened: Instant,
    header_time: Duration,
    idle_time: Duration,
    in_progress: AtomicUsize,
    /// Milliseconds after `opened` at which the last request ended.
    quiet_since: AtomicU64,
    /// Milliseconds after `opened` at which the head now being read began; `NO_HEAD` when none is.
    head_since: AtomicU64,
}

const NO_HEAD: u64 = u64::MAX;

impl Pace {
    pub(super) fn new(header_time: Duration, idle_time: Duration) -> Self {
        Self(Arc::new(State {
            opened: Instant::now(),
            header_time,
            idle_time,
            in_progress: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
            // The first head is due from the start: a connection is opened to ask something.
            head_since: AtomicU64::new(0),
        }))
    }

    /// A request's head is complete; the clock stands until its answer's last byte.
    pub(super) fn begin(&self) -> InProgress {
        self.0.in_progress.fetch_add(1, Ordering::Relaxed);
        self.0.head_since.store(NO_HEAD, Ordering::Relaxed);
        InProgress(self.clone())
    }

    fn is_quiet(&self) -> bool {
        self.0.in_progress.load(Ordering::Relaxed) == 0
    }

    fn bytes_arrived(&self) {
        if self.is_quiet() && self.0.head_since.load(Ordering::Relaxed) == NO_HEAD {
            self.0.head_since.store(self.elapsed(), Ordering::Relaxed);
        }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(NO_HEAD - 1)
    }

    /// When a connection on which nothing arrives is to be closed, or at least looked at again.
    fn deadline(&self, multiplexed: bool) -> Instant {
        let State {
            opened,
            header_time,
            idle_time,
            ..
        } = &*self.0;
        if !self.is_quiet() {
            return Instant::now() + *idle_time;
        }
        let head = self.0.head_since.load(Ordering::Relaxed);
        // Between requests HTTP/2 exchanges frames that begin no head, so only the first one is timed there.
        if head == 0 || (head != NO_HEAD && !multiplexed) {
            return *opened + Duration::from_millis(head) + *header_time;
        }
        *opened + Duration::from_millis(self.0.quiet_since.load(Ordering::Relaxed)) + *idle_time
    }
}

/// Held by a request until its answer is sent, failed or abandoned.
pub(super) struct InProgress(Pace);

impl Drop for InProgress {
    fn drop(&mut self) {
        let Pace(state) = &self.0;
        state.quiet_since.store(self.0.elapsed(), Ordering::Relaxed);
        state.in_progress.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer's body that keeps its request in progress: a stream may be silent for as long as it likes.
pub(super) struct Paced {
    body: Body,
    _in_progress: InProgress,
}

impl Paced {
    pub(super) fn new(body: Body, in_progress: InProgress) -> Self {
        Self {
            body,
            _in_progress: in_progress,
        }
    }
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The socket, which gives up when the pace says so.
pub(super) struct PacedIo {
    stream: TcpStream,
    pace: Pace,
    /// Set lazily and never moved forward by traffic: a busy connection touches no timer.
    wake: Option<Pin<Box<Sleep>>>,
    multiplexed: bool,
    opening: bool,
}

impl PacedIo {
    pub(super) fn new(stream: TcpStream, pace: Pace) -> Self {
        Self {
            stream,
            pace,
            wake: None,
            multiplexed: false,
            opening: true,
        }
    }

    fn note_bytes(&mut self, bytes: &[u8]) {
        if std::mem::take(&mut self.opening) {
            // The HTTP/2 preface; no HTTP/1 method that we serve begins like it.
            self.multiplexed = bytes.starts_with(b"PRI");
        }
        self.pace.bytes_arrived();
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.pace.deadline(self.multiplexed);
            let wake = self
                .wake
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if wake.deadline() > deadline {
                wake.as_mut().reset(deadline);
            }
            if wake.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            wake.as_mut().reset(deadline);
        }
    }
}

impl AsyncRead for PacedIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            if buffer.filled().len() > before {
                self.note_bytes(&buffer.filled()[before..]);
            }
            return Poll::Ready(outcome);
        }
        self.poll_overdue(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for PacedIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

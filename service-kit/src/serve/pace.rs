//! The pace of a connection: how long a head may take, how long nothing may happen, and what a request suspends.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;

/// Shared by the socket, which sees bytes, and the service, which sees requests.
#[derive(Clone)]
pub(super) struct Pace(Arc<State>);

struct State {
    opened: Instant,
    header_time: Duration,
    idle_time: Duration,
    in_progress: AtomicUsize,
    begun: AtomicU64,
    /// Milliseconds after `opened` at which the last request ended.
    quiet_since: AtomicU64,
    /// Milliseconds after `opened` at which the head now being read began; `NO_HEAD` when none is.
    head_since: AtomicU64,
    switched: AtomicBool,
    /// Which request is the last, as nothing more is read.
    last: AtomicU64,
}

const NO_HEAD: u64 = u64::MAX;

impl Pace {
    pub(super) fn new(header_time: Duration, idle_time: Duration) -> Self {
        Self(Arc::new(State {
            opened: Instant::now(),
            header_time,
            idle_time,
            in_progress: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            quiet_since: AtomicU64::new(0),
            // The first head is due from the start: a connection is opened to ask something.
            head_since: AtomicU64::new(0),
            switched: AtomicBool::new(false),
            last: AtomicU64::new(u64::MAX),
        }))
    }

    /// A request is answered with 101: from here on the connection is no longer HTTP, and another's to time.
    pub(super) fn switch(&self) {
        self.0.switched.store(true, Ordering::Relaxed);
    }

    /// Nothing is read after the request of this number, so its answer is to say that it is the last.
    pub(super) fn end_with(&self, number: u64) {
        self.0.last.store(number, Ordering::Relaxed);
    }

    pub(super) fn is_switched(&self) -> bool {
        self.0.switched.load(Ordering::Relaxed)
    }

    /// A request's head is complete; the clock stands until its answer's last byte.
    pub(super) fn begin(&self) -> InProgress {
        self.0.in_progress.fetch_add(1, Ordering::Relaxed);
        let number = self.0.begun.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.head_since.store(NO_HEAD, Ordering::Relaxed);
        InProgress { pace: self.clone(), number }
    }

    /// A head begins, unless these bytes belong to a request in progress.
    pub(super) fn bytes_arrived(&self) {
        if self.is_quiet() && self.0.head_since.load(Ordering::Relaxed) == NO_HEAD {
            self.0.head_since.store(self.elapsed(), Ordering::Relaxed);
        }
    }

    /// How many requests there were.
    pub(super) fn begun(&self) -> u64 {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// When a connection on which nothing arrives is to be closed, or at least looked at again.
    pub(super) fn deadline(&self, multiplexed: bool) -> Instant {
        let State { opened, header_time, idle_time, .. } = &*self.0;
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

    /// Whether no request is in progress.
    pub(super) fn is_quiet(&self) -> bool {
        self.0.in_progress.load(Ordering::Relaxed) == 0
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(NO_HEAD - 1)
    }
}

/// Held by a request until its answer is sent, failed or abandoned.
pub(super) struct InProgress {
    pace: Pace,
    /// Of the connection's requests the first is 1.
    number: u64,
}

impl InProgress {
    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    pub(super) fn is_last(&self) -> bool {
        self.number >= self.pace.0.last.load(Ordering::Relaxed)
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let Pace(state) = &self.pace;
        state.quiet_since.store(self.pace.elapsed(), Ordering::Relaxed);
        state.in_progress.fetch_sub(1, Ordering::Relaxed);
    }
}

pin_project! {
    /// An answer's body that keeps its request in progress: a stream may be silent for as long as it likes.
    pub(super) struct Paced<B> {
        #[pin]
        body: B,
        in_progress: InProgress,
    }
}

impl<B> Paced<B> {
    pub(super) fn new(body: B, in_progress: InProgress) -> Self {
        Self { body, in_progress }
    }
}

impl<B: Body> Body for Paced<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

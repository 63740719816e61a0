//! A client's body on its way to an upstream: streamed, never gathered; held to a size and a pace.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::body::BodyError;

/// In each of these periods a body ends or brings this much: a client that trickles would hold a connection for ever.
const PERIOD: Duration = Duration::from_secs(30);
const LEAST_IN_PERIOD: u64 = 256 * 1024;

/// Why a body did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// More bytes than the route allows.
    TooLarge,
    /// Slower than the least pace.
    TooSlow,
    /// The client went away, or broke the rules of its encoding.
    BrokenOff,
}

/// How far a body has come; shared by the body itself and by whoever waits for the answer to it.
#[derive(Debug)]
pub struct Progress {
    last: Mutex<Instant>,
    waits_for_client: AtomicBool,
    ended: AtomicBool,
    fault: OnceLock<Fault>,
}

/// The body of a client's request.
pub struct Upload<B> {
    body: B,
    left: u64,
    in_period: u64,
    period: Option<Pin<Box<Sleep>>>,
    progress: Arc<Progress>,
}

impl<B> Upload<B> {
    /// A body of at most `limit` bytes; any number without one.
    pub fn new(body: B, limit: Option<u64>) -> (Self, Arc<Progress>) {
        let progress = Arc::new(Progress {
            last: Mutex::new(Instant::now()),
            waits_for_client: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            fault: OnceLock::new(),
        });
        let left = limit.unwrap_or(u64::MAX);
        (Self { body, left, in_period: 0, period: None, progress: Arc::clone(&progress) }, progress)
    }

    fn fail(&self, fault: Fault) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        // The first fault is the cause of those that follow.
        let _ = self.progress.fault.set(fault);
        Poll::Ready(Some(Err(format!("the body of the request: {fault:?}").into())))
    }

    fn take(&mut self, data: Bytes) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let length = data.len() as u64;
        if length > self.left {
            return self.fail(Fault::TooLarge);
        }
        self.left -= length;
        self.in_period = self.in_period.saturating_add(length);
        self.progress.moved();
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn poll_pace(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let period = self.period.get_or_insert_with(|| Box::pin(tokio::time::sleep(PERIOD)));
            std::task::ready!(period.as_mut().poll(cx));
            if self.in_period < LEAST_IN_PERIOD {
                return Poll::Ready(());
            }
            self.in_period = 0;
            period.as_mut().reset(Instant::now() + PERIOD);
        }
    }
}

impl Progress {
    /// Why it did not arrive, if it did not.
    pub fn fault(&self) -> Option<Fault> {
        self.fault.get().copied()
    }

    /// Since when nothing has moved that is not for the client to move; nothing while the client is waited for, which
    /// has limits of its own.
    pub fn idle_since(&self) -> Option<Instant> {
        let waits = self.waits_for_client.load(Ordering::Acquire) && !self.ended.load(Ordering::Acquire);
        (!waits).then(|| *self.last.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn moved(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.waits_for_client.store(false, Ordering::Release);
    }

    fn end(&self) {
        if !self.ended.swap(true, Ordering::AcqRel) {
            self.moved();
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Upload<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    let taken = this.take(data);
                    if this.body.is_end_stream() {
                        this.progress.end();
                    }
                    taken
                }
                // Trailers could name what was taken out of the head; no upstream of ours needs a client's.
                Err(_) => {
                    this.progress.end();
                    Poll::Ready(None)
                }
            },
            Poll::Ready(Some(Err(_))) => this.fail(Fault::BrokenOff),
            Poll::Ready(None) => {
                this.progress.end();
                Poll::Ready(None)
            }
            Poll::Pending => {
                this.progress.waits_for_client.store(true, Ordering::Release);
                match this.poll_pace(cx) {
                    Poll::Ready(()) => this.fail(Fault::TooSlow),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};

    type Frames = Vec<Result<Frame<Bytes>, Infallible>>;

    fn frames(frames: Frames) -> impl Body<Data = Bytes> + Unpin {
        StreamBody::new(stream::iter(frames))
    }

    fn data(length: usize) -> Result<Frame<Bytes>, Infallible> {
        Ok(Frame::data(vec![b'x'; length].into()))
    }

    #[tokio::test]
    async fn a_body_within_its_limit_passes_whole_and_one_beyond_it_ends_in_a_fault() {
        let (body, progress) = Upload::new(frames(vec![data(3), data(2)]), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 5);
        assert!(progress.ended.load(Ordering::Acquire) && progress.fault().is_none());
        let (body, progress) = Upload::new(frames(vec![data(3), data(3)]), Some(5));
        body.collect().await.unwrap_err();
        assert_eq!(progress.fault(), Some(Fault::TooLarge));
    }

    #[tokio::test]
    async fn trailers_of_a_client_end_the_body_and_go_nowhere() {
        let trailers =
            http::HeaderMap::from_iter([(http::HeaderName::from_static("x-user-id"), "eve".parse().unwrap())]);
        let (body, progress) = Upload::new(frames(vec![data(3), Ok(Frame::trailers(trailers))]), None);
        assert!(body.collect().await.unwrap().trailers().is_none());
        assert!(progress.ended.load(Ordering::Acquire));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up_and_one_that_keeps_pace_is_not() {
        let at_pace = |bytes: usize| {
            stream::unfold(0, move |count| async move {
                tokio::time::sleep(PERIOD / 2).await;
                (count < 8).then(|| (data(bytes), count + 1))
            })
        };
        let (body, progress) = Upload::new(StreamBody::new(Box::pin(at_pace(LEAST_IN_PERIOD as usize))), None);
        body.collect().await.unwrap();
        assert!(progress.ended.load(Ordering::Acquire));
        let (body, progress) = Upload::new(StreamBody::new(Box::pin(at_pace(10))), None);
        body.collect().await.unwrap_err();
        assert_eq!(progress.fault(), Some(Fault::TooSlow));
    }

    #[tokio::test(start_paused = true)]
    async fn whose_turn_it_is_shows_in_the_progress() {
        let silent = stream::pending::<Result<Frame<Bytes>, Infallible>>();
        let (mut body, progress) = Upload::new(StreamBody::new(Box::pin(silent)), None);
        assert!(progress.idle_since().is_some(), "the upstream has not asked for anything yet");
        let frame = tokio::time::timeout(Duration::from_secs(1), body.frame()).await;
        assert!(frame.is_err() && progress.idle_since().is_none(), "now the client is waited for");
    }
}

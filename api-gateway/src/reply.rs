//! What goes back to the client: nothing, bytes of ours, or an upstream's answer as it comes.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::body::BodyError;
use crate::concurrency::Held;
use crate::upstream::Answer;
use crate::welcome::Welcome;

/// How often the caller of an answer without an end is looked up again, as pieces of it pass.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The body of an answer to a client.
#[derive(Default)]
pub enum Reply {
    /// No body.
    #[default]
    Empty,
    /// A body of ours.
    Bytes(Bytes),
    /// An upstream's, with its trailers.
    Upstream(Box<Passed>),
}

/// An upstream's answer on its way.
pub struct Passed {
    answer: Answer,
    watch: Option<Watch>,
    _held: Option<Held>,
}

/// Looks the caller up again.
struct Watch {
    welcome: Welcome,
    looked: Instant,
}

impl Passed {
    /// With what it holds, and whose it is if it may go on for hours, as server-sent events do.
    pub(crate) fn new(answer: Answer, welcome: Option<Welcome>, held: Option<Held>) -> Box<Self> {
        let watch = welcome.map(|welcome| Watch { welcome, looked: Instant::now() });
        Box::new(Self { answer, watch, _held: held })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.answer).poll_frame(cx);
        if polled.is_ready() && self.watch.as_mut().is_some_and(Watch::is_over) {
            return Poll::Ready(Some(Err("its caller's session was revoked".into())));
        }
        polled.map_err(Into::into)
    }
}

impl Watch {
    /// Whether the caller may have no more; asked before each piece, so that none passes long after a revocation.
    fn is_over(&mut self) -> bool {
        if self.looked.elapsed() < LOOK_AGAIN {
            return false;
        }
        self.looked = Instant::now();
        !self.welcome.holds()
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match this {
            Self::Empty => Poll::Ready(None),
            Self::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                *this = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Upstream(passed) => passed.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Bytes(_) => false,
            Self::Upstream(passed) => passed.answer.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(passed) => passed.answer.size_hint(),
        }
    }
}

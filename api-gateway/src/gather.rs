//! Small bodies are read whole, and large ones begun, before their request takes a place at an upstream: a client that
//! sends a head and nothing more must not hold one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body::{BodyError, Outgoing};
use crate::refusal::Refusal;
use crate::upload::{Fault, Progress, Upload};

/// Bytes that are awaited of each body.
const AWAITED: usize = 64 * 1024;
/// What all that is being gathered may take; past it bodies are refused, and nothing else is.
const MEMORY: usize = 64 * 1024 * 1024;
/// Bytes that one permit stands for.
const UNIT: usize = 1024;

/// The memory for bodies that are being gathered.
pub(crate) struct Memory(Arc<Semaphore>);

/// A body that can go on its way, and the memory that it takes until then.
pub(crate) struct Gathered {
    pub(crate) body: Outgoing,
    pub(crate) memory: Vec<OwnedSemaphorePermit>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MEMORY / UNIT)))
    }

    /// Reads a body whole, or its beginning.
    ///
    /// # Errors
    /// [`Refusal::BodyTooLarge`], [`Refusal::BodyTooSlow`], [`Refusal::BodyBroken`], [`Refusal::Overloaded`].
    pub(crate) async fn gather<B>(&self, mut upload: Upload<B>, progress: &Progress) -> Result<Gathered, Refusal>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let (mut pieces, mut bytes, mut memory) = (VecDeque::new(), 0, Vec::new());
        // One in chunks does not know of its end before it was asked for what follows.
        while bytes < AWAITED && !upload.is_end_stream() {
            let Some(frame) = upload.frame().await else { return Ok(Gathered { body: whole(pieces), memory }) };
            // Trailers do not come out of an upload.
            let Ok(piece) = frame.map_err(|_| refusal(progress))?.into_data() else { continue };
            let units = u32::try_from(piece.len().div_ceil(UNIT)).unwrap_or(u32::MAX);
            memory.push(Arc::clone(&self.0).try_acquire_many_owned(units).map_err(|_| Refusal::Overloaded)?);
            bytes += piece.len();
            pieces.push_back(piece);
        }
        let body = if upload.is_end_stream() {
            whole(pieces)
        } else {
            Outgoing::Stream(Box::pin(Begun { pieces, rest: upload }))
        };
        Ok(Gathered { body, memory })
    }
}

/// Why a body did not arrive, as its client is told.
pub(crate) fn refusal(progress: &Progress) -> Refusal {
    match progress.fault() {
        Some(Fault::TooLarge) => Refusal::BodyTooLarge,
        Some(Fault::TooSlow) => Refusal::BodyTooSlow,
        Some(Fault::BrokenOff) | None => Refusal::BodyBroken,
    }
}

fn whole(mut pieces: VecDeque<Bytes>) -> Outgoing {
    if pieces.len() > 1 {
        let mut joined = BytesMut::new();
        pieces.iter().for_each(|piece| joined.extend_from_slice(piece));
        return Outgoing::Bytes(Some(joined.freeze()));
    }
    pieces.pop_front().map_or(Outgoing::Empty, |only| Outgoing::Bytes(Some(only)))
}

/// A body of which some was read already.
struct Begun<B> {
    pieces: VecDeque<Bytes>,
    rest: Upload<B>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Begun<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match this.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => Pin::new(&mut this.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(read + rest.lower());
        if let Some(upper) = rest.upper() {
            hint.set_upper(read.saturating_add(upper));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::StreamBody;

    fn upload(pieces: &[usize]) -> (Upload<impl Body<Data = Bytes> + Send + Unpin + 'static>, Arc<Progress>) {
        let frames: Vec<_> =
            pieces.iter().map(|length| Ok::<_, Infallible>(Frame::data(vec![b'x'; *length].into()))).collect();
        Upload::new(StreamBody::new(stream::iter(frames)), None)
    }

    #[tokio::test]
    async fn a_small_body_is_read_whole_and_can_be_sent_again() {
        let (body, progress) = upload(&[3, 4]);
        let gathered = Memory::new().gather(body, &progress).await.unwrap();
        let again = gathered.body.try_clone().expect("it can be repeated");
        assert_eq!(again.collect().await.unwrap().to_bytes().len(), 7);
        let (nothing, progress) = upload(&[]);
        let gathered = Memory::new().gather(nothing, &progress).await.unwrap();
        assert!(matches!(gathered.body, Outgoing::Empty));
    }

    #[tokio::test]
    async fn a_large_body_is_begun_and_passes_whole() {
        let (body, progress) = upload(&[AWAITED, 5, 6]);
        let gathered = Memory::new().gather(body, &progress).await.unwrap();
        assert!(gathered.body.try_clone().is_none());
        assert_eq!(gathered.body.collect().await.unwrap().to_bytes().len(), AWAITED + 11);
    }

    #[tokio::test]
    async fn memory_is_given_back_and_what_does_not_fit_is_refused() {
        let memory = Memory(Arc::new(Semaphore::new(4)));
        let (body, progress) = upload(&[3 * UNIT]);
        let held = memory.gather(body, &progress).await.unwrap();
        let (body, progress) = upload(&[3 * UNIT]);
        assert!(matches!(memory.gather(body, &progress).await, Err(Refusal::Overloaded)));
        drop(held);
        let (body, progress) = upload(&[3 * UNIT]);
        assert!(memory.gather(body, &progress).await.is_ok());
    }
}

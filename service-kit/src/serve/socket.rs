//! A connection's socket: it gives up when the pace says so or nobody takes what it writes, hands on only requests whose
//! framing is beyond doubt, and takes its leave so that the last answer arrives.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

use super::framing::{Guard, Part, Verdict};
use super::pace::Pace;
use super::refusal;

/// Closing on unread bytes resets the connection, and a reset overtakes the answer: so they are read, for a while.
const LINGER_TIME: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1024 * 1024;

/// A client that takes nothing for so long is gone or holds us up on purpose: what waits for it takes memory. A mobile
/// network that hands over, the slowest honest reader, is silent for less.
const WRITE_TIME: Duration = Duration::from_secs(60);

/// What hyper reads in place of a refused head: no head may contain it, and none goes on after it, so that hyper refuses
/// too. Its refusal comes in order, after the answers to what was asked before, and ends the connection.
const POISON: &[u8] = b"\0\r\n\r\n";

/// A stream with a pace and a guard.
pub(super) struct Socket<S> {
    stream: S,
    pace: Pace,
    /// Here and not in the connection's task, which an upgraded connection outlives.
    _slot: OwnedSemaphorePermit,
    /// Set lazily and never moved by traffic: a busy connection touches no timer.
    wake: Option<Pin<Box<Sleep>>>,
    guard: Guard,
    /// What of the poison hyper has not read yet.
    poison: &'static [u8],
    refusal: Option<Refusal>,
    /// Set lazily too: writes that succeed at once touch no timer.
    write_wake: Option<Pin<Box<Sleep>>>,
    write_waits: bool,
    linger: Option<Linger>,
}

/// An answer of hyper's on its way out in our form.
struct Refusal {
    bytes: Vec<u8>,
    sent: usize,
}

struct Linger {
    until: Pin<Box<Sleep>>,
    discarded: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(super) fn new(stream: S, pace: Pace, slot: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            pace,
            _slot: slot,
            wake: None,
            guard: Guard::new(),
            poison: &[],
            refusal: None,
            write_wake: None,
            write_waits: false,
            linger: None,
        }
    }

    /// Lets through what may be of the bytes that came after the first `before`. Until a request for an upgrade is
    /// answered with 101 they are HTTP, whatever the client hopes for: the answer may be another.
    fn admit(&mut self, buffer: &mut ReadBuf<'_>, before: usize) -> io::Result<()> {
        if self.pace.is_switched() {
            return Ok(());
        }
        let verdict = self.guard.check(&buffer.filled()[before..]);
        self.pace.bytes_arrived();
        let Verdict::Refuse { passed, part } = verdict else { return Ok(()) };
        buffer.set_filled(before + passed);
        match part {
            Part::Head => {
                self.poison = POISON;
                self.hand_poison(buffer);
            }
            Part::Body => {
                self.pace.end_with(self.guard.heads());
                // To hyper nothing read is the end of the stream, which would abandon the request instead of its body.
                if passed == 0 {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
        Ok(())
    }

    fn hand_poison(&mut self, buffer: &mut ReadBuf<'_>) {
        let (now, later) = self.poison.split_at(self.poison.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.poison = later;
    }

    /// Whether what hyper writes now may be its own answer: there was a head that no request came of.
    fn may_refuse(&self) -> bool {
        !self.guard.is_multiplexed() && self.guard.heads() > self.pace.begun() && self.pace.is_quiet()
    }

    /// Passes `outcome` on, and an error once nothing was written for too long.
    fn poll_in_time<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write_waits = false;
            return outcome;
        }
        let wake = self.write_wake.get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_TIME)));
        if !std::mem::replace(&mut self.write_waits, true) {
            wake.as_mut().reset(Instant::now() + WRITE_TIME);
        }
        wake.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.pace.deadline(self.guard.is_multiplexed());
            let wake = self.wake.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if wake.deadline() > deadline {
                wake.as_mut().reset(deadline);
            }
            ready!(wake.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            wake.as_mut().reset(deadline);
        }
    }

    /// Writes our form of a bare refusal, and reports the bare form as written.
    fn poll_refuse(&mut self, cx: &mut Context<'_>, bare: usize) -> Poll<io::Result<usize>> {
        while let Some(Refusal { bytes, sent }) = &mut self.refusal {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &bytes[*sent..]))?;
            *sent += written;
            if written == 0 || *sent == bytes.len() {
                self.refusal = None;
            }
        }
        Poll::Ready(Ok(bare))
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { stream, linger, .. } = self;
        let start = || Linger { until: Box::pin(tokio::time::sleep(LINGER_TIME)), discarded: 0 };
        let linger = linger.get_or_insert_with(start);
        let mut scratch = [0; 4096];
        while linger.discarded < LINGER_BYTES && linger.until.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => linger.discarded += buffer.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Socket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.poison.is_empty() {
            self.hand_poison(buffer);
            return Poll::Ready(Ok(()));
        }
        if self.guard.refused().is_some() && !self.pace.is_switched() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let before = buffer.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            if buffer.filled().len() > before {
                self.admit(buffer, before)?;
            }
            return Poll::Ready(outcome);
        }
        if self.pace.is_switched() {
            return Poll::Pending;
        }
        self.poll_overdue(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.refusal.is_none() && self.may_refuse() {
            self.refusal = refusal::complete(bytes).map(|bytes| Refusal { bytes, sent: 0 });
        }
        let outcome = if self.refusal.is_some() {
            self.poll_refuse(cx, bytes.len())
        } else {
            Pin::new(&mut self.stream).poll_write(cx, bytes)
        };
        self.poll_in_time(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = parts {
            return self.poll_write(cx, only);
        }
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.poll_in_time(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.poll_in_time(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
            ready!(self.poll_in_time(cx, outcome))?;
        }
        if self.pace.is_switched() {
            // Its owner may still be reading what the other end has to say.
            return Poll::Ready(Ok(()));
        }
        self.poll_linger(cx).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::sync::Semaphore;

    use super::*;

    /// A socket whose other end takes 8 bytes before it has to read.
    async fn socket() -> (Socket<DuplexStream>, DuplexStream) {
        let (own, other) = duplex(8);
        let slot = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        (Socket::new(own, Pace::new(WRITE_TIME, WRITE_TIME), slot), other)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_takes_ends_after_its_time() {
        let (mut socket, _other) = socket().await;
        let begun = Instant::now();
        let error = socket.write_all(&[0; 9]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), WRITE_TIME.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_served_to_the_end() {
        let (mut socket, mut other) = socket().await;
        let begun = Instant::now();
        let writing = tokio::spawn(async move { socket.write_all(&[0; 80]).await });
        let mut taken = [0; 8];
        for _ in 0..10 {
            tokio::time::sleep(WRITE_TIME * 9 / 10).await;
            other.read_exact(&mut taken).await.unwrap();
        }
        writing.await.unwrap().unwrap();
        assert!(begun.elapsed() > 8 * WRITE_TIME);
    }
}

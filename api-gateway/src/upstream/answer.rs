//! The body of an answer: it drives its connection, and holds the request's place until it has ended.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::task::AbortHandle;

use crate::body::BodyError;
use crate::upstream::admission::Place;
use crate::upstream::http1::{Http1, explain};
use crate::upstream::server::Outcome;
use crate::upstream::turn::Turn;

/// The body of an upstream's answer; while it lives and has not ended, the request counts as in progress. When it is
/// dropped early the connection is closed.
pub struct Answer {
    source: Source,
    lease: Option<Lease>,
}

/// What a request in progress holds. An endless answer, like server-sent events, holds it for as long as it goes on:
/// it is work for the upstream like any other, and must not be without bounds.
struct Lease {
    turn: Turn,
    _place: Place,
}

/// Where a body comes from.
pub(super) enum Source {
    /// From a connection that is polled along with it.
    Inline { body: Incoming, connection: Box<Http1> },
    /// From a connection that a task drives.
    Driven { body: Incoming, _driver: Option<Driver> },
    /// The connection speaks another protocol now.
    Switched,
    /// Nothing comes any more.
    Ended,
}

/// A task that drives a connection, and ends with this.
pub(super) struct Driver(Option<AbortHandle>);

impl Driver {
    pub fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(tokio::spawn(work).abort_handle()))
    }

    /// Lets the task end by itself.
    pub fn let_finish(mut self) {
        self.0 = None;
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Source {
    /// A connection whose request is still being sent gets a task, for the reader of the answer may well be waiting
    /// until all is sent, and poll nothing meanwhile.
    pub fn inline(body: Incoming, connection: Box<Http1>) -> Self {
        if !connection.is_uploading() {
            return Self::Inline { body, connection };
        }
        let driver = connection.into_connection().map(|connection| {
            Driver::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(error = explain(&error), "a connection to an upstream ended");
                }
            })
        });
        Self::Driven { body, _driver: driver }
    }

    pub fn driven(body: Incoming, driver: Option<Driver>) -> Self {
        Self::Driven { body, _driver: driver }
    }

    fn is_end(&self) -> bool {
        match self {
            Self::Inline { body, .. } | Self::Driven { body, .. } => body.is_end_stream(),
            Self::Switched => false,
            Self::Ended => true,
        }
    }
}

impl Answer {
    /// An answer to a request in progress.
    pub(super) fn to_request(answer: Response<Source>, turn: Turn, place: Place) -> Response<Self> {
        answer.map(|source| {
            let mut answer = Self { source, lease: Some(Lease { turn, _place: place }) };
            if answer.source.is_end() {
                answer.finish();
            }
            answer
        })
    }

    /// An answer to a question of ours.
    pub(super) fn to_probe(source: Source) -> Self {
        Self { source, lease: None }
    }

    /// All came: the connection is free for the next request.
    fn finish(&mut self) {
        let lease = self.lease.take();
        if let Source::Inline { body, connection } = std::mem::replace(&mut self.source, Source::Ended) {
            drop(body);
            if let Some(lease) = &lease {
                lease.turn.endpoint().pool.put(connection);
            }
        }
    }

    fn break_off(&mut self) {
        self.source = Source::Ended;
        if let Some(lease) = self.lease.take() {
            lease.turn.endpoint().server.meters.count(Outcome::Cut);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = match &mut this.source {
            Source::Inline { body, connection } => ready!(connection.poll_body(cx, body)),
            Source::Driven { body, .. } => ready!(Pin::new(body).poll_frame(cx)),
            Source::Switched | Source::Ended => return Poll::Ready(None),
        };
        match frame {
            Some(Ok(frame)) => {
                // Who knows from the length that this was the last frame asks for no other.
                if this.source.is_end() {
                    this.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.break_off();
                Poll::Ready(Some(Err(error.into())))
            }
            None => {
                this.finish();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Inline { body, .. } | Source::Driven { body, .. } => body.is_end_stream(),
            Source::Switched | Source::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Inline { body, .. } | Source::Driven { body, .. } => body.size_hint(),
            Source::Switched | Source::Ended => SizeHint::with_exact(0),
        }
    }
}

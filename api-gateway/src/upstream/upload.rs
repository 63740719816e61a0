//! A request's body on its way to a server, and what whoever judges the server must know of it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::body::{BodyError, Outgoing};
use crate::upstream::bell::Bell;

/// A request's body as a connection sends it. It tells the connection's bell when it has been sent or given up.
pub(super) struct Upload {
    body: Outgoing,
    /// Bytes to come, where the head says so.
    left: Option<u64>,
    sending: Sending,
    bell: Option<Arc<Bell>>,
}

/// How far a client's body has come; shared by the body and by whoever waits for the answer.
#[derive(Clone, Default)]
pub(super) struct Sending(Option<Arc<Marks>>);

#[derive(Default)]
struct Marks {
    /// When the last of it was taken.
    sent: OnceLock<Instant>,
    failed: AtomicBool,
}

/// What has become of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More is to come.
    Underway,
    /// All of it was taken, if there is any.
    Sent,
    /// The client's part of it failed.
    Failed,
}

impl Sending {
    /// Of a request that is about to be sent. A body that is here already cannot be slow, and is not watched.
    pub fn of(request: &Request<Outgoing>) -> Self {
        let comes = matches!(request.body(), Outgoing::Stream(_)) && !request.body().is_end_stream();
        Self((comes && length(request) != Some(0)).then(Arc::default))
    }

    pub fn progress(&self) -> Progress {
        match &self.0 {
            Some(marks) if marks.failed.load(Ordering::Acquire) => Progress::Failed,
            Some(marks) if marks.sent.get().is_none() => Progress::Underway,
            Some(_) | None => Progress::Sent,
        }
    }

    /// For how long the server has had all of a request that began then; not at all while the client is still at it.
    pub fn waited(&self, began: Instant, now: Instant) -> Option<Duration> {
        let since = match &self.0 {
            None => began,
            Some(marks) => *marks.sent.get()?,
        };
        Some(now.saturating_duration_since(since))
    }

    fn note_sent(&self) {
        if let Some(marks) = &self.0 {
            marks.sent.get_or_init(Instant::now);
        }
    }

    fn note_failed(&self) {
        if let Some(marks) = &self.0 {
            marks.failed.store(true, Ordering::Release);
        }
    }
}

impl Upload {
    /// For a connection that many share, or that a task drives.
    pub fn detached(request: Request<Outgoing>, sending: Sending) -> Request<Self> {
        Self::prepare(request, sending, None)
    }

    /// For a connection whose user polls it.
    pub fn inline(request: Request<Outgoing>, sending: Sending, bell: &Arc<Bell>) -> Request<Self> {
        let bell = matches!(request.body(), Outgoing::Stream(_)).then(|| Arc::clone(bell));
        Self::prepare(request, sending, bell)
    }

    fn prepare(request: Request<Outgoing>, sending: Sending, bell: Option<Arc<Bell>>) -> Request<Self> {
        let left = length(&request);
        request.map(|body| Self { body, left, sending, bell })
    }

    /// The body as it was given.
    pub fn give_back(mut self) -> Outgoing {
        std::mem::replace(&mut self.body, Outgoing::Empty)
    }

    fn count(&mut self, frame: &Frame<Bytes>) {
        if let (Some(left), Some(data)) = (&mut self.left, frame.data_ref()) {
            *left = left.saturating_sub(data.len() as u64);
        }
        if self.body.is_end_stream() {
            self.end();
        }
    }

    /// A body that ends before its time makes a server close or refuse, which is the client's doing.
    fn end(&self) {
        if self.left.is_none_or(|left| left == 0) { self.sending.note_sent() } else { self.sending.note_failed() }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(bell) = &self.bell else { return };
        bell.set_uploading(false);
        // HTTP/1.1 asks for no more than the length; in HTTP/2 the server still waits for the end.
        if self.left == Some(0) {
            self.sending.note_sent();
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => this.count(frame),
            Some(Err(_)) => this.sending.note_failed(),
            None => this.end(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Of the body, if it is known.
fn length(request: &Request<Outgoing>) -> Option<u64> {
    let said = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    said.or_else(|| request.body().size_hint().exact())
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn request(parts: Vec<Result<&'static str, &'static str>>, length: Option<u64>) -> Request<Outgoing> {
        let parts = parts.into_iter().map(|part| match part {
            Ok(text) => Ok(Frame::data(Bytes::from(text))),
            Err(error) => Err(error.into()),
        });
        let mut request = Request::new(Outgoing::Stream(Box::pin(StreamBody::new(stream::iter(parts)))));
        if let Some(length) = length {
            request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        request
    }

    fn begin(request: Request<Outgoing>) -> (Upload, Sending) {
        let sending = Sending::of(&request);
        (Upload::detached(request, sending.clone()).into_parts().1, sending)
    }

    async fn taken(parts: Vec<Result<&'static str, &'static str>>, length: Option<u64>) -> Progress {
        let (mut upload, sending) = begin(request(parts, length));
        assert_eq!(sending.progress(), Progress::Underway);
        while let Some(Ok(_)) = upload.frame().await {}
        sending.progress()
    }

    #[tokio::test]
    async fn body_is_sent_when_its_end_was_taken() {
        assert_eq!(taken(vec![Ok("a"), Ok("b")], None).await, Progress::Sent);
        assert_eq!(taken(vec![Ok("a"), Ok("b")], Some(2)).await, Progress::Sent);
    }

    #[tokio::test]
    async fn body_that_fails_or_is_short_has_failed() {
        assert_eq!(taken(vec![Ok("a"), Err("gone")], None).await, Progress::Failed);
        assert_eq!(taken(vec![Ok("a")], Some(2)).await, Progress::Failed);
        assert_eq!(taken(vec![Ok("a"), Ok("b"), Err("gone")], Some(2)).await, Progress::Failed);
    }

    #[tokio::test]
    async fn whole_length_is_the_end_in_http1_only() {
        for (bell, progress) in [(true, Progress::Sent), (false, Progress::Underway)] {
            let request = request(vec![Ok("ab")], Some(2));
            let (sending, bell) = (Sending::of(&request), bell.then(Arc::default));
            let mut upload = Upload::prepare(request, sending.clone(), bell).into_parts().1;
            upload.frame().await.unwrap().unwrap();
            drop(upload);
            assert_eq!(sending.progress(), progress);
        }
    }

    #[tokio::test]
    async fn server_has_not_been_waited_for_until_all_was_taken() {
        let (mut upload, sending) = begin(request(vec![Ok("a")], None));
        let began = Instant::now();
        assert_eq!(sending.waited(began, began + 60 * SECOND), None);
        while upload.frame().await.is_some() {}
        let sent = Instant::now();
        let began = sent.checked_sub(60 * SECOND).unwrap();
        let waited = sending.waited(began, sent + SECOND).unwrap();
        assert!((SECOND..2 * SECOND).contains(&waited), "{waited:?}");
        assert_eq!(Sending::default().waited(began, sent), Some(60 * SECOND));
    }
}

//! One request at one address: it is counted there, and its end is told to the breaker.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, header};
use tokio::time::Instant;

use crate::body::Outgoing;
use crate::upstream::answer::Source;
use crate::upstream::connect::Protocol;
use crate::upstream::ejection::{Fault, Kind};
use crate::upstream::endpoint::{Endpoint, Reuse};
use crate::upstream::link::{self, Setback};
use crate::upstream::server::Outcome;
use crate::upstream::upload::Sending;

/// How long a caller waits for the head of an answer once all of the request was taken. A future that is dropped before that was given up for another reason, as when the client left or was slow itself, and
/// says nothing of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

/// One request at one address.
pub(super) struct Turn {
    endpoint: Arc<Endpoint>,
    kind: Kind,
    began: Instant,
    sending: Sending,
    patience: Patience,
    verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Open,
    Told,
}

/// What can be done after a request had no answer.
pub(super) enum Next {
    /// Nothing was sent: any address will do.
    Elsewhere(Box<Request<Outgoing>>),
    /// A kept connection was closed before anything was sent, which is nobody's fault.
    Anew(Box<Request<Outgoing>>),
    /// A kept connection was closed, and the request can be repeated.
    Repeat(Box<Request<Outgoing>>),
    /// Nothing.
    GiveUp,
}

/// Whether a request may be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It may, if its method and body allow it.
    Allowed,
    /// It may not.
    Forbidden,
}

impl Turn {
    pub fn begin(endpoint: Arc<Endpoint>, kind: Kind, patience: Patience, now: Instant) -> Self {
        endpoint.begin_request();
        Self { endpoint, kind, began: now, sending: Sending::default(), patience, verdict: Verdict::Open }
    }

    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Sends a request.
    ///
    /// # Errors
    /// The failure, and what can be done about it.
    pub async fn send(
        &mut self,
        request: Request<Outgoing>,
        reuse: Reuse,
        repeat: Repeat,
    ) -> Result<Response<Source>, (crate::upstream::Failure, Next)> {
        if request.headers().contains_key(header::UPGRADE) {
            return Box::pin(self.upgrade(request)).await;
        }
        let link = match self.endpoint.link(reuse, self.began).await {
            Ok(link) => link,
            Err(failure) => {
                self.fail(Outcome::Unconnected, Fault::Unconnected);
                return Err((failure, Next::Elsewhere(Box::new(request))));
            }
        };
        let used = link.was_used();
        let may_repeat = used && repeat == Repeat::Allowed && is_safe(request.method());
        let spare = if may_repeat { link::copy(&request) } else { None };
        self.sending = Sending::of(&request);
        match link.exchange(request, &self.sending, &self.endpoint).await {
            Ok(answer) => Ok(self.answered(answer)),
            Err(Setback::Unsent(request, failure)) if used => {
                self.verdict = Verdict::Told;
                self.excuse();
                Err((failure, Next::Anew(request)))
            }
            Err(Setback::Silent(failure)) if used => {
                self.tell(Outcome::Broken);
                self.excuse();
                Err((failure, spare.map_or(Next::GiveUp, |spare| Next::Repeat(Box::new(spare)))))
            }
            Err(setback) => Err(self.set_back(setback)),
        }
    }

    async fn upgrade(
        &mut self,
        request: Request<Outgoing>,
    ) -> Result<Response<Source>, (crate::upstream::Failure, Next)> {
        match self.endpoint.open(Protocol::Http1).await {
            Ok((stream, _)) => {
                self.sending = Sending::of(&request);
                match link::upgrade(stream, request, &self.sending, &self.endpoint).await {
                    Ok(answer) => Ok(self.answered(answer)),
                    Err(setback) => Err(self.set_back(setback)),
                }
            }
            Err(failure) => {
                self.fail(Outcome::Unconnected, Fault::Unconnected);
                Err((failure, Next::Elsewhere(Box::new(request))))
            }
        }
    }

    fn set_back(&mut self, setback: Setback) -> (crate::upstream::Failure, Next) {
        match setback {
            Setback::Unsent(request, failure) => {
                self.fail(Outcome::Broken, Fault::Broken);
                (failure, Next::Elsewhere(request))
            }
            Setback::Silent(failure) | Setback::Broken(failure) => {
                self.fail(Outcome::Broken, Fault::Broken);
                (failure, Next::GiveUp)
            }
            Setback::Unfinished(failure) => {
                self.tell(Outcome::Broken);
                self.endpoint.abandoned(self.kind);
                (failure, Next::GiveUp)
            }
            Setback::Body(failure) => {
                self.tell(Outcome::Abandoned);
                self.endpoint.abandoned(self.kind);
                (failure, Next::GiveUp)
            }
        }
    }

    fn answered(&mut self, answer: Response<Source>) -> Response<Source> {
        match answer.status() {
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
                self.fail(Outcome::Unable, Fault::Unable);
            }
            // It sheds load, which a live server does: to leave it alone would only move the load.
            StatusCode::SERVICE_UNAVAILABLE => {
                self.tell(Outcome::Unable);
                self.endpoint.succeeded(self.kind);
            }
            _ => {
                self.tell(Outcome::Answered);
                self.endpoint.succeeded(self.kind);
            }
        }
        answer
    }

    /// A kept connection was closed, which is the server's right and no sign of a failure.
    fn excuse(&self) {
        self.endpoint.shared.retire();
        self.endpoint.abandoned(self.kind);
    }

    fn fail(&mut self, outcome: Outcome, fault: Fault) {
        self.tell(outcome);
        self.endpoint.failed(self.kind, fault);
    }

    fn tell(&mut self, outcome: Outcome) {
        self.verdict = Verdict::Told;
        self.endpoint.server.meters.count(outcome);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.verdict == Verdict::Open {
            let waited = self.sending.waited(self.began, Instant::now());
            if waited.is_some_and(|waited| waited >= self.patience.0) {
                self.fail(Outcome::TimedOut, Fault::TimedOut);
            } else {
                self.tell(Outcome::Abandoned);
                self.endpoint.abandoned(self.kind);
            }
        }
        self.endpoint.end_request();
    }
}

fn is_safe(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(method)
}

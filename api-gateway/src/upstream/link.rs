//! A connection that is there for a request, and the request on it.

use std::sync::Arc;

use http::uri::{PathAndQuery, Uri};
use http::{HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::TokioIo;

use crate::body::Outgoing;
use crate::upstream::Failure;
use crate::upstream::answer::{Driver, Source};
use crate::upstream::connect::Stream;
use crate::upstream::endpoint::{Endpoint, Reuse};
use crate::upstream::http1::{self, Http1, Loss, explain};
use crate::upstream::upload::{Sending, Upload};

/// A connection for a request.
pub(super) enum Link {
    /// Nobody else's.
    Own(Box<Http1>, Reuse),
    /// One of many streams.
    Shared(http2::SendRequest<Upload>, Reuse),
}

/// Why a request on a connection has no answer.
pub(super) enum Setback {
    /// Nothing of it was written.
    Unsent(Box<Request<Outgoing>>, Failure),
    /// Something was, but the connection closed without a byte of an answer.
    Silent(Failure),
    /// The server broke off, or sent what is no HTTP.
    Broken(Failure),
    /// The connection or the stream broke while the client was still sending.
    Unfinished(Failure),
    /// The body of the request failed.
    Body(Failure),
}

impl Link {
    pub fn kept(connection: Box<Http1>) -> Self {
        Self::Own(connection, Reuse::Welcome)
    }

    pub fn fresh(connection: Box<Http1>) -> Self {
        Self::Own(connection, Reuse::Never)
    }

    /// Whether it was used before, so that it may have been closed without a fault.
    pub fn was_used(&self) -> bool {
        match self {
            Self::Own(_, reuse) | Self::Shared(_, reuse) => *reuse == Reuse::Welcome,
        }
    }

    /// Sends a request and returns with the head of the answer.
    pub async fn exchange(
        self,
        request: Request<Outgoing>,
        sending: &Sending,
        of: &Endpoint,
    ) -> Result<Response<Source>, Setback> {
        match self {
            Self::Own(mut connection, _) => {
                let answer = connection.exchange(for_http1(request), sending).await;
                let answer = answer.map_err(|loss| setback(loss, of))?;
                Ok(answer.map(|body| Source::inline(body, connection)))
            }
            Self::Shared(mut sender, _) => {
                let request = Upload::detached(for_http2(request, of), sending.clone());
                match sender.try_send_request(request).await {
                    Ok(answer) => Ok(answer.map(|body| Source::driven(body, None))),
                    // A stream that ends alone was the server's will; a connection that closes need not be.
                    Err(error) => Err(setback(http1::loss(error, !sender.is_closed(), sending), of)),
                }
            }
        }
    }
}

/// Sends a request for another protocol on a connection of its own. After 101 a task of hyper's hands the bytes over.
pub(super) async fn upgrade(
    stream: Stream,
    request: Request<Outgoing>,
    sending: &Sending,
    of: &Endpoint,
) -> Result<Response<Source>, Setback> {
    let broken = |error: hyper::Error| Setback::Broken(Failure::Broken(Arc::clone(&of.label), explain(&error)));
    let (mut sender, connection) = http1::builder().handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let connection = connection.with_upgrades();
    let driver = Driver::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = explain(&error), "a connection to an upstream ended");
        }
    });
    let sent = sender.try_send_request(Upload::detached(for_http1(request), sending.clone())).await;
    let answer: Response<Incoming> = sent.map_err(|error| setback(http1::loss(error, true, sending), of))?;
    if answer.status() != http::StatusCode::SWITCHING_PROTOCOLS {
        return Ok(answer.map(|body| Source::driven(body, Some(driver))));
    }
    driver.let_finish();
    Ok(answer.map(|_| Source::Switched))
}

/// The same request once more, if its body allows it; without the extensions, which are for us.
pub(super) fn copy(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

fn setback(loss: Loss, of: &Endpoint) -> Setback {
    let failure = |text| Failure::Broken(Arc::clone(&of.label), text);
    match loss {
        Loss::Unsent(request, text) => Setback::Unsent(request, failure(text)),
        Loss::Silent(text) => Setback::Silent(failure(text)),
        Loss::Broken(text) => Setback::Broken(failure(text)),
        Loss::Unfinished(text) => Setback::Unfinished(failure(text)),
        Loss::Body(text) => Setback::Body(failure(text)),
    }
}

/// Origin form and `Host`, also of a request that [`for_http2`] was applied to.
fn for_http1(mut request: Request<Outgoing>) -> Request<Outgoing> {
    *request.version_mut() = Version::HTTP_11;
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
    }
    request
}

/// `:scheme` and `:authority` in place of `Host`.
fn for_http2(mut request: Request<Outgoing>, of: &Endpoint) -> Request<Outgoing> {
    *request.version_mut() = Version::HTTP_2;
    let host = request.headers_mut().remove(header::HOST);
    let asked = host.as_ref().and_then(|host| host.as_bytes().try_into().ok());
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.authority = parts.authority.or(asked).or_else(|| Some(of.server.authority.clone()));
    parts.scheme = Some(of.server.scheme());
    parts.path_and_query = parts.path_and_query.or(Some(PathAndQuery::from_static("/")));
    // All three parts are there, so that it cannot fail.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    request
}

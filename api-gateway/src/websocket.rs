//! WebSockets: after the handshake bytes pass as they are, for as long as whoever began it is still welcome.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Response, StatusCode, response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use service_kit::shutdown::Shutdown;
use tokio::io::copy_bidirectional;
use tokio::time::MissedTickBehavior;

use crate::head;
use crate::identity::{Caller, Identity};
use crate::reply::Reply;
use crate::upstream::Answer;

/// How often the caller is looked up again: well within the minute in which a revoked session's WebSocket must end.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Both ends of a WebSocket, and whose it is.
pub(crate) struct Tunnel {
    pub(crate) client: OnUpgrade,
    pub(crate) upstream: OnUpgrade,
    /// Holds the request's place at the upstream.
    pub(crate) lease: Answer,
    pub(crate) caller: Option<Caller>,
}

/// The answer that changes the client's protocol.
pub(crate) fn answer(mut head: response::Parts) -> Response<Reply> {
    head::leave_hop(&mut head.headers);
    let mut response = Response::new(Reply::Empty);
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = head.headers;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

/// Passes bytes until either end closes, the caller's session, account or key is revoked, or the program is to stop.
pub(crate) async fn run(tunnel: Tunnel, identity: Arc<Identity>, shutdown: Shutdown) {
    let Tunnel { client, upstream, lease, caller } = tunnel;
    let revoked = async {
        match &caller {
            Some(caller) => until_revoked(&identity, caller).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        outcome = pass(client, upstream) => {
            if let Err(error) = outcome {
                tracing::debug!(%error, "a WebSocket broke off");
            }
        }
        // Its client connects again, elsewhere.
        () = shutdown.requested() => {}
        () = revoked => tracing::info!("a WebSocket ended: its session was revoked"),
    }
    drop(lease);
}

async fn pass(client: OnUpgrade, upstream: OnUpgrade) -> io::Result<()> {
    let (client, upstream) = tokio::try_join!(client, upstream).map_err(io::Error::other)?;
    copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(upstream)).await.map(drop)
}

async fn until_revoked(identity: &Identity, caller: &Caller) {
    let mut tick = tokio::time::interval(LOOK_AGAIN);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while identity.is_still_valid(caller) {
        tick.tick().await;
    }
}

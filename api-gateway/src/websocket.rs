//! WebSockets: after the handshake bytes pass as they are, for as long as whoever began it is still welcome.

use std::io;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Response, StatusCode, response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use service_kit::shutdown::Shutdown;
use tokio::io::copy_bidirectional;
use tokio::time::MissedTickBehavior;

use crate::concurrency::Held;
use crate::head;
use crate::reply::Reply;
use crate::upstream::Answer;
use crate::welcome::Welcome;

/// How often the caller is looked up again: well within the minute in which a revoked session's WebSocket must end.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A session that ends by itself revokes nothing, so that it is asked for again once a day.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Both ends of a WebSocket, and whose it is.
pub(crate) struct Tunnel {
    pub(crate) client: OnUpgrade,
    pub(crate) upstream: OnUpgrade,
    /// Holds the request's place at the upstream.
    pub(crate) lease: Answer,
    /// Holds its client's place.
    pub(crate) held: Option<Held>,
    pub(crate) welcome: Option<Welcome>,
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

/// Passes bytes until either end closes, the caller's session, account or key is revoked, a day has passed, or the program
/// is to stop.
pub(crate) async fn run(tunnel: Tunnel, shutdown: Shutdown) {
    let Tunnel { client, upstream, lease, held, welcome } = tunnel;
    let revoked = async {
        match &welcome {
            Some(welcome) => until_over(welcome).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        outcome = pass(client, upstream) => {
            if let Err(error) = outcome {
                tracing::debug!(%error, "a WebSocket broke off");
            }
        }
        // Its client connects again, elsewhere or with a session that is still good.
        () = shutdown.requested() => {}
        () = tokio::time::sleep(LONGEST) => {}
        () = revoked => tracing::info!("a WebSocket ended: its session was revoked"),
    }
    drop((lease, held));
}

async fn pass(client: OnUpgrade, upstream: OnUpgrade) -> io::Result<()> {
    let (client, upstream) = tokio::try_join!(client, upstream).map_err(io::Error::other)?;
    copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(upstream)).await.map(drop)
}

async fn until_over(welcome: &Welcome) {
    let mut tick = tokio::time::interval(LOOK_AGAIN);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while welcome.holds() {
        tick.tick().await;
    }
}

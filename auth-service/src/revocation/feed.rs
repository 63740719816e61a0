//! The feed that gateways tail: a snapshot on every connect, then each revocation as it happens, and heartbeats.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use auth_token::Revocation;
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use serde::Serialize;
use subtle::ConstantTimeEq;
use tokio::{sync::broadcast, time::MissedTickBehavior};

use super::feeds::OpenFeed;
use crate::{
    app::App,
    client::Client,
    error::{Error, Result},
    ids::TokenHash,
};

/// Time between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// What a heartbeat and a snapshot say of their own freshness.
#[derive(Serialize)]
struct Snapshot {
    /// Milliseconds since the log was last read from the database: staleness counts from that.
    as_of: u64,
    revocations: Vec<Revocation>,
}

#[derive(Serialize)]
struct Heartbeat {
    as_of: u64,
}

/// Passes whoever holds `GATEWAY_FEED_TOKEN`. Without one in the configuration there is nothing for gateways here.
///
/// # Errors
/// [`Error::NotFound`], [`Error::InvalidToken`].
pub fn require_gateway(app: &App, headers: &HeaderMap) -> Result<()> {
    let expected = app.config.revocation.token.as_ref().ok_or(Error::NotFound)?;
    let presented = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    // Hashes are compared, so that not even the length shows in the time.
    let expected = TokenHash::of(expected.expose().as_bytes());
    let matches = presented.is_some_and(|token| TokenHash::of(token).as_bytes().ct_eq(expected.as_bytes()).into());
    if matches { Ok(()) } else { Err(Error::InvalidToken) }
}

/// Tails the revocations.
pub async fn tail(State(app): State<App>, headers: HeaderMap, client: Client) -> Result<Response> {
    require_gateway(&app, &headers)?;
    // A feed that has never read the log has nothing to say; the gateway tries the next instance.
    app.revocations.view.staleness(Instant::now()).ok_or(Error::RevocationsUnknown)?;
    let open = app.feeds.open(&client, &headers, app.now());
    Ok(Sse::new(events(app, open)).keep_alive(KeepAlive::default()).into_response())
}

struct Tail {
    app: App,
    open: OpenFeed,
    listener: broadcast::Receiver<Revocation>,
    heartbeat: tokio::time::Interval,
    owes_snapshot: bool,
}

fn events(app: App, open: OpenFeed) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Listening begins before the snapshot is taken, so nothing falls between them; what comes twice changes nothing.
    let tail = Tail { listener: app.revocations.listen(), app, open, heartbeat, owes_snapshot: true };
    stream::unfold(tail, |mut tail| async move {
        let event = tail.next().await?;
        tail.open.sends(tail.app.now());
        Some((Ok(event), tail))
    })
}

impl Tail {
    /// Nothing once the instance is leaving: the gateway goes on at another one.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.owes_snapshot) {
            return Some(self.snapshot());
        }
        tokio::select! {
            received = self.listener.recv() => Some(match received {
                Ok(revocation) => event("revocation", &revocation),
                // It fell too far behind: a new snapshot makes good for what it missed.
                Err(broadcast::error::RecvError::Lagged(_) | broadcast::error::RecvError::Closed) => self.snapshot(),
            }),
            _ = self.heartbeat.tick() => Some(event("heartbeat", &Heartbeat { as_of: self.as_of() })),
            () = self.app.readiness.leaving() => None,
        }
    }

    fn snapshot(&self) -> Event {
        event("snapshot", &Snapshot { as_of: self.as_of(), revocations: self.app.revocations.view.snapshot() })
    }

    fn as_of(&self) -> u64 {
        let staleness = self.app.revocations.view.staleness(Instant::now());
        staleness.map_or(u64::MAX, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
    }
}

fn event(name: &'static str, data: &impl Serialize) -> Event {
    // Strings and numbers always serialise.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}

//! The feeds that are open: which gateways hear of revocations from this instance.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use auth_sdk::FeedConnection;
use axum::http::{HeaderMap, HeaderName};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{client::Client, db::Ts};

/// By which a gateway says which one it is.
const GATEWAY_ID: HeaderName = HeaderName::from_static("x-gateway-id");

/// The open feeds of an instance.
#[derive(Debug, Default)]
pub struct Feeds {
    connections: Mutex<BTreeMap<u64, FeedConnection>>,
    changed: Notify,
}

/// An open feed; it is closed when this is dropped.
pub struct OpenFeed {
    feeds: Arc<Feeds>,
    number: u64,
}

impl Feeds {
    /// Each of them, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<FeedConnection> {
        self.lock().values().cloned().collect()
    }

    /// Waits until one is opened or closed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Adds one for whoever asks.
    pub fn open(self: &Arc<Self>, client: &Client, headers: &HeaderMap, now: Ts) -> OpenFeed {
        let gateway_id = headers.get(GATEWAY_ID).and_then(|value| value.to_str().ok()?.parse::<Uuid>().ok());
        let connection =
            FeedConnection { ip_address: client.ip.to_string(), gateway_id, since: now.into(), last_event_at: None };
        let mut feeds = self.lock();
        let number = feeds.last_key_value().map_or(0, |(last, _)| last + 1);
        feeds.insert(number, connection);
        self.changed.notify_one();
        OpenFeed { feeds: Arc::clone(self), number }
    }

    /// An entry is put in and taken out whole.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, FeedConnection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenFeed {
    /// Notes that an event is sent.
    pub fn sends(&self, now: Ts) {
        if let Some(connection) = self.feeds.lock().get_mut(&self.number) {
            connection.last_event_at = Some(now.into());
        }
    }
}

impl Drop for OpenFeed {
    fn drop(&mut self) {
        self.feeds.lock().remove(&self.number);
        self.feeds.changed.notify_one();
    }
}

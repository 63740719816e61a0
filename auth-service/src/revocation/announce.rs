//! Announcements between instances: for speed alone, so losing one is never wrong.

use std::sync::Arc;

use auth_token::{Revocation, RevocationKind};
use serde::{Deserialize, Serialize};
use service_kit::redis::{Received, Redis};
use tokio::sync::Notify;

use super::RevocationLog;
use crate::{ids::UserId, users::ProfileCache};

/// The channel that all instances of a deployment share.
const CHANNEL: &str = "auth:changes";

/// What one instance tells the others. Nothing in it is believed: whoever can publish on the channel can make instances
/// look into the database, and no more.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Announcement {
    /// The revocation log has grown: read it now.
    Revoked,
    /// An account changed: forget what is remembered of it.
    UserChanged(UserId),
}

/// Where announcements go, and what this instance does about each.
pub struct Announcer {
    redis: Option<Redis>,
    log: Arc<RevocationLog>,
    profiles: Arc<ProfileCache>,
    log_grew: Notify,
}

impl Announcer {
    /// An announcer to whoever shares `redis`; without it, to this instance alone.
    #[must_use]
    pub fn new(redis: Option<Redis>, log: Arc<RevocationLog>, profiles: Arc<ProfileCache>) -> Self {
        Self { redis, log, profiles, log_grew: Notify::new() }
    }

    /// Acts on revocations that are committed here, and tells the others without waiting for them.
    pub fn revoked(&self, revocations: &[Revocation]) {
        for revocation in revocations {
            self.hear(revocation);
        }
        if !revocations.is_empty() {
            self.publish(Announcement::Revoked);
        }
    }

    /// Forgets an account that has changed, here and everywhere.
    pub fn user_changed(&self, id: UserId) {
        self.profiles.drop_user(id);
        self.publish(Announcement::UserChanged(id));
    }

    fn publish(&self, announcement: Announcement) {
        let Some(redis) = self.redis.clone() else { return };
        tokio::spawn(async move {
            let Ok(payload) = serde_json::to_vec(&announcement) else { return };
            if redis.publish(CHANNEL, &payload).await.is_err() {
                // The link has logged why.
                tracing::debug!("not announced: the others read it from the database within half a second");
            }
        });
    }

    /// Hears the other instances for as long as this one lives.
    pub async fn listen(self: Arc<Self>) {
        let Some(redis) = &self.redis else { return };
        let mut messages = redis.subscribe(CHANNEL);
        while let Some(received) = messages.recv().await {
            match received {
                Received::Message(payload) => match serde_json::from_slice(&payload) {
                    Ok(Announcement::Revoked) => self.log_grew.notify_one(),
                    Ok(Announcement::UserChanged(id)) => self.profiles.drop_user(id),
                    Err(cause) => tracing::warn!(%cause, "an announcement of another release was not understood"),
                },
                // Revocations are re-read from the database; profiles are not, so those that may have changed go.
                Received::Connected | Received::Disconnected => self.profiles.clear(),
            }
        }
    }

    /// Waits until another instance says that the log has grown.
    pub async fn log_grew(&self) {
        self.log_grew.notified().await;
    }

    /// Acts on a revocation that was committed here or read from the database.
    pub fn hear(&self, revocation: &Revocation) {
        self.log.apply(revocation);
        match revocation.kind {
            RevocationKind::User => {
                if let Ok(id) = revocation.subject.parse() {
                    self.profiles.drop_user(UserId(id));
                }
            }
            RevocationKind::Role | RevocationKind::Everyone => self.profiles.clear(),
            RevocationKind::Session | RevocationKind::ApiKey | RevocationKind::Key => {}
        }
    }
}

//! Announcements between instances: for speed alone, so losing one is never wrong.

use std::sync::Arc;

use auth_token::{Revocation, RevocationKind};
use serde::{Deserialize, Serialize};
use service_kit::redis::{Received, Redis};

use super::RevocationLog;
use crate::{ids::UserId, users::ProfileCache};

/// The channel that all instances of a deployment share.
const CHANNEL: &str = "auth:changes";

/// What one instance tells the others.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Announcement {
    /// Tokens are refused from now on.
    Revoked(Revocation),
    /// An account changed: forget what is remembered of it.
    UserChanged(UserId),
}

/// Where announcements go, and what this instance does about each.
pub struct Announcer {
    redis: Option<Redis>,
    log: Arc<RevocationLog>,
    profiles: Arc<ProfileCache>,
}

impl Announcer {
    /// An announcer to whoever shares `redis`; without it, to this instance alone.
    #[must_use]
    pub fn new(redis: Option<Redis>, log: Arc<RevocationLog>, profiles: Arc<ProfileCache>) -> Self {
        Self { redis, log, profiles }
    }

    /// Acts on what is committed here, and tells the others without waiting for them.
    pub fn announce(&self, announcements: Vec<Announcement>) {
        for announcement in &announcements {
            self.hear(announcement);
        }
        if let Some(redis) = self.redis.clone()
            && !announcements.is_empty()
        {
            tokio::spawn(async move {
                for announcement in announcements {
                    let Ok(payload) = serde_json::to_vec(&announcement) else { continue };
                    if redis.publish(CHANNEL, &payload).await.is_err() {
                        // The link has logged why; the others read it from the database within half a second.
                        return;
                    }
                }
            });
        }
    }

    /// Hears the other instances for as long as this one lives.
    pub async fn listen(self: Arc<Self>) {
        let Some(redis) = &self.redis else { return };
        let mut messages = redis.subscribe(CHANNEL);
        while let Some(received) = messages.recv().await {
            match received {
                Received::Message(payload) => match serde_json::from_slice(&payload) {
                    Ok(announcement) => self.hear(&announcement),
                    Err(cause) => tracing::warn!(%cause, "an announcement of another release was not understood"),
                },
                // Revocations are re-read from the database; profiles are not, so those that may have changed go.
                Received::Connected | Received::Disconnected => self.profiles.clear(),
            }
        }
    }

    /// Acts on a revocation that was read from the database.
    pub fn hear_revocation(&self, revocation: &Revocation) {
        self.hear(&Announcement::Revoked(revocation.clone()));
    }

    fn hear(&self, announcement: &Announcement) {
        match announcement {
            Announcement::Revoked(revocation) => {
                self.log.apply(revocation);
                match revocation.kind {
                    RevocationKind::User => {
                        if let Ok(id) = revocation.subject.parse() {
                            self.profiles.drop_user(UserId(id));
                        }
                    }
                    RevocationKind::Role => self.profiles.clear(),
                    RevocationKind::Session | RevocationKind::ApiKey | RevocationKind::Key => {}
                }
            }
            Announcement::UserChanged(id) => self.profiles.drop_user(*id),
        }
    }
}

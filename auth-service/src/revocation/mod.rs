//! Revocation: a log that every instance tails, so that a token verified offline is refused everywhere within a second.
//!
//! A revocation is a row written with its cause. After the commit the writer announces it, for speed; every instance
//! re-reads the database all the same, so a lost announcement costs half a second and never truth.

pub mod announce;
pub mod feed;
mod feeds;
mod store;
pub mod tail;

pub use feeds::Feeds;
pub use store::delete_expired;

use std::time::Duration;

use auth_token::{Revocation, RevocationKind, RevocationView};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::{
    db::{Conn, DbError, Ts},
    ids::{Entropy, SessionId, UserId},
};

/// How long a revocation outlives the last token it could touch: clocks differ.
pub const MARGIN: Duration = Duration::from_secs(120);
/// How much longer still a revocation is kept: a clock that runs ahead for a while must not forget for all the others.
pub const KEPT: Duration = Duration::from_secs(86_400);
/// Announcements that a slow gateway may fall behind before it is sent a new snapshot.
const FEED_BACKLOG: usize = 1_024;

/// The live revocations of this instance, and whoever listens for new ones.
pub struct RevocationLog {
    /// What is refused now.
    pub view: RevocationView,
    listeners: broadcast::Sender<Revocation>,
}

impl Default for RevocationLog {
    fn default() -> Self {
        Self { view: RevocationView::new(), listeners: broadcast::Sender::new(FEED_BACKLOG) }
    }
}

impl RevocationLog {
    /// Hears of every revocation that is new from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Revocation> {
        self.listeners.subscribe()
    }

    /// Takes in a revocation, from wherever it came; one that is known changes nothing.
    pub fn apply(&self, revocation: &Revocation) {
        if self.view.apply(revocation) {
            // Nobody may be listening, and that is fine.
            drop(self.listeners.send(revocation.clone()));
        }
    }
}

/// Revocations that are written but not committed. [`crate::app::App::commit`] commits and announces them.
#[derive(Default)]
#[must_use = "commit them with App::commit, or no instance hears of them in time"]
pub struct Pending(Vec<Revocation>);

impl Pending {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The revocations, once they are committed.
    pub(crate) fn into_committed(self) -> Vec<Revocation> {
        self.0
    }
}

/// Writes revocations in their causes' transactions.
#[derive(Clone, Copy)]
pub struct Recorder {
    /// When.
    pub now: Ts,
    /// The longest life of the tokens that are refused by it.
    pub token_life: Duration,
}

impl Recorder {
    /// Refuses the tokens of these sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(self, tx: &mut Conn, ids: &[SessionId]) -> Result<Pending, DbError> {
        let mut pending = Pending::default();
        for id in ids {
            pending.0.push(self.write(tx, RevocationKind::Session, id.0.to_string(), 0).await?);
        }
        Ok(pending)
    }

    /// Refuses the tokens of this account whose `ver` is below `version`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(self, tx: &mut Conn, id: UserId, version: i64) -> Result<Pending, DbError> {
        Ok(Pending(vec![self.write(tx, RevocationKind::User, id.0.to_string(), version).await?]))
    }

    /// Refuses every token signed by this key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn key(self, tx: &mut Conn, kid: &str) -> Result<Pending, DbError> {
        Ok(Pending(vec![self.write(tx, RevocationKind::Key, kid.to_owned(), 0).await?]))
    }

    /// Refuses the tokens that list this role at a version of the catalogue below `version`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn role(self, tx: &mut Conn, name: &str, version: i64) -> Result<Pending, DbError> {
        Ok(Pending(vec![self.write(tx, RevocationKind::Role, name.to_owned(), version).await?]))
    }

    /// Refuses this API key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_key(self, tx: &mut Conn, id: Uuid) -> Result<Pending, DbError> {
        Ok(Pending(vec![self.write(tx, RevocationKind::ApiKey, id.to_string(), 0).await?]))
    }

    async fn write(
        self,
        tx: &mut Conn,
        kind: RevocationKind,
        subject: String,
        version: i64,
    ) -> Result<Revocation, DbError> {
        let revocation = Revocation {
            id: Entropy.uuid(self.now),
            kind,
            subject,
            version,
            revoked_at: self.now.as_micros(),
            expires_at: self.now.plus(self.token_life + MARGIN).as_micros(),
        };
        store::insert(tx, &revocation).await?;
        Ok(revocation)
    }
}

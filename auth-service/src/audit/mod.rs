//! The audit log: what happened to accounts and sessions, written in the same transaction as its cause.

mod store;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    client::Client,
    db::{Conn, DbError, Ts},
    ids::{Entropy, SessionId, UserId},
};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account was made.
    UserRegistered,
    /// A person changed their profile.
    UserUpdated,
    /// A person deleted their account.
    UserDeleted,
    /// A session began.
    LoggedIn,
    /// A login was refused.
    LoginFailed,
    /// Sessions ended at their owner's wish.
    SessionsEnded,
    /// A person proved themselves again.
    Reauthenticated,
    /// A password was changed.
    PasswordChanged,
    /// A refresh token came back after its successor was used: its session was ended.
    RefreshReuse,
}

impl Event {
    /// The event's name in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserRegistered => "user_registered",
            Self::UserUpdated => "user_updated",
            Self::UserDeleted => "user_deleted",
            Self::LoggedIn => "logged_in",
            Self::LoginFailed => "login_failed",
            Self::SessionsEnded => "sessions_ended",
            Self::Reauthenticated => "reauthenticated",
            Self::PasswordChanged => "password_changed",
            Self::RefreshReuse => "refresh_reuse",
        }
    }

    const fn outcome(self) -> &'static str {
        match self {
            Self::LoginFailed | Self::RefreshReuse => "refused",
            Self::UserRegistered
            | Self::UserUpdated
            | Self::UserDeleted
            | Self::LoggedIn
            | Self::SessionsEnded
            | Self::Reauthenticated
            | Self::PasswordChanged => "done",
        }
    }
}

/// One entry: what happened, to whose account, and through which client.
#[derive(Debug)]
pub struct Entry<'a> {
    event: Event,
    user: Option<UserId>,
    client: &'a Client,
    details: Map<String, Value>,
}

impl<'a> Entry<'a> {
    /// An entry about `user`'s own account, by that user.
    #[must_use]
    pub fn new(event: Event, user: Option<UserId>, client: &'a Client) -> Self {
        Self { event, user, client, details: Map::new() }
    }

    /// Adds the session that it is about.
    #[must_use]
    pub fn session(mut self, id: SessionId) -> Self {
        self.details.insert("session_id".to_owned(), id.0.to_string().into());
        self
    }

    /// Adds how many things it touched.
    #[must_use]
    pub fn count(mut self, count: usize) -> Self {
        self.details.insert("count".to_owned(), count.into());
        self
    }

    /// Writes the entry in the transaction of its cause.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(self, tx: &mut Conn, now: Ts) -> Result<(), DbError> {
        let id: Uuid = Entropy.uuid(now);
        store::insert(tx, id, &self, now).await
    }
}

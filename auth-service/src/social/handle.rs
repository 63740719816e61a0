//! Handles that a login through a provider gives out on its way, each good once and for a short time.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::store;
use crate::{
    db::{Conn, DbError, Ts},
    ids::{Entropy, OpaqueToken, TokenHash},
};

/// What a handle stands for; one of a kind is none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The wish of somebody in a session to link a provider: a navigation bears no token.
    Ticket,
    /// A login at a provider that was begun.
    State,
    /// A provider's answer that came by a cross-site POST, without the cookie.
    Parked,
    /// Who somebody is at a provider, for the app that asked.
    Code,
    /// The same for an account whose owner is still to be proven.
    Link,
}

impl Kind {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::State => "state",
            Self::Parked => "parked",
            Self::Code => "code",
            Self::Link => "link",
        }
    }

    /// How long it is good.
    pub const fn life(self) -> Duration {
        Duration::from_secs(match self {
            Self::Ticket => 300,
            Self::State | Self::Link => 600,
            Self::Parked | Self::Code => 60,
        })
    }
}

/// Gives out a handle.
///
/// # Errors
/// When the database fails.
pub async fn issue(tx: &mut Conn, kind: Kind, details: &impl Serialize, now: Ts) -> Result<OpaqueToken, DbError> {
    let token = Entropy.token();
    // Texts, numbers and ids always make JSON.
    let details = serde_json::to_string(details).unwrap_or_default();
    store::insert_handle(tx, (&token.hash(), kind.as_str()), &details, now.plus(kind.life()), now).await?;
    Ok(token)
}

/// Spends a handle; nothing if it is unknown, used or too old. Of many who present it at once, one gets it.
///
/// # Errors
/// When the database fails.
pub async fn spend<T: DeserializeOwned>(
    tx: &mut Conn,
    kind: Kind,
    token: &OpaqueToken,
    now: Ts,
) -> Result<Option<T>, DbError> {
    let details = store::use_handle(tx, &token.hash(), kind.as_str(), now).await?;
    // What another release wrote, and this one cannot read, is as good as used.
    Ok(details.and_then(|details| serde_json::from_str(&details).ok()))
}

/// What a handle stands for, without spending it.
///
/// # Errors
/// When the database fails.
pub async fn look_at<T: DeserializeOwned>(
    conn: &mut Conn,
    kind: Kind,
    token: &OpaqueToken,
    now: Ts,
) -> Result<Option<T>, DbError> {
    let details = store::find_handle(conn, &token.hash(), kind.as_str(), now).await?;
    Ok(details.and_then(|details| serde_json::from_str(&details).ok()))
}

/// Notes that something of somebody else's making was used, such as an ID token; false when it was before.
///
/// # Errors
/// When the database fails.
pub async fn use_up(tx: &mut Conn, what: &TokenHash, until: Ts, now: Ts) -> Result<bool, DbError> {
    store::insert_used(tx, what, until, now).await
}

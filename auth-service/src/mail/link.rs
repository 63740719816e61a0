//! Links in mails: each carries a token of 256 bits that is good once, for one purpose, for a while.

use std::time::Duration;

use uuid::Uuid;

use super::{Mail, store};
use crate::{
    db::{Conn, DbError, Ts},
    ids::{OpaqueToken, SessionId, UserId},
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What the bearer of a link may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Prove the account's address.
    VerifyEmail,
    /// Choose a new password.
    ResetPassword,
    /// Make the address that it was sent to the account's.
    ChangeEmail,
    /// Choose the first password of an account that somebody else made.
    Invitation,
    /// Choose a new password in place of one that was right and too old; no mail carries it, so it proves no address.
    ExpiredPassword,
    /// End a session that was somebody else's.
    NotMe,
    /// Agree that somebody at a provider is the account's owner.
    LinkIdentity,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::VerifyEmail,
        Self::ResetPassword,
        Self::ChangeEmail,
        Self::Invitation,
        Self::ExpiredPassword,
        Self::NotMe,
        Self::LinkIdentity,
    ];

    /// The purpose of the link in a mail, if it has one.
    pub const fn of(mail: &Mail) -> Option<Self> {
        match mail {
            Mail::VerifyEmail => Some(Self::VerifyEmail),
            Mail::ResetPassword => Some(Self::ResetPassword),
            Mail::ChangeEmail => Some(Self::ChangeEmail),
            Mail::Invitation => Some(Self::Invitation),
            Mail::NewDevice { .. } => Some(Self::NotMe),
            Mail::LinkIdentity { .. } => Some(Self::LinkIdentity),
            Mail::AlreadyRegistered
            | Mail::EmailChangeRequested { .. }
            | Mail::EmailChanged { .. }
            | Mail::PasswordChanged
            | Mail::SessionReuse
            | Mail::IdentityLinked { .. }
            | Mail::IdentityUnlinked { .. }
            | Mail::DormancyNotice { .. } => None,
        }
    }

    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
            Self::Invitation => "invitation",
            Self::ExpiredPassword => "expired_password",
            Self::NotMe => "not_me",
            Self::LinkIdentity => "link_identity",
        }
    }

    /// The page that a link opens, ours or that of the team's own front end.
    pub const fn path(self) -> &'static str {
        match self {
            Self::VerifyEmail => "/verify-email",
            Self::ResetPassword => "/reset-password",
            Self::ExpiredPassword => "/replace-password",
            Self::ChangeEmail => "/confirm-email",
            Self::Invitation => "/accept-invitation",
            Self::NotMe => "/not-me",
            Self::LinkIdentity => "/link-identity",
        }
    }

    /// How long a link is good.
    pub const fn life(self) -> Duration {
        Duration::from_secs(match self {
            Self::ResetPassword | Self::ExpiredPassword | Self::LinkIdentity => 15 * MINUTE,
            Self::VerifyEmail | Self::ChangeEmail => DAY,
            Self::Invitation | Self::NotMe => 7 * DAY,
        })
    }

    /// Whether a newer link ends the older ones; a login that was somebody else's stays one.
    const fn newest_wins(self) -> bool {
        match self {
            Self::VerifyEmail
            | Self::ResetPassword
            | Self::ChangeEmail
            | Self::Invitation
            | Self::ExpiredPassword
            | Self::LinkIdentity => true,
            Self::NotMe => false,
        }
    }
}

/// What a link stands for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Link {
    /// Whose account.
    pub user_id: UserId,
    /// Where it was sent; of one that no mail carried, the account's address.
    pub email: Option<String>,
    /// The session that it may end.
    pub session_id: Option<SessionId>,
    /// The proposed identity that it links.
    pub oauth_account_id: Option<Uuid>,
}

/// Makes a link good from now on.
///
/// # Errors
/// When the database fails.
pub async fn issue(tx: &mut Conn, purpose: Purpose, link: &Link, token: &OpaqueToken, now: Ts) -> Result<(), DbError> {
    if purpose.newest_wins() {
        store::end_tokens(tx, link.user_id, purpose, now).await?;
    }
    store::insert_token(tx, purpose, link, &token.hash(), now).await
}

/// Ends the links that a person was sent for one purpose.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &mut Conn, purpose: Purpose, user: UserId, now: Ts) -> Result<(), DbError> {
    store::end_tokens(tx, user, purpose, now).await
}

/// Ends every link that a person was sent or is about to be sent, but for those that end a session.
///
/// # Errors
/// When the database fails.
pub async fn end_all(tx: &mut Conn, user: UserId, now: Ts) -> Result<(), DbError> {
    for purpose in Purpose::ALL.into_iter().filter(|purpose| purpose.newest_wins()) {
        store::drop_waiting(tx, user, purpose.as_str(), now).await?;
        store::end_tokens(tx, user, purpose, now).await?;
    }
    Ok(())
}

/// What a link stands for that is good now, without spending it: so that a password that is refused costs no link.
///
/// # Errors
/// When the database fails.
pub async fn look_at(
    conn: &mut Conn,
    purposes: [Purpose; 2],
    token: &OpaqueToken,
    now: Ts,
) -> Result<Option<Link>, DbError> {
    store::find_token(conn, purposes, &token.hash(), now).await
}

/// Spends a link; nothing if it is unknown, used, replaced or too old. Of many who present it at once, one gets it.
///
/// The account is locked first, as where links are made: two locks taken in either order would wait for each other.
///
/// # Errors
/// When the database fails.
pub async fn spend(
    tx: &mut Conn,
    purposes: [Purpose; 2],
    token: &OpaqueToken,
    now: Ts,
) -> Result<Option<Link>, DbError> {
    let Some(link) = store::find_token(tx, purposes, &token.hash(), now).await? else { return Ok(None) };
    store::lock_owner(tx, link.user_id).await?;
    store::use_token(tx, purposes, &token.hash(), now).await
}

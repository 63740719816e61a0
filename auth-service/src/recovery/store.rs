//! SQL of accounts as far as mails change them.

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
    mail::Mail,
    users::{Email, Locale},
};

/// What decides which mail an address is sent.
#[derive(sqlx::FromRow)]
pub struct Account {
    pub id: UserId,
    pub locale: String,
    pub status: String,
    pub is_proven: bool,
    pub has_password: bool,
}

impl Account {
    /// Whether it was closed.
    pub fn is_disabled(&self) -> bool {
        self.status == "disabled"
    }

    /// Whether its owner has still to prove the address; one who was invited does so by the invitation.
    pub fn awaits_proof(&self) -> bool {
        !self.is_disabled() && !self.is_proven && self.has_password
    }

    /// The mail by which its owner proves the address, if that is still to be done.
    pub fn proof(&self) -> Option<Mail> {
        match (self.awaits_proof(), self.is_pending() && !self.is_proven) {
            (true, _) => Some(Mail::VerifyEmail),
            (false, true) => Some(Mail::Invitation),
            (false, false) => None,
        }
    }

    /// Whether it cannot be used yet.
    pub fn is_pending(&self) -> bool {
        self.status == "pending"
    }

    /// The language of its owner.
    pub fn locale(&self) -> Locale {
        Locale::from_stored(&self.locale)
    }
}

const FIND_BY_EMAIL: &str = "
    SELECT id, locale, status, email_verified_at IS NOT NULL AS is_proven, password_hash IS NOT NULL AS has_password
    FROM users WHERE email = $1 AND deleted_at IS NULL";

/// The account with this address.
pub async fn find_by_email(conn: &mut Conn, email: &Email) -> Result<Option<Account>, DbError> {
    run!(conn, fetch_optional, FIND_BY_EMAIL, email.as_str())
}

const PROVE_EMAIL: &str = "
    UPDATE users SET
        email_verified_at = COALESCE(email_verified_at, $3),
        status = CASE WHEN status = 'pending' AND password_hash IS NOT NULL THEN 'active' ELSE status END,
        updated_at = $3
    WHERE id = $1 AND email = $2 AND deleted_at IS NULL AND status <> 'disabled'";

/// Notes that mail to this address reaches the account's owner; 0 when it is not the account's any more.
pub async fn prove_email(conn: &mut Conn, id: UserId, email: Option<&str>, now: Ts) -> Result<u64, DbError> {
    run!(conn, execute, PROVE_EMAIL, id, email, now)
}

const SET_PASSWORD: &str = "
    UPDATE users SET
        password_hash = $3,
        password_changed_at = $4,
        email_verified_at = COALESCE(email_verified_at, $5),
        status = CASE WHEN status = 'pending' AND $5 IS NOT NULL THEN 'active' ELSE status END,
        updated_at = $4
    WHERE id = $1 AND email IS NOT DISTINCT FROM $2 AND deleted_at IS NULL AND status <> 'disabled'";

/// Sets a password of the account with this address or with none, which is proven at `proven_at`, if it is; 0 when the
/// account has another address.
pub async fn set_password(
    conn: &mut Conn,
    (id, email): (UserId, Option<&str>),
    hash: &str,
    proven_at: Option<Ts>,
    now: Ts,
) -> Result<u64, DbError> {
    run!(conn, execute, SET_PASSWORD, id, email, hash, now, proven_at)
}

const CHANGE_EMAIL: &str = "
    UPDATE users SET email = $2, email_verified_at = $3, updated_at = $3
    WHERE id = $1 AND deleted_at IS NULL AND status = 'active'";

/// Gives an account another address, which is proven; [`DbError::Duplicate`] when another account has it.
pub async fn change_email(conn: &mut Conn, id: UserId, email: &str, now: Ts) -> Result<u64, DbError> {
    run!(conn, execute, CHANGE_EMAIL, id, email, now)
}

//! SQL of the outbox.

use super::{Entropy, Locale, Mail};
use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
};

const FIND_OWNER: &str = "SELECT email, locale FROM users WHERE id = $1 AND deleted_at IS NULL";

/// Address and language of an account.
pub async fn find_owner(conn: &mut Conn, user: UserId) -> Result<Option<(String, String)>, DbError> {
    run!(conn, fetch_optional, FIND_OWNER, user)
}

const DROP_WAITING: &str = "
    UPDATE mail_outbox SET failed_at = $3, last_error = 'a newer one took its place'
    WHERE user_id = $1 AND kind = $2 AND handed_over_at IS NULL AND failed_at IS NULL";

/// Drops what still waits of one kind.
pub async fn drop_waiting(conn: &mut Conn, user: UserId, kind: &str, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, DROP_WAITING, user, kind, now).map(drop)
}

const INSERT: &str = "
    INSERT INTO mail_outbox (id, user_id, kind, recipient, locale, details, created_at, next_attempt_at, attempts)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 0)";

/// Adds a mail, due at once. Without a user it is nobody's, and is deleted in place of being sent.
pub async fn insert(
    conn: &mut Conn,
    user: Option<UserId>,
    (email, locale): (&str, Locale),
    mail: &Mail,
    now: Ts,
) -> Result<(), DbError> {
    let details = serde_json::to_string(mail).unwrap_or_default();
    run!(conn, execute, INSERT, Entropy.uuid(now), user, mail.kind(), email, locale.as_str(), details, now).map(drop)
}

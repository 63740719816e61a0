//! SQL of the outbox, and of the tokens in links.

use uuid::Uuid;

use super::{
    Entropy, Locale, Mail,
    link::{Link, Purpose},
};
use crate::{
    db::{Conn, DbError, Ts, run},
    ids::{TokenHash, UserId},
    sweep::BATCH,
};

const FIND_OWNER: &str = "
    SELECT email, locale FROM users WHERE id = $1 AND deleted_at IS NULL AND email IS NOT NULL";

/// Address and language of an account that has an address.
pub async fn find_owner(conn: &mut Conn, user: UserId) -> Result<Option<(String, String)>, DbError> {
    run!(conn, fetch_optional, FIND_OWNER, user)
}

const COUNT_PROVEN: &str = "SELECT COUNT(*) FROM users WHERE id = $1 AND email_verified_at IS NOT NULL";

/// Whether the address of an account was proven.
pub async fn is_proven(conn: &mut Conn, user: UserId) -> Result<bool, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_PROVEN, user)?;
    Ok(count > 0)
}

const LOCK_OWNER: &str = "
    UPDATE users SET updated_at = updated_at WHERE id = $1 AND deleted_at IS NULL RETURNING email, status";

/// Address and status of an account, which stay as they are until this transaction ends.
pub async fn lock_owner(conn: &mut Conn, user: UserId) -> Result<Option<(Option<String>, String)>, DbError> {
    run!(conn, fetch_optional, LOCK_OWNER, user)
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

/// A mail that is due.
#[derive(sqlx::FromRow)]
pub struct OutboxRow {
    pub id: Uuid,
    pub user_id: Option<UserId>,
    pub kind: String,
    pub recipient: String,
    pub locale: String,
    pub details: String,
    pub created_at: Ts,
    pub retried_at: Option<Ts>,
    pub attempts: i64,
}

impl OutboxRow {
    /// When it began to wait.
    pub fn waits_since(&self) -> Ts {
        self.retried_at.unwrap_or(self.created_at)
    }
}

const CLAIM: &str = "
    UPDATE mail_outbox SET next_attempt_at = $2, attempts = attempts + 1, last_error = NULL
    WHERE handed_over_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $1 AND id = (
        SELECT id FROM mail_outbox
        WHERE handed_over_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $1
        ORDER BY next_attempt_at LIMIT 1)
    RETURNING id, user_id, kind, recipient, locale, details, created_at, retried_at, attempts";

/// Takes a mail that is due; until `leased_until` nobody else takes it. Nothing also when somebody else was faster.
pub async fn claim(conn: &mut Conn, leased_until: Ts, now: Ts) -> Result<Option<OutboxRow>, DbError> {
    run!(conn, fetch_optional, CLAIM, now, leased_until)
}

const COUNT_NEWER: &str = "
    SELECT COUNT(*) FROM mail_outbox WHERE user_id = $1 AND kind = $2 AND created_at > $3 AND failed_at IS NULL";

/// Whether a person was sent, or will be, a newer mail of this kind.
pub async fn has_newer(conn: &mut Conn, user: UserId, kind: &str, than: Ts) -> Result<bool, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_NEWER, user, kind, than)?;
    Ok(count > 0)
}

const HAND_OVER: &str = "
    UPDATE mail_outbox SET handed_over_at = $2
    WHERE id = $1 AND handed_over_at IS NULL AND failed_at IS NULL RETURNING id";

/// Notes that a mail goes out now, once; false when it went or was dropped before.
pub async fn hand_over(conn: &mut Conn, id: Uuid, now: Ts) -> Result<bool, DbError> {
    let row: Option<(Uuid,)> = run!(conn, fetch_optional, HAND_OVER, id, now)?;
    Ok(row.is_some())
}

const MARK_SENT: &str = "UPDATE mail_outbox SET sent_at = $2, last_error = NULL WHERE id = $1";

/// Notes that the relay has taken a mail.
pub async fn mark_sent(conn: &mut Conn, id: Uuid, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, MARK_SENT, id, now).map(drop)
}

const RETRY: &str = "
    UPDATE mail_outbox SET handed_over_at = NULL, next_attempt_at = $2, last_error = $3
    WHERE id = $1 AND sent_at IS NULL AND failed_at IS NULL";

/// Has a mail tried again that the relay did not take.
pub async fn retry(conn: &mut Conn, id: Uuid, at: Ts, error: &str) -> Result<(), DbError> {
    run!(conn, execute, RETRY, id, at, error).map(drop)
}

const FAIL: &str = "UPDATE mail_outbox SET failed_at = $2, last_error = $3 WHERE id = $1 AND sent_at IS NULL";

/// Gives a mail up.
pub async fn fail(conn: &mut Conn, id: Uuid, now: Ts, error: &str) -> Result<(), DbError> {
    run!(conn, execute, FAIL, id, now, error).map(drop)
}

const NOTE_ERROR: &str = "UPDATE mail_outbox SET last_error = $2 WHERE id = $1";

/// Notes what went wrong with a mail of which nobody knows whether it arrived.
pub async fn note_error(conn: &mut Conn, id: Uuid, error: &str) -> Result<(), DbError> {
    run!(conn, execute, NOTE_ERROR, id, error).map(drop)
}

const DELETE: &str = "DELETE FROM mail_outbox WHERE id = $1";

/// Deletes a mail that is nobody's.
pub async fn delete(conn: &mut Conn, id: Uuid) -> Result<(), DbError> {
    run!(conn, execute, DELETE, id).map(drop)
}

const COUNT_WAITING: &str = "SELECT COUNT(*) FROM mail_outbox WHERE handed_over_at IS NULL AND failed_at IS NULL";

/// How many mails wait.
pub async fn count_waiting(conn: &mut Conn) -> Result<i64, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_WAITING)?;
    Ok(count)
}

const DELETE_OLD: &str = "
    DELETE FROM mail_outbox WHERE id IN (
        SELECT id FROM mail_outbox
        WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

/// Deletes mails queued before `limit`: sent, given up, or never sendable.
pub async fn delete_old(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD, limit, BATCH)
}

const END_TOKENS: &str = "
    UPDATE one_time_tokens SET used_at = $3 WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL";

/// Ends every token of a person for one purpose.
pub async fn end_tokens(conn: &mut Conn, user: UserId, purpose: Purpose, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, END_TOKENS, user, purpose.as_str(), now).map(drop)
}

const INSERT_TOKEN: &str = "
    INSERT INTO one_time_tokens (token_hash, user_id, purpose, email, session_id, oauth_account_id, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Adds a token.
pub async fn insert_token(
    conn: &mut Conn,
    purpose: Purpose,
    link: &Link,
    hash: &TokenHash,
    now: Ts,
) -> Result<(), DbError> {
    run!(
        conn,
        execute,
        INSERT_TOKEN,
        hash.as_bytes(),
        link.user_id,
        purpose.as_str(),
        link.email.as_deref(),
        link.session_id,
        link.oauth_account_id,
        now,
        now.plus(purpose.life())
    )
    .map(drop)
}

const FIND_TOKEN: &str = "
    SELECT user_id, email, session_id, oauth_account_id FROM one_time_tokens
    WHERE token_hash = $1 AND purpose IN ($2, $3) AND used_at IS NULL AND expires_at > $4";

/// What a token stands for that is good.
pub async fn find_token(
    conn: &mut Conn,
    [one, other]: [Purpose; 2],
    hash: &TokenHash,
    now: Ts,
) -> Result<Option<Link>, DbError> {
    run!(conn, fetch_optional, FIND_TOKEN, hash.as_bytes(), one.as_str(), other.as_str(), now)
}

const USE_TOKEN: &str = "
    UPDATE one_time_tokens SET used_at = $4
    WHERE token_hash = $1 AND purpose IN ($2, $3) AND used_at IS NULL AND expires_at > $4
    RETURNING user_id, email, session_id, oauth_account_id";

/// Spends a token.
pub async fn use_token(
    conn: &mut Conn,
    [one, other]: [Purpose; 2],
    hash: &TokenHash,
    now: Ts,
) -> Result<Option<Link>, DbError> {
    run!(conn, fetch_optional, USE_TOKEN, hash.as_bytes(), one.as_str(), other.as_str(), now)
}

const DELETE_EXPIRED_TOKENS: &str = "
    DELETE FROM one_time_tokens WHERE token_hash IN (
        SELECT token_hash FROM one_time_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

/// Deletes tokens that are too old, used or not.
pub async fn delete_expired_tokens(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_EXPIRED_TOKENS, limit, BATCH)
}

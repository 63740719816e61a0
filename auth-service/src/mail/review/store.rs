//! SQL of the outbox as operators see it. Mails that are nobody's are not shown: they are about to be deleted.

use uuid::Uuid;

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
    lists::Cursor,
    mail::send::LEASE,
};

/// What has become of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It waits to be sent.
    Waiting,
    /// It goes out, or nobody knows whether it arrived.
    HandedOver,
    /// The relay has taken it.
    Sent,
    /// It was given up.
    Failed,
}

/// A mail, without what is in it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MailRow {
    pub id: Uuid,
    pub user_id: Option<UserId>,
    pub kind: String,
    pub recipient: String,
    pub locale: String,
    pub created_at: Ts,
    pub attempts: i64,
    pub next_attempt_at: Ts,
    pub handed_over_at: Option<Ts>,
    pub sent_at: Option<Ts>,
    pub failed_at: Option<Ts>,
    pub last_error: Option<String>,
}

impl MailRow {
    /// What has become of it.
    pub const fn state(&self) -> MailState {
        match self {
            Self { sent_at: Some(_), .. } => MailState::Sent,
            Self { failed_at: Some(_), .. } => MailState::Failed,
            Self { handed_over_at: Some(_), .. } => MailState::HandedOver,
            Self { .. } => MailState::Waiting,
        }
    }

    /// Where the page behind this row begins.
    pub fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, self.id)
    }
}

// One text per index that serves it, in the words of the index.

const LIST: &str = "
    SELECT id, user_id, kind, recipient, locale, created_at, attempts, next_attempt_at, handed_over_at, sent_at, failed_at,
           last_error
    FROM mail_outbox WHERE (created_at, id) < ($1, $2) AND user_id IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT $3";
const LIST_WAITING: &str = "
    SELECT id, user_id, kind, recipient, locale, created_at, attempts, next_attempt_at, handed_over_at, sent_at, failed_at,
           last_error
    FROM mail_outbox WHERE handed_over_at IS NULL AND failed_at IS NULL AND (created_at, id) < ($1, $2) AND user_id IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT $3";
const LIST_HANDED_OVER: &str = "
    SELECT id, user_id, kind, recipient, locale, created_at, attempts, next_attempt_at, handed_over_at, sent_at, failed_at,
           last_error
    FROM mail_outbox WHERE handed_over_at IS NOT NULL AND sent_at IS NULL AND failed_at IS NULL
        AND (created_at, id) < ($1, $2) AND user_id IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT $3";
const LIST_SENT: &str = "
    SELECT id, user_id, kind, recipient, locale, created_at, attempts, next_attempt_at, handed_over_at, sent_at, failed_at,
           last_error
    FROM mail_outbox WHERE sent_at IS NOT NULL AND (created_at, id) < ($1, $2) AND user_id IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT $3";
const LIST_FAILED: &str = "
    SELECT id, user_id, kind, recipient, locale, created_at, attempts, next_attempt_at, handed_over_at, sent_at, failed_at,
           last_error
    FROM mail_outbox WHERE failed_at IS NOT NULL AND sent_at IS NULL AND (created_at, id) < ($1, $2) AND user_id IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT $3";

/// Mails in this state, or in any, newest first, from behind `after`.
pub async fn list(
    conn: &mut Conn,
    state: Option<MailState>,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<MailRow>, DbError> {
    let sql = match state {
        None => LIST,
        Some(MailState::Waiting) => LIST_WAITING,
        Some(MailState::HandedOver) => LIST_HANDED_OVER,
        Some(MailState::Sent) => LIST_SENT,
        Some(MailState::Failed) => LIST_FAILED,
    };
    let (before, id) = Cursor::below(after);
    run!(conn, fetch_all, sql, before, id, limit)
}

// A sender that has taken the mail, and not let go of it, may still come to hand it over: until its lease is over no other
// may take it, or each could send a copy. Such a mail has an attempt and no error, or was dropped in the sender's hands.
const RETRY: &str = "
    UPDATE mail_outbox SET failed_at = NULL, last_error = NULL, retried_at = $2,
        next_attempt_at = CASE
            WHEN next_attempt_at > $2 AND failed_at IS NULL AND attempts > 0 AND last_error IS NULL
                THEN next_attempt_at
            WHEN next_attempt_at > $2 AND next_attempt_at <= $3 AND failed_at IS NOT NULL THEN next_attempt_at
            ELSE $2 END
    WHERE id = $1 AND user_id IS NOT NULL AND handed_over_at IS NULL
    RETURNING id, user_id, kind, recipient, locale, created_at, attempts, next_attempt_at, handed_over_at, sent_at, failed_at,
        last_error";

/// Has a mail tried next; nothing if it was handed over, or there is none.
pub async fn retry(conn: &mut Conn, id: Uuid, now: Ts) -> Result<Option<MailRow>, DbError> {
    // Twice: the clock of whoever holds it may be ahead of ours.
    let longest_lease = now.plus(LEASE * 2);
    run!(conn, fetch_optional, RETRY, id, now, longest_lease)
}

const COUNT: &str = "SELECT COUNT(*) FROM mail_outbox WHERE id = $1 AND user_id IS NOT NULL";

/// Whether there is a mail with this id.
pub async fn exists(conn: &mut Conn, id: Uuid) -> Result<bool, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT, id)?;
    Ok(count > 0)
}

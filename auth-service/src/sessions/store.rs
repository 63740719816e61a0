//! SQL of sessions and of their refresh tokens.

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::{SessionId, TokenHash, UserId},
    sessions::{
        SessionKind,
        issue::{Grant, methods_from_text},
    },
    sweep::BATCH,
};

/// A session to be.
pub struct NewSession<'a> {
    pub id: SessionId,
    pub user_id: UserId,
    pub kind: SessionKind,
    pub auth_methods: &'a str,
    pub expires_at: Ts,
    pub absolute_expires_at: Ts,
    pub ip_address: Option<String>,
    pub user_agent: Option<&'a str>,
    pub device_name: Option<&'a str>,
    /// Of a session that has one in place of refresh tokens.
    pub credential: Option<&'a TokenHash>,
}

const INSERT: &str = "
    INSERT INTO sessions (id, user_id, client, auth_methods, authenticated_at, created_at, last_used_at, expires_at,
                          absolute_expires_at, ip_address, user_agent, device_name, credential_hash)
    VALUES ($1, $2, $3, $4, $5, $5, $5, $6, $7, $8, $9, $10, $11)";

/// Adds a session.
pub async fn insert(conn: &mut Conn, session: &NewSession<'_>, now: Ts) -> Result<(), DbError> {
    run!(
        conn,
        execute,
        INSERT,
        session.id,
        session.user_id,
        session.kind.as_str(),
        session.auth_methods,
        now,
        session.expires_at,
        session.absolute_expires_at,
        session.ip_address.as_deref(),
        session.user_agent,
        session.device_name,
        session.credential.map(TokenHash::as_bytes)
    )
    .map(drop)
}

/// A live session as its owner sees it.
#[derive(sqlx::FromRow)]
pub struct SessionRow {
    pub id: SessionId,
    pub created_at: Ts,
    pub last_used_at: Ts,
    pub expires_at: Ts,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub device_name: Option<String>,
    pub auth_methods: String,
}

const LIST_LIVE: &str = "
    SELECT id, created_at, last_used_at, expires_at, ip_address, user_agent, device_name, auth_methods
    FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
    ORDER BY created_at DESC, id DESC";

/// A person's live sessions, newest first.
pub async fn list_live(conn: &mut Conn, user: UserId, now: Ts) -> Result<Vec<SessionRow>, DbError> {
    run!(conn, fetch_all, LIST_LIVE, user, now)
}

const FIND_AUTHENTICATED_AT: &str = "
    SELECT authenticated_at FROM sessions WHERE id = $1 AND ended_at IS NULL AND expires_at > $2";

/// When a live session's owner last proved themselves.
pub async fn find_authenticated_at(conn: &mut Conn, id: SessionId, now: Ts) -> Result<Option<Ts>, DbError> {
    let row: Option<(Ts,)> = run!(conn, fetch_optional, FIND_AUTHENTICATED_AT, id, now)?;
    Ok(row.map(|(at,)| at))
}

const FIND_CONSOLE_PROOF: &str = "
    SELECT authenticated_at FROM sessions WHERE id = $1 AND client = 'console' AND ended_at IS NULL AND expires_at > $2";

/// When the owner of a live session at the console last proved themselves; nothing of any other session.
pub async fn find_console_proof(conn: &mut Conn, id: SessionId, now: Ts) -> Result<Option<Ts>, DbError> {
    let row: Option<(Ts,)> = run!(conn, fetch_optional, FIND_CONSOLE_PROOF, id, now)?;
    Ok(row.map(|(at,)| at))
}

const MARK_AUTHENTICATED: &str = "UPDATE sessions SET authenticated_at = $2 WHERE id = $1 AND ended_at IS NULL";

/// Notes that the owner proved themselves again.
pub async fn mark_authenticated(conn: &mut Conn, id: SessionId, now: Ts) -> Result<u64, DbError> {
    run!(conn, execute, MARK_AUTHENTICATED, id, now)
}

const END: &str = "
    UPDATE sessions SET ended_at = $3, end_reason = $4 WHERE id = $1 AND user_id = $2 AND ended_at IS NULL RETURNING id";

/// Ends one live session of this person; nothing if there is none.
pub async fn end(
    conn: &mut Conn,
    id: SessionId,
    user: UserId,
    now: Ts,
    reason: &str,
) -> Result<Vec<SessionId>, DbError> {
    ids(run!(conn, fetch_all, END, id, user, now, reason))
}

const END_ALL: &str = "
    UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE user_id = $1 AND ended_at IS NULL AND id <> $4 RETURNING id";

/// Ends a person's live sessions, all but `spared`.
pub async fn end_all(
    conn: &mut Conn,
    user: UserId,
    spared: Option<SessionId>,
    now: Ts,
    reason: &str,
) -> Result<Vec<SessionId>, DbError> {
    let spared = spared.unwrap_or(SessionId(uuid::Uuid::nil()));
    ids(run!(conn, fetch_all, END_ALL, user, now, reason, spared))
}

const END_FEDERATED: &str = "
    UPDATE sessions SET ended_at = $3, end_reason = $4
    WHERE user_id = $1 AND ended_at IS NULL AND auth_methods LIKE '%fed%'
        AND NOT EXISTS (SELECT 1 FROM login_histories AS line
                        WHERE line.user_id = sessions.user_id AND line.session_id = sessions.id AND line.method <> $2)
    RETURNING id";

/// Ends a person's live sessions that began by this provider, and those of which nobody knows any more by which.
pub async fn end_federated(
    conn: &mut Conn,
    user: UserId,
    provider: &str,
    now: Ts,
    reason: &str,
) -> Result<Vec<SessionId>, DbError> {
    ids(run!(conn, fetch_all, END_FEDERATED, user, provider, now, reason))
}

const END_LONGEST_UNUSED: &str = "
    UPDATE sessions SET ended_at = $2, end_reason = 'too_many'
    WHERE ended_at IS NULL AND id IN (
        SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
        ORDER BY last_used_at DESC, id DESC LIMIT 1000 OFFSET $3)
    RETURNING id";

/// Ends all but the `kept` last used live sessions of a person.
pub async fn end_longest_unused(conn: &mut Conn, user: UserId, kept: i64, now: Ts) -> Result<Vec<SessionId>, DbError> {
    ids(run!(conn, fetch_all, END_LONGEST_UNUSED, user, now, kept))
}

fn ids(rows: Result<Vec<(SessionId,)>, DbError>) -> Result<Vec<SessionId>, DbError> {
    Ok(rows?.into_iter().map(|(id,)| id).collect())
}

/// What a refresh needs to know of the session that it carries on.
#[derive(sqlx::FromRow)]
pub struct LiveSession {
    pub id: SessionId,
    pub user_id: UserId,
    pub auth_methods: String,
    pub authenticated_at: Ts,
    pub expires_at: Ts,
    pub absolute_expires_at: Ts,
    /// Of its owner; none when the account may not be used.
    pub token_version: Option<i64>,
    pub catalogue_version: i64,
}

impl LiveSession {
    /// What its tokens say of it.
    pub fn into_grant(self) -> Grant {
        let Self { id, auth_methods, authenticated_at, expires_at, absolute_expires_at, .. } = self;
        Grant { id, methods: methods_from_text(&auth_methods), authenticated_at, expires_at, absolute_expires_at }
    }
}

const TOUCH: &str = "
    UPDATE sessions SET
        last_used_at = $2,
        expires_at = CASE WHEN absolute_expires_at < $3 THEN absolute_expires_at ELSE $3 END
    WHERE id = $1 AND ended_at IS NULL AND expires_at > $2
    RETURNING id, user_id, auth_methods, authenticated_at, expires_at, absolute_expires_at,
              (SELECT token_version FROM users WHERE users.id = sessions.user_id
                    AND users.status = 'active' AND users.deleted_at IS NULL) AS token_version,
              (SELECT version FROM role_catalogue) AS catalogue_version";

/// Carries a live session on and locks it for the rest of the transaction; nothing when it has ended. The versions tell
/// whether what is remembered of its owner's rights still holds.
pub async fn touch(conn: &mut Conn, id: SessionId, idle_until: Ts, now: Ts) -> Result<Option<LiveSession>, DbError> {
    run!(conn, fetch_optional, TOUCH, id, now, idle_until)
}

const INSERT_REFRESH: &str = "
    INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)";

/// Adds a refresh token.
pub async fn insert_refresh(
    conn: &mut Conn,
    hash: &TokenHash,
    session: SessionId,
    expires_at: Ts,
    now: Ts,
) -> Result<(), DbError> {
    run!(conn, execute, INSERT_REFRESH, hash.as_bytes(), session, now, expires_at).map(drop)
}

const CONSUME: &str = "
    UPDATE refresh_tokens SET
        consumed_at = CASE WHEN token_hash = $1 THEN $2 ELSE consumed_at END,
        successor_hash = CASE WHEN token_hash = $1 THEN $3 ELSE successor_hash END,
        sealed_successor = CASE WHEN token_hash = $1 THEN COALESCE($4, sealed_successor) END
    WHERE (token_hash = $1 AND consumed_at IS NULL AND expires_at > $2)
        OR (successor_hash = $1 AND sealed_successor IS NOT NULL)
    RETURNING session_id, token_hash = $1 AS is_spent";

/// Spends a refresh token, and erases the sealed copy of it that waited in its parent's row; nothing when it is unknown,
/// expired or spent.
pub async fn consume(
    conn: &mut Conn,
    hash: &TokenHash,
    successor: &TokenHash,
    sealed: &[u8],
    now: Ts,
) -> Result<Option<SessionId>, DbError> {
    let rows: Vec<(SessionId, bool)> =
        run!(conn, fetch_all, CONSUME, hash.as_bytes(), now, successor.as_bytes(), sealed)?;
    Ok(rows.into_iter().find_map(|(id, is_spent)| is_spent.then_some(id)))
}

/// A refresh token that was spent, with the state of the one that replaced it.
#[derive(sqlx::FromRow)]
pub struct SpentToken {
    pub session_id: SessionId,
    pub consumed_at: Ts,
    pub sealed_successor: Option<Vec<u8>>,
    pub successor_consumed_at: Option<Ts>,
}

const FIND_SPENT: &str = "
    SELECT spent.session_id, spent.consumed_at, spent.sealed_successor, successor.consumed_at AS successor_consumed_at
    FROM refresh_tokens AS spent
    LEFT JOIN refresh_tokens AS successor ON successor.token_hash = spent.successor_hash
    WHERE spent.token_hash = $1 AND spent.consumed_at IS NOT NULL";

/// The spent token with this hash.
pub async fn find_spent(conn: &mut Conn, hash: &TokenHash) -> Result<Option<SpentToken>, DbError> {
    run!(conn, fetch_optional, FIND_SPENT, hash.as_bytes())
}

const ERASE_OLD_SEALS: &str = "
    UPDATE refresh_tokens SET sealed_successor = NULL WHERE sealed_successor IS NOT NULL AND consumed_at < $1";

/// Erases the sealed successors of tokens spent before `limit`.
pub async fn erase_old_seals(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, ERASE_OLD_SEALS, limit)
}

const DELETE_EXPIRED_REFRESH: &str = "
    DELETE FROM refresh_tokens WHERE expires_at < $1
        AND session_id IN (SELECT id FROM sessions WHERE id > $2 ORDER BY id LIMIT $3)";
const FIND_LAST_OF_BATCH: &str = "SELECT id FROM sessions WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";

/// Deletes the expired refresh tokens of the sessions next to `after`, a batch of them, and says where to go on; nothing
/// at the end. Presented again, such a token is refused by its absence.
///
/// By session, for an index of the times would cost every refresh more than it spares this.
pub async fn delete_expired_refresh(
    conn: &mut Conn,
    after: SessionId,
    limit: Ts,
) -> Result<Option<SessionId>, DbError> {
    let last: Option<(SessionId,)> = run!(conn, fetch_optional, FIND_LAST_OF_BATCH, after, BATCH - 1)?;
    run!(conn, execute, DELETE_EXPIRED_REFRESH, limit, after, BATCH)?;
    Ok(last.map(|(id,)| id))
}

const DELETE_OF: &str = "
    DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 LIMIT $2)";

/// Deletes sessions of a person, a batch of them, with their refresh tokens; says how many.
pub async fn delete_of(conn: &mut Conn, user: UserId) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OF, user, BATCH)
}

const DELETE_OLD: &str = "
    DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE absolute_expires_at < $1 ORDER BY absolute_expires_at LIMIT $2)";

/// Deletes sessions that could no longer live at `limit`.
pub async fn delete_old(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD, limit, BATCH)
}

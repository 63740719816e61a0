//! SQL of the console's sessions and of the token that sets an installation up.

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::TokenHash,
    sessions::store::LiveSession,
};

const TOUCH: &str = "
    UPDATE sessions SET
        last_used_at = $2,
        expires_at = CASE WHEN absolute_expires_at < $3 THEN absolute_expires_at ELSE $3 END
    WHERE credential_hash = $1 AND ended_at IS NULL AND expires_at > $2
    RETURNING id, user_id, auth_methods, authenticated_at, expires_at, absolute_expires_at,
              (SELECT token_version FROM users WHERE users.id = sessions.user_id
                    AND users.status = 'active' AND users.deleted_at IS NULL) AS token_version,
              (SELECT version FROM role_catalogue) AS catalogue_version";

/// Carries the live session with this credential on; nothing when it has ended.
pub async fn touch(
    conn: &mut Conn,
    credential: &TokenHash,
    idle_until: Ts,
    now: Ts,
) -> Result<Option<LiveSession>, DbError> {
    run!(conn, fetch_optional, TOUCH, credential.as_bytes(), now, idle_until)
}

const PUT_SETUP_TOKEN: &str = "
    INSERT INTO setup_tokens (id, token_hash, created_at) VALUES (1, $1, $2)
    ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at, used_at = NULL
        WHERE setup_tokens.token_hash <> excluded.token_hash";

/// Makes this the token that sets the installation up; one that was used stays used.
pub async fn put_setup_token(conn: &mut Conn, hash: &TokenHash, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, PUT_SETUP_TOKEN, hash.as_bytes(), now).map(drop)
}

const COUNT_SETUP_TOKEN: &str = "SELECT COUNT(*) FROM setup_tokens WHERE token_hash = $1 AND used_at IS NULL";

/// Whether this is the token that sets the installation up.
pub async fn is_setup_token(conn: &mut Conn, hash: &TokenHash) -> Result<bool, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_SETUP_TOKEN, hash.as_bytes())?;
    Ok(count > 0)
}

const SPEND_SETUP_TOKEN: &str = "UPDATE setup_tokens SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL";

/// Spends that token; false if it is another one, or spent.
pub async fn spend_setup_token(conn: &mut Conn, hash: &TokenHash, now: Ts) -> Result<bool, DbError> {
    Ok(run!(conn, execute, SPEND_SETUP_TOKEN, hash.as_bytes(), now)? > 0)
}

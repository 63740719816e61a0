//! SQL of providers' tokens.

use uuid::Uuid;

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
};

/// The sealed tokens of an identity.
#[derive(sqlx::FromRow)]
pub struct TokensRow {
    pub id: Uuid,
    pub issuer: String,
    pub subject: String,
    pub sealed_tokens: Vec<u8>,
}

const FIND: &str = "
    SELECT id, issuer, subject, sealed_tokens FROM oauth_accounts
    WHERE user_id = $1 AND provider = $2 AND linked_at IS NOT NULL AND unlinked_at IS NULL AND detached_at IS NULL
        AND sealed_tokens IS NOT NULL";

/// What is kept of a person's identity at a provider.
pub async fn find(conn: &mut Conn, user: UserId, provider: &str) -> Result<Option<TokensRow>, DbError> {
    run!(conn, fetch_optional, FIND, user, provider)
}

const CLAIM: &str = "
    UPDATE oauth_accounts SET renewing_until = $3
    WHERE id = $1 AND sealed_tokens = $2 AND (renewing_until IS NULL OR renewing_until <= $4)";

/// Begins to renew tokens; false when somebody else is at it, or they are others by now.
pub async fn claim(conn: &mut Conn, row: &TokensRow, until: Ts, now: Ts) -> Result<bool, DbError> {
    Ok(run!(conn, execute, CLAIM, row.id, row.sealed_tokens.as_slice(), until, now)? == 1)
}

const REPLACE: &str = "
    UPDATE oauth_accounts SET sealed_tokens = $2, renewing_until = NULL
    WHERE id = $1 AND renewing_until = $3 AND unlinked_at IS NULL";

/// Ends a renewal with new tokens; false when the identity ended, or a login brought others.
pub async fn replace(conn: &mut Conn, id: Uuid, sealed: &[u8], until: Ts) -> Result<bool, DbError> {
    Ok(run!(conn, execute, REPLACE, id, sealed, until)? == 1)
}

const RELEASE: &str = "UPDATE oauth_accounts SET renewing_until = NULL WHERE id = $1 AND renewing_until = $2";

/// Ends a renewal without new tokens.
pub async fn release(conn: &mut Conn, id: Uuid, until: Ts) -> Result<(), DbError> {
    run!(conn, execute, RELEASE, id, until).map(drop)
}

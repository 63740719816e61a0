//! Identities and handles in the database.

use uuid::Uuid;

use super::identity::Identity;
use crate::{
    db::{Conn, DbError, Ts, run},
    ids::{SessionId, TokenHash, UserId},
    sweep::BATCH,
    users::{DisplayName, store::UserRow},
};

/// A row of `oauth_accounts`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct IdentityRow {
    pub id: Uuid,
    pub user_id: UserId,
    pub provider: String,
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub display_name: Option<String>,
    pub created_at: Ts,
    pub linked_at: Option<Ts>,
    pub last_login_at: Option<Ts>,
    pub unlinked_at: Option<Ts>,
}

impl IdentityRow {
    /// As the wire shows it.
    pub fn into_wire(self) -> auth_sdk::Identity {
        auth_sdk::Identity {
            id: self.id,
            provider: self.provider,
            subject: self.subject,
            email: self.email,
            email_verified: self.email_verified,
            display_name: self.display_name,
            linked_at: self.linked_at.unwrap_or(self.created_at).into(),
            last_login_at: self.last_login_at.map(Into::into),
            unlinked_at: self.unlinked_at.map(Into::into),
        }
    }
}

const FIND: &str = "
    SELECT id, user_id, provider, subject, email, email_verified, display_name, created_at, linked_at,
           last_login_at, unlinked_at
    FROM oauth_accounts
    WHERE issuer = $1 AND subject = $2 AND linked_at IS NOT NULL AND detached_at IS NULL";

/// The linked identity of this subject, ended by its provider or not.
pub async fn find(conn: &mut Conn, issuer: &str, subject: &str) -> Result<Option<IdentityRow>, DbError> {
    run!(conn, fetch_optional, FIND, issuer, subject)
}

const FIND_PROPOSED: &str = "
    SELECT id, user_id, provider, subject, email, email_verified, display_name, created_at, linked_at,
           last_login_at, unlinked_at
    FROM oauth_accounts WHERE id = $1 AND linked_at IS NULL";

/// A proposed identity.
pub async fn find_proposed(conn: &mut Conn, id: Uuid) -> Result<Option<IdentityRow>, DbError> {
    run!(conn, fetch_optional, FIND_PROPOSED, id)
}

const LIST: &str = "
    SELECT id, user_id, provider, subject, email, email_verified, display_name, created_at, linked_at,
           last_login_at, unlinked_at
    FROM oauth_accounts WHERE user_id = $1 AND linked_at IS NOT NULL ORDER BY linked_at, id";

/// A person's identities, oldest first.
pub async fn list(conn: &mut Conn, user: UserId) -> Result<Vec<IdentityRow>, DbError> {
    run!(conn, fetch_all, LIST, user)
}

const INSERT: &str = "
    INSERT INTO oauth_accounts (id, user_id, provider, issuer, subject, email, email_verified, display_name, profile,
                                sealed_tokens, created_at, linked_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT DO NOTHING";

/// An identity to be.
pub struct NewIdentity<'a> {
    pub id: Uuid,
    pub user: UserId,
    pub identity: &'a Identity,
    /// Nothing for one that is only proposed.
    pub linked_at: Option<Ts>,
}

/// Adds an identity; false when the subject is linked already, or the account has one of the provider.
pub async fn insert(conn: &mut Conn, new: &NewIdentity<'_>, now: Ts) -> Result<bool, DbError> {
    let Identity { provider, issuer, subject, claims, .. } = new.identity;
    let (name, profile) = (new.identity.display_name(), new.identity.raw_profile());
    let added = run!(
        conn,
        execute,
        INSERT,
        new.id,
        new.user,
        provider.as_str(),
        issuer.as_str(),
        subject.as_str(),
        claims.email.as_deref(),
        claims.email_verified,
        name.as_ref().map(DisplayName::as_str),
        profile,
        new.identity.sealed_tokens(),
        now,
        new.linked_at
    )?;
    Ok(added == 1)
}

const REFRESH: &str = "
    UPDATE oauth_accounts
    SET email = $2, email_verified = $3, display_name = $4, profile = $5,
        sealed_tokens = COALESCE($6, sealed_tokens), last_login_at = $7, unlinked_at = NULL, renewing_until = NULL
    WHERE id = $1";

/// Notes a login by an identity, with what the provider says of the person now; false when it was taken away meanwhile. A
/// login without tokens, by an ID token, keeps those of the one before.
pub async fn refresh(conn: &mut Conn, id: Uuid, identity: &Identity, now: Ts) -> Result<bool, DbError> {
    let (name, profile) = (identity.display_name(), identity.raw_profile());
    let (email, is_verified) = (identity.claims.email.as_deref(), identity.claims.email_verified);
    let name = name.as_ref().map(DisplayName::as_str);
    let tokens = identity.sealed_tokens();
    Ok(run!(conn, execute, REFRESH, id, email, is_verified, name, profile, tokens, now)? == 1)
}

const LINK_PROPOSED: &str = "
    UPDATE oauth_accounts SET linked_at = $2, last_login_at = $2
    WHERE id = $1 AND linked_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM oauth_accounts AS other
                        WHERE other.linked_at IS NOT NULL AND other.id <> oauth_accounts.id
                            AND (other.issuer = oauth_accounts.issuer AND other.subject = oauth_accounts.subject
                                    AND other.detached_at IS NULL
                                OR other.user_id = oauth_accounts.user_id AND other.provider = oauth_accounts.provider))";

/// Links a proposed identity; false when it was linked meanwhile, here or elsewhere.
pub async fn link_proposed(conn: &mut Conn, id: Uuid, now: Ts) -> Result<bool, DbError> {
    match run!(conn, execute, LINK_PROPOSED, id, now) {
        Ok(linked) => Ok(linked == 1),
        Err(DbError::Duplicate) => Ok(false),
        Err(other) => Err(other),
    }
}

const DELETE: &str = "
    DELETE FROM oauth_accounts WHERE user_id = $1 AND provider = $2 AND linked_at IS NOT NULL RETURNING issuer, subject";

/// Takes an identity from an account; its issuer and subject, if there was one.
pub async fn delete(conn: &mut Conn, user: UserId, provider: &str) -> Result<Option<(String, String)>, DbError> {
    run!(conn, fetch_optional, DELETE, user, provider)
}

const PROPOSE_AGAIN: &str = "
    UPDATE oauth_accounts SET created_at = $4
    WHERE user_id = $1 AND issuer = $2 AND subject = $3 AND linked_at IS NULL RETURNING id";

/// The identity, if it was proposed to this account before; it waits anew.
pub async fn propose_again(
    conn: &mut Conn,
    user: UserId,
    identity: &Identity,
    now: Ts,
) -> Result<Option<Uuid>, DbError> {
    let (issuer, subject) = (identity.issuer.as_str(), identity.subject.as_str());
    let row: Option<(Uuid,)> = run!(conn, fetch_optional, PROPOSE_AGAIN, user, issuer, subject, now)?;
    Ok(row.map(|(id,)| id))
}

const DELETE_ENDED: &str = "
    DELETE FROM oauth_accounts WHERE user_id = $1 AND provider = $2 AND unlinked_at IS NOT NULL";

/// Forgets an identity that its provider ended: it must not stand in the way of the one that came in its place there.
pub async fn delete_ended(conn: &mut Conn, user: UserId, provider: &str) -> Result<(), DbError> {
    run!(conn, execute, DELETE_ENDED, user, provider).map(drop)
}

const DELETE_SINCE: &str = "
    DELETE FROM oauth_accounts
    WHERE user_id = $1 AND linked_at >= (SELECT created_at FROM sessions WHERE id = $2)";

/// Takes the identities from an account that were linked since this session began.
pub async fn delete_since(conn: &mut Conn, user: UserId, session: SessionId) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_SINCE, user, session)
}

const DELETE_ALL: &str = "DELETE FROM oauth_accounts WHERE user_id = $1";

/// Takes every identity from an account, proposed ones too.
pub async fn delete_all(conn: &mut Conn, user: UserId) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_ALL, user)
}

const END: &str = "
    UPDATE oauth_accounts SET unlinked_at = $2, sealed_tokens = NULL WHERE id = $1 AND unlinked_at IS NULL";

/// Notes that a provider ended an identity, whose tokens are worthless by that; false when it had before.
pub async fn end(conn: &mut Conn, id: Uuid, now: Ts) -> Result<bool, DbError> {
    Ok(run!(conn, execute, END, id, now)? == 1)
}

const COUNT_OTHERS: &str = "
    SELECT COUNT(*) FROM oauth_accounts
    WHERE user_id = $1 AND provider <> $2 AND linked_at IS NOT NULL AND unlinked_at IS NULL";

/// How many other ways in through providers an account has.
pub async fn count_others(conn: &mut Conn, user: UserId, provider: &str) -> Result<i64, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_OTHERS, user, provider)?;
    Ok(count)
}

const DETACH: &str = "UPDATE oauth_accounts SET detached_at = $2 WHERE user_id = $1 AND detached_at IS NULL";

/// Lets whoever deleted their account begin anew with the same identities.
pub async fn detach(conn: &mut Conn, user: UserId, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, DETACH, user, now).map(drop)
}

const DELETE_TAKEN: &str = "
    DELETE FROM oauth_accounts
    WHERE user_id = $1 AND detached_at IS NOT NULL
        AND EXISTS (SELECT 1 FROM oauth_accounts AS other
                    WHERE other.issuer = oauth_accounts.issuer AND other.subject = oauth_accounts.subject
                        AND other.linked_at IS NOT NULL AND other.detached_at IS NULL)";
const ATTACH: &str = "UPDATE oauth_accounts SET detached_at = NULL WHERE user_id = $1";

/// Gives a restored account its identities back, but for those that another account has by now.
pub async fn attach(conn: &mut Conn, user: UserId) -> Result<(), DbError> {
    run!(conn, execute, DELETE_TAKEN, user)?;
    run!(conn, execute, ATTACH, user).map(drop)
}

const DELETE_OLD_PROPOSALS: &str = "
    DELETE FROM oauth_accounts WHERE id IN (
        SELECT id FROM oauth_accounts WHERE linked_at IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2)";

/// Forgets identities that nobody has proven to be theirs.
pub async fn delete_old_proposals(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD_PROPOSALS, limit, BATCH)
}

const CLAIM_ACCOUNT: &str = "
    UPDATE users SET password_hash = NULL, password_changed_at = $3, email_verified_at = $3, status = 'active',
                     username = NULL, wished_username = NULL, display_name = $4, phone = NULL, avatar_url = NULL,
                     token_version = token_version + 1, updated_at = $3
    WHERE id = $1 AND email = $2 AND email_verified_at IS NULL AND status <> 'disabled' AND deleted_at IS NULL
    RETURNING token_version";

/// Gives an account without a proven address to whoever proved the address, without its password and without what a
/// stranger may have said of themselves; gives the version below which its tokens are refused, or nothing when it was
/// proven, changed or closed meanwhile.
pub async fn claim_account(
    conn: &mut Conn,
    user: &UserRow,
    identity: &Identity,
    now: Ts,
) -> Result<Option<i64>, DbError> {
    let (email, name) = (user.email.as_deref(), identity.display_name());
    let name = name.as_ref().map(DisplayName::as_str);
    let row: Option<(i64,)> = run!(conn, fetch_optional, CLAIM_ACCOUNT, user.id, email, now, name)?;
    Ok(row.map(|(version,)| version))
}

const SET_AVATAR: &str = "UPDATE users SET avatar_url = $2 WHERE id = $1";

/// Gives a new account a picture.
pub async fn set_avatar(conn: &mut Conn, user: UserId, url: &str) -> Result<(), DbError> {
    run!(conn, execute, SET_AVATAR, user, url).map(drop)
}

const LOCK_ACCOUNT: &str = "UPDATE users SET updated_at = updated_at WHERE id = $1 AND deleted_at IS NULL";

/// Holds an account until the transaction ends; false when it is gone.
pub async fn lock_account(conn: &mut Conn, user: UserId) -> Result<bool, DbError> {
    Ok(run!(conn, execute, LOCK_ACCOUNT, user)? == 1)
}

const INSERT_HANDLE: &str = "
    INSERT INTO oauth_handles (handle_hash, kind, details, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";

/// Adds a handle.
pub async fn insert_handle(
    conn: &mut Conn,
    (hash, kind): (&TokenHash, &str),
    details: &str,
    expires_at: Ts,
    now: Ts,
) -> Result<(), DbError> {
    run!(conn, execute, INSERT_HANDLE, hash.as_bytes(), kind, details, now, expires_at).map(drop)
}

const USE_HANDLE: &str = "
    UPDATE oauth_handles SET used_at = $3
    WHERE handle_hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3
    RETURNING details";

/// Spends a handle.
pub async fn use_handle(conn: &mut Conn, hash: &TokenHash, kind: &str, now: Ts) -> Result<Option<String>, DbError> {
    let row: Option<(String,)> = run!(conn, fetch_optional, USE_HANDLE, hash.as_bytes(), kind, now)?;
    Ok(row.map(|(details,)| details))
}

const FIND_HANDLE: &str = "
    SELECT details FROM oauth_handles WHERE handle_hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3";

/// What a handle stands for that is good.
pub async fn find_handle(conn: &mut Conn, hash: &TokenHash, kind: &str, now: Ts) -> Result<Option<String>, DbError> {
    let row: Option<(String,)> = run!(conn, fetch_optional, FIND_HANDLE, hash.as_bytes(), kind, now)?;
    Ok(row.map(|(details,)| details))
}

const INSERT_USED: &str = "
    INSERT INTO oauth_handles (handle_hash, kind, details, created_at, expires_at, used_at)
    VALUES ($1, 'used', '{}', $2, $3, $2)
    ON CONFLICT DO NOTHING";

/// Notes a use; false when there was one before.
pub async fn insert_used(conn: &mut Conn, hash: &TokenHash, until: Ts, now: Ts) -> Result<bool, DbError> {
    Ok(run!(conn, execute, INSERT_USED, hash.as_bytes(), now, until)? == 1)
}

const DELETE_EXPIRED_HANDLES: &str = "
    DELETE FROM oauth_handles WHERE handle_hash IN (
        SELECT handle_hash FROM oauth_handles WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

/// Deletes handles that are too old, used or not.
pub async fn delete_expired_handles(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_EXPIRED_HANDLES, limit, BATCH)
}

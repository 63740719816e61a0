//! SQL of accounts and of the roles they hold.

use auth_sdk::{User, UserStatus};

use super::{DisplayName, Email, Locale, Username, search};
use crate::{
    db::{Conn, DbError, Ts, run},
    fields::Change,
    ids::UserId,
    roles::DEFAULT_ROLE,
};

/// A row of `users`.
#[derive(Clone, sqlx::FromRow)]
pub struct UserRow {
    pub id: UserId,
    pub email: Option<String>,
    pub email_verified_at: Option<Ts>,
    pub username: Option<String>,
    pub display_name: Option<String>,
    pub phone: Option<String>,
    pub avatar_url: Option<String>,
    pub locale: String,
    pub status: String,
    pub password_hash: Option<String>,
    pub password_changed_at: Option<Ts>,
    pub token_version: i64,
    pub created_at: Ts,
    pub updated_at: Ts,
    pub last_login_at: Option<Ts>,
    pub deleted_at: Option<Ts>,
    pub catalogue_version: i64,
}

impl UserRow {
    /// Whether the account may be used; a status that this release does not know closes it.
    pub fn status(&self) -> UserStatus {
        match self.status.as_str() {
            "active" => UserStatus::Active,
            "pending" => UserStatus::Pending,
            _ => UserStatus::Disabled,
        }
    }

    /// The account as the wire shows it.
    pub fn into_wire(self, roles: Vec<String>, permissions: Vec<String>) -> User {
        User {
            id: self.id.0,
            status: self.status(),
            email: self.email,
            email_verified: self.email_verified_at.is_some(),
            username: self.username,
            display_name: self.display_name,
            phone: self.phone,
            avatar_url: self.avatar_url,
            locale: self.locale,
            mfa_enabled: false,
            roles,
            permissions,
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
            last_login_at: self.last_login_at.map(Into::into),
            deleted_at: self.deleted_at.map(Into::into),
        }
    }
}

/// A status as it is stored.
pub const fn status_to_text(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "active",
        UserStatus::Disabled => "disabled",
        UserStatus::Pending => "pending",
    }
}

/// An account with a role that it holds and one of the permissions of that role.
#[derive(sqlx::FromRow)]
pub struct GrantRow {
    #[sqlx(flatten)]
    pub user: UserRow,
    pub role: Option<String>,
    pub permission: Option<String>,
    pub expires_at: Option<Ts>,
}

/// An account to be.
pub struct NewUser {
    pub id: UserId,
    /// None for somebody of whom none is known.
    pub email: Option<Email>,
    pub username: Option<Username>,
    pub display_name: Option<DisplayName>,
    pub locale: Locale,
    /// None for somebody who is yet to choose one.
    pub password_hash: Option<String>,
    pub status: UserStatus,
}

/// What became of a new account.
pub enum Inserted {
    Yes,
    EmailTaken,
    UsernameTaken,
}

const INSERT: &str = "
    INSERT INTO users (id, email, username, display_name, locale, status, password_hash, password_changed_at,
                       token_version, created_at, updated_at, search_text, search_name, wished_username)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $8, $8, $9, $10, $11)
    ON CONFLICT DO NOTHING";
const GRANT_ROLE: &str = "
    INSERT INTO user_roles (user_id, role_id, granted_at) SELECT $1, id, $3 FROM roles WHERE name = $2";
const COUNT_EMAIL: &str = "SELECT COUNT(*) FROM users WHERE email = $1 AND deleted_at IS NULL";

/// Adds an account with the default role, unless its address or name is taken.
pub async fn insert(conn: &mut Conn, user: &NewUser, now: Ts) -> Result<Inserted, DbError> {
    let (email, username) = (user.email.as_ref().map(Email::as_str), user.username.as_ref().map(Username::as_str));
    // Whoever has not proven the address holds no name.
    let is_claim = user.status == UserStatus::Pending && user.password_hash.is_some();
    let (username, wished) = if is_claim { (None, username) } else { (username, None) };
    let display_name = user.display_name.as_ref().map(DisplayName::as_str);
    let (locale, status) = (user.locale.as_str(), status_to_text(user.status));
    let (text, name) = (search::text(email, username, display_name), display_name.map(search::fold));
    let (hash, name) = (user.password_hash.as_deref(), name.as_deref());
    let added = run!(
        conn,
        execute,
        INSERT,
        user.id,
        email,
        username,
        display_name,
        locale,
        status,
        hash,
        now,
        text,
        name,
        wished
    )?;
    if added == 0 {
        let (taken,): (i64,) = run!(conn, fetch_one, COUNT_EMAIL, email)?;
        return Ok(if taken > 0 { Inserted::EmailTaken } else { Inserted::UsernameTaken });
    }
    run!(conn, execute, GRANT_ROLE, user.id, DEFAULT_ROLE, now)?;
    Ok(Inserted::Yes)
}

const CONTEST: &str = "
    UPDATE users SET password_hash = NULL, password_changed_at = $2, display_name = $3, wished_username = $4,
                     updated_at = $2
    WHERE id = $1 AND status = 'pending' AND email_verified_at IS NULL AND password_hash IS NOT NULL
        AND deleted_at IS NULL";

/// Takes the password of an account that nobody has proven to be theirs, since somebody else claims it too: whoever reads
/// mail at its address is to choose one.
pub async fn contest(conn: &mut Conn, id: UserId, by: &NewUser, now: Ts) -> Result<(), DbError> {
    let username = by.username.as_ref().map(Username::as_str);
    let display_name = by.display_name.as_ref().map(DisplayName::as_str);
    run!(conn, execute, CONTEST, id, now, display_name, username).map(drop)
}

const GRANT_WISH: &str = "
    UPDATE users SET username = COALESCE(username, wished_username), wished_username = NULL
    WHERE id = $1 AND wished_username IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM users AS other
        WHERE lower(other.username) = lower(users.wished_username) AND other.deleted_at IS NULL)";

/// Gives an account whose address was proven the username that was wished for with it, if nobody has it.
pub async fn grant_wish(conn: &mut Conn, id: UserId) -> Result<(), DbError> {
    if run!(conn, execute, GRANT_WISH, id)? > 0 { index(conn, id).await } else { Ok(()) }
}

const FIND: &str = "
    SELECT id, email, email_verified_at, username, display_name, phone, avatar_url, locale, status, password_hash,
           password_changed_at, token_version, created_at, updated_at, last_login_at, deleted_at,
           (SELECT version FROM role_catalogue) AS catalogue_version
    FROM users WHERE id = $1 AND deleted_at IS NULL";

/// The account with this id.
pub async fn find(conn: &mut Conn, id: UserId) -> Result<Option<UserRow>, DbError> {
    run!(conn, fetch_optional, FIND, id)
}

const FIND_BY_EMAIL: &str = "
    SELECT id, email, email_verified_at, username, display_name, phone, avatar_url, locale, status, password_hash,
           password_changed_at, token_version, created_at, updated_at, last_login_at, deleted_at,
           (SELECT version FROM role_catalogue) AS catalogue_version
    FROM users WHERE email = $1 AND deleted_at IS NULL";

/// The account with this address.
pub async fn find_by_email(conn: &mut Conn, email: &Email) -> Result<Option<UserRow>, DbError> {
    run!(conn, fetch_optional, FIND_BY_EMAIL, email.as_str())
}

const FIND_BY_USERNAME: &str = "
    SELECT id, email, email_verified_at, username, display_name, phone, avatar_url, locale, status, password_hash,
           password_changed_at, token_version, created_at, updated_at, last_login_at, deleted_at,
           (SELECT version FROM role_catalogue) AS catalogue_version
    FROM users WHERE lower(username) = lower($1) AND deleted_at IS NULL";

/// The account with this name.
pub async fn find_by_username(conn: &mut Conn, username: &Username) -> Result<Option<UserRow>, DbError> {
    run!(conn, fetch_optional, FIND_BY_USERNAME, username.as_str())
}

const FIND_ID_BY_EMAIL: &str = "SELECT id FROM users WHERE email = $1 AND deleted_at IS NULL";

/// Whose address this is.
pub async fn find_id_by_email(conn: &mut Conn, email: &Email) -> Result<Option<UserId>, DbError> {
    let row: Option<(UserId,)> = run!(conn, fetch_optional, FIND_ID_BY_EMAIL, email.as_str())?;
    Ok(row.map(|(id,)| id))
}

const FIND_WITH_GRANTS: &str = "
    SELECT users.id, users.email, users.email_verified_at, users.username, users.display_name, users.phone,
           users.avatar_url, users.locale, users.status, users.password_hash, users.password_changed_at,
           users.token_version, users.created_at, users.updated_at, users.last_login_at, users.deleted_at,
           (SELECT version FROM role_catalogue) AS catalogue_version,
           roles.name AS role, permissions.name AS permission, user_roles.expires_at
    FROM users
    LEFT JOIN user_roles ON user_roles.user_id = users.id
        AND (user_roles.expires_at IS NULL OR user_roles.expires_at > $2)
    LEFT JOIN roles ON roles.id = user_roles.role_id
    LEFT JOIN role_permissions ON role_permissions.role_id = roles.id
    LEFT JOIN permissions ON permissions.id = role_permissions.permission_id
    WHERE users.id = $1 AND users.deleted_at IS NULL";

/// The account with this id, once for each permission that it has now, and at least once.
///
/// One statement, for versions and rights must be of one moment: new versions with old rights would stay.
pub async fn find_with_grants(conn: &mut Conn, id: UserId, now: Ts) -> Result<Vec<GrantRow>, DbError> {
    run!(conn, fetch_all, FIND_WITH_GRANTS, id, now)
}

/// What a person changes about themselves.
pub struct ProfileChange {
    pub display_name: Change<String>,
    pub username: Change<String>,
    pub phone: Change<String>,
    pub avatar_url: Change<String>,
    pub locale: Change<String>,
}

const UPDATE_PROFILE: &str = "
    UPDATE users SET
        display_name = CASE WHEN $2 THEN display_name ELSE $3 END,
        username = CASE WHEN $4 THEN username ELSE $5 END,
        phone = CASE WHEN $6 THEN phone ELSE $7 END,
        avatar_url = CASE WHEN $8 THEN avatar_url ELSE $9 END,
        locale = CASE WHEN $10 THEN locale ELSE $11 END,
        updated_at = $12
    WHERE id = $1 AND deleted_at IS NULL";

/// Changes a profile in one statement; [`DbError::Duplicate`] when the name is taken.
pub async fn update_profile(conn: &mut Conn, id: UserId, change: &ProfileChange, now: Ts) -> Result<u64, DbError> {
    let (keeps_name, name) = change.display_name.as_bind();
    let (keeps_username, username) = change.username.as_bind();
    let (keeps_phone, phone) = change.phone.as_bind();
    let (keeps_avatar, avatar) = change.avatar_url.as_bind();
    let (keeps_locale, locale) = change.locale.as_bind();
    run!(
        conn,
        execute,
        UPDATE_PROFILE,
        id,
        keeps_name,
        name,
        keeps_username,
        username,
        keeps_phone,
        phone,
        keeps_avatar,
        avatar,
        keeps_locale,
        locale,
        now
    )
}

const FIND_NAMES: &str = "SELECT email, username, display_name FROM users WHERE id = $1";
const UPDATE_SEARCH: &str = "UPDATE users SET search_text = $2, search_name = $3 WHERE id = $1";

/// Makes an account found by the address and names that it has now.
pub async fn index(conn: &mut Conn, id: UserId) -> Result<(), DbError> {
    let row: Option<(Option<String>, Option<String>, Option<String>)> = run!(conn, fetch_optional, FIND_NAMES, id)?;
    let Some((email, username, name)) = row else { return Ok(()) };
    let text = search::text(email.as_deref(), username.as_deref(), name.as_deref());
    run!(conn, execute, UPDATE_SEARCH, id, text, name.as_deref().map(search::fold).as_deref()).map(drop)
}

const UPDATE_PASSWORD: &str = "
    UPDATE users SET password_hash = $3, password_changed_at = $4, updated_at = $4
    WHERE id = $1 AND deleted_at IS NULL AND (password_hash = $2 OR (password_hash IS NULL AND $2 IS NULL))";

/// Sets a new password in place of `old`; 0 when another one has taken its place meanwhile.
pub async fn update_password(
    conn: &mut Conn,
    id: UserId,
    old: Option<&str>,
    new: &str,
    now: Ts,
) -> Result<u64, DbError> {
    run!(conn, execute, UPDATE_PASSWORD, id, old, new, now)
}

const UPGRADE_PASSWORD_HASH: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";

/// Replaces the hash of an unchanged password by a better one of the same password.
pub async fn upgrade_password_hash(conn: &mut Conn, id: UserId, old: &str, new: &str) -> Result<(), DbError> {
    run!(conn, execute, UPGRADE_PASSWORD_HASH, id, old, new).map(drop)
}

const RECORD_LOGIN: &str = "
    UPDATE users SET last_login_at = $2
    WHERE id = $1 AND status = 'active' AND deleted_at IS NULL AND password_changed_at IS NOT DISTINCT FROM $3";

/// Notes a login by password; false when the account was closed or given another password while this one was checked. A
/// better hash of the same password is no other password: logins at once may each bring one.
pub async fn record_login(conn: &mut Conn, user: &UserRow, now: Ts) -> Result<bool, DbError> {
    Ok(run!(conn, execute, RECORD_LOGIN, user.id, now, user.password_changed_at)? == 1)
}

const SET_STATUS: &str = "
    UPDATE users SET status = $2, updated_at = $3, token_version = token_version + 1
    WHERE id = $1 AND deleted_at IS NULL AND status <> $2 RETURNING token_version";

/// Opens or closes an account; gives the version below which its tokens are refused, or nothing where it was so already.
pub async fn set_status(conn: &mut Conn, id: UserId, status: UserStatus, now: Ts) -> Result<Option<i64>, DbError> {
    let row: Option<(i64,)> = run!(conn, fetch_optional, SET_STATUS, id, status_to_text(status), now)?;
    Ok(row.map(|(version,)| version))
}

const VOUCH: &str = "
    UPDATE users SET email_verified_at = COALESCE(email_verified_at, $2) WHERE id = $1 AND email IS NOT NULL";

/// Takes an address for proven, where there is one.
pub async fn vouch(conn: &mut Conn, id: UserId, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, VOUCH, id, now).map(drop)
}

const RAISE_VERSION: &str = "
    UPDATE users SET token_version = token_version + 1, updated_at = $2
    WHERE id = $1 AND deleted_at IS NULL RETURNING token_version";

/// The version below which a person's tokens are refused from now on.
pub async fn raise_version(conn: &mut Conn, id: UserId, now: Ts) -> Result<Option<i64>, DbError> {
    let row: Option<(i64,)> = run!(conn, fetch_optional, RAISE_VERSION, id, now)?;
    Ok(row.map(|(version,)| version))
}

const LOCK_UNCHANGED: &str = "
    UPDATE users SET updated_at = updated_at
    WHERE id = $1 AND status = 'active' AND deleted_at IS NULL AND password_changed_at IS NOT DISTINCT FROM $2";

/// Locks an account for the rest of the transaction; false when it was closed or given another password meanwhile.
pub async fn lock_unchanged(conn: &mut Conn, user: &UserRow) -> Result<bool, DbError> {
    Ok(run!(conn, execute, LOCK_UNCHANGED, user.id, user.password_changed_at)? == 1)
}

const VOID_PASSWORD: &str = "
    UPDATE users SET password_hash = NULL, password_changed_at = $2, updated_at = $2 WHERE id = $1";

/// Takes an account's password: nobody logs in by it before a new one is chosen.
pub async fn void_password(conn: &mut Conn, id: UserId, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, VOID_PASSWORD, id, now).map(drop)
}

const SOFT_DELETE: &str = "
    UPDATE users SET deleted_at = $2, updated_at = $2, token_version = token_version + 1
    WHERE id = $1 AND deleted_at IS NULL RETURNING token_version";

/// Deletes an account softly, so that its address is free; gives the version below which its tokens are refused.
pub async fn soft_delete(conn: &mut Conn, id: UserId, now: Ts) -> Result<Option<i64>, DbError> {
    let row: Option<(i64,)> = run!(conn, fetch_optional, SOFT_DELETE, id, now)?;
    Ok(row.map(|(version,)| version))
}

//! Sets an installation up: the first administrator is made by whoever has the token that was printed at start.

use auth_sdk::UserStatus;
use aws_lc_rs::hmac;

use super::store;
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    config::Config,
    db::{Db, DbError, Ts},
    error::{Error, Result},
    ids::{OpaqueToken, UserId},
    operator,
    passwords::{NewPassword, OwnWords},
    roles,
    users::{
        self, DisplayName, Email, Locale,
        store::{Inserted, NewUser},
    },
};

/// What the token is derived for, where it is derived.
const LABEL: &[u8] = b"auth-system set-up token";

/// Who is to administer.
pub struct Founder {
    /// The token that was printed at start.
    pub token: OpaqueToken,
    /// Their address, which whoever has the token vouches for.
    pub email: Email,
    /// Their password.
    pub password: NewPassword,
    /// What to call them.
    pub display_name: Option<DisplayName>,
    /// What language they read.
    pub locale: Locale,
}

/// Whether nobody administers the installation yet.
///
/// # Errors
/// When the database fails.
pub async fn is_due(db: &Db) -> Result<bool, DbError> {
    Ok(roles::store::count_administrators(&mut db.read().await?).await? == 0)
}

/// The token by which the first administrator can be made; nothing when there is one, or no console. Instances that share
/// `ADMIN_CLIENT_SECRET` have the same; one with another secret makes the one before worthless.
///
/// # Errors
/// When the database fails.
pub async fn prepare(db: &Db, config: &Config, now: Ts) -> Result<Option<OpaqueToken>, DbError> {
    let Some(secret) = &config.console_secret else { return Ok(None) };
    if !is_due(db).await? {
        return Ok(None);
    }
    let token = derive(secret.expose());
    let mut tx = db.begin().await?;
    store::put_setup_token(&mut tx, &token.hash(), now).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Makes the first administrator.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`], [`Error::EmailTaken`], [`Error::WeakPassword`], [`Error::Busy`].
pub async fn run(app: &App, founder: Founder, client: &Client) -> Result<UserId> {
    let Founder { token, email, password, display_name, locale } = founder;
    let hash = token.hash();
    // Before the password is hashed: nobody else's guesses are worth the work.
    if !store::is_setup_token(&mut app.db.read().await?, &hash).await? {
        return Err(Error::InvalidOrExpiredToken);
    }
    let own_words = OwnWords::new(display_name.iter().map(DisplayName::as_str).chain([email.as_str()]));
    let password_hash = app.hash_new_password("password", password, own_words).await?;
    let now = app.now();
    let id = UserId(app.entropy.uuid(now));
    let (email, password_hash, status) = (Some(email), Some(password_hash), UserStatus::Active);
    let user = NewUser { id, email, username: None, display_name, locale, password_hash, status };
    let mut tx = app.db.begin().await?;
    if !store::spend_setup_token(&mut tx, &hash, now).await? {
        return Err(Error::InvalidOrExpiredToken);
    }
    roles::store::lock(&mut tx).await?;
    if roles::store::count_administrators(&mut tx).await? > 0 {
        return Err(Error::InvalidOrExpiredToken);
    }
    match users::store::insert(&mut tx, &user, now).await? {
        Inserted::Yes => {}
        Inserted::EmailTaken | Inserted::UsernameTaken => return Err(Error::EmailTaken),
    }
    operator::appoint(&mut tx, id, now).await?;
    audit::Entry::about(Event::UserCreated, Some(id), client).record(&mut tx, now).await?;
    audit::Entry::about(Event::UserRolesChanged, Some(id), client).record(&mut tx, now).await?;
    tx.commit().await?;
    tracing::warn!(user = %id.0, "the installation was set up: its first administrator was made");
    Ok(id)
}

/// The same wherever the secret is the same, and nothing to whoever has not the secret.
fn derive(secret: &str) -> OpaqueToken {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), LABEL);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    OpaqueToken::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_with_one_secret_have_one_token() {
        assert_eq!(derive("one").to_wire(), derive("one").to_wire());
        assert_ne!(derive("one").to_wire(), derive("other").to_wire());
    }
}

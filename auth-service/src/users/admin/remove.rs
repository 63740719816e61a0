//! Deletes accounts softly, and brings them back.

use auth_sdk::User;

use super::{
    lock, record,
    store::{self, Restored},
};
use crate::{
    app::App,
    audit::Event,
    caller::Caller,
    client::Client,
    db::DbError,
    error::{Error, Result},
    ids::UserId,
    roles::Rights,
    social,
    users::{self, Profile, shut_out},
};

/// Deletes an account: it is gone for everyone, and its address is free.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`], [`Error::LastAdministrator`].
pub async fn delete(app: &App, caller: &Caller, id: UserId, client: &Client) -> Result<()> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let (_, rights) = lock(app, &mut tx, caller, id).await?;
    let version = users::store::soft_delete(&mut tx, id, now).await?.ok_or(Error::NotFound)?;
    rights.keep_an_administrator(&mut tx).await?;
    let sessions = shut_out(app, &mut tx, id, "account_deleted", now).await?;
    social::store::detach(&mut tx, id, now).await?;
    let tokens = app.recorder(now).user(&mut tx, id, version).await?;
    record(app, &mut tx, Event::UserDeleted, caller, (id, client)).await?;
    app.commit(tx, tokens.and(sessions)).await?;
    app.user_changed(id);
    Ok(())
}

/// Brings a deleted account back, with the roles it had; its sessions, keys and links stay ended.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`], [`Error::EmailTaken`], [`Error::UsernameTaken`].
pub async fn restore(app: &App, caller: &Caller, id: UserId, client: &Client) -> Result<User> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let rights = Rights::lock(app, &mut tx, caller).await?;
    // Whoever is about to be erased cannot come back: a part of what was theirs may be gone.
    let erased_before = app.config.retention.deleted_users.before(now);
    match store::restore(&mut tx, id, erased_before, now).await {
        Ok(Restored::Yes) => {}
        Ok(Restored::NotFound) => return Err(Error::NotFound),
        Ok(Restored::EmailTaken) => return Err(Error::EmailTaken),
        Err(DbError::Duplicate) => return Err(Error::UsernameTaken),
        Err(other) => return Err(other.into()),
    }
    rights.cover_user(&mut tx, id, now).await?;
    match social::store::attach(&mut tx, id).await {
        Err(DbError::Duplicate) => return Err(Error::IdentityTaken),
        attached => attached?,
    }
    record(app, &mut tx, Event::UserRestored, caller, (id, client)).await?;
    let user = Profile::find(&mut tx, id, now).await?.ok_or(Error::NotFound)?.user;
    tx.commit().await?;
    app.user_changed(id);
    Ok(user)
}

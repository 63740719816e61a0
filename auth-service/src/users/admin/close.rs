//! Closes accounts, opens them again, and clears the count of guesses at them.

use auth_sdk::{User, UserStatus};

use super::{lock, record};
use crate::{
    app::App,
    audit::Event,
    caller::Caller,
    client::Client,
    error::{Error, Result},
    ids::UserId,
    login::Guess,
    mail::link,
    sessions::revoke,
    users::{Profile, store},
};

/// Closes an account: its sessions end, and its tokens and keys are refused everywhere within a second.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`], [`Error::LastAdministrator`].
pub async fn disable(app: &App, caller: &Caller, id: UserId, client: &Client) -> Result<User> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let (_, rights) = lock(app, &mut tx, caller, id).await?;
    let version = store::set_status(&mut tx, id, UserStatus::Disabled, now).await?;
    rights.keep_an_administrator(&mut tx).await?;
    link::end_all(&mut tx, id, now).await?;
    let mut pending = revoke::all(app, &mut tx, id, None, "disabled").await?;
    if let Some(version) = version {
        pending = pending.and(app.recorder(now).user(&mut tx, id, version).await?);
    }
    record(app, &mut tx, Event::UserDisabled, caller, (id, client)).await?;
    let user = Profile::find(&mut tx, id, now).await?.ok_or(Error::NotFound)?.user;
    app.commit(tx, pending).await?;
    app.user_changed(id);
    Ok(user)
}

/// Opens an account that was closed, or that waited for its address to be proven: then the caller vouches for it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`].
pub async fn enable(app: &App, caller: &Caller, id: UserId, client: &Client) -> Result<User> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let (user, _) = lock(app, &mut tx, caller, id).await?;
    if user.status() == UserStatus::Pending {
        store::vouch(&mut tx, id, now).await?;
    }
    store::set_status(&mut tx, id, UserStatus::Active, now).await?;
    record(app, &mut tx, Event::UserEnabled, caller, (id, client)).await?;
    let user = Profile::find(&mut tx, id, now).await?.ok_or(Error::NotFound)?.user;
    tx.commit().await?;
    app.user_changed(id);
    Ok(user)
}

/// Lets a person try their password again at once, however often strangers guessed at it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`].
pub async fn unlock(app: &App, caller: &Caller, id: UserId, client: &Client) -> Result<User> {
    let mut tx = app.db.begin().await?;
    lock(app, &mut tx, caller, id).await?;
    Guess::at_account(id, None).forget(app, &mut tx).await?;
    record(app, &mut tx, Event::UserUnlocked, caller, (id, client)).await?;
    let user = Profile::find(&mut tx, id, app.now()).await?.ok_or(Error::NotFound)?.user;
    tx.commit().await?;
    Ok(user)
}

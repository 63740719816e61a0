//! Changes a person's password.

use super::store::{self, UserRow};
use crate::{
    app::App,
    audit::{self, Event},
    caller::SessionCaller,
    client::Client,
    error::{Error, Result},
    ids::OpaqueToken,
    login::{self, confirm},
    mail::{self, Mail, link},
    passwords::{NewPassword, OwnWords, Password},
    sessions::revoke,
};

/// A password to be.
pub struct PasswordChange {
    /// The password as it is, unless the account has none.
    pub current: Option<Password>,
    /// The password to be.
    pub new: NewPassword,
    /// The device that it is changed on.
    pub device: Option<OpaqueToken>,
}

/// Replaces the caller's password, ends their other sessions, forgets every other device, and takes back every link:
/// whoever knew the old password may have made one known, or asked for one.
///
/// # Errors
/// [`Error::WrongPassword`] when `current` is not the password, [`Error::WeakPassword`], [`Error::TooManyRequests`]; for
/// an account without a password [`Error::ReauthenticationRequired`] unless the session is fresh.
pub async fn change(app: &App, caller: &SessionCaller, change: PasswordChange, client: &Client) -> Result<()> {
    let PasswordChange { current, new, device } = change;
    let user = prove(app, caller, current, client).await?;
    let names = [user.username.as_deref(), user.display_name.as_deref(), user.email.as_deref()];
    let own_words = OwnWords::new(names.into_iter().flatten());
    let hash = app.hash_new_password("new_password", new, own_words).await?;
    let now = app.now();
    let mut tx = app.db.begin().await?;
    if store::update_password(&mut tx, user.id, user.password_hash.as_deref(), &hash, now).await? == 0 {
        // Somebody else changed it, or deleted the account, while this was being proven.
        return Err(Error::WrongPassword);
    }
    let pending = revoke::all(app, &mut tx, user.id, Some(caller.session_id()), "password_changed").await?;
    link::end_all(&mut tx, user.id, now).await?;
    login::forget_devices(&mut tx, user.id, device.map(|token| token.hash()).as_ref()).await?;
    audit::Entry::new(Event::PasswordChanged, Some(user.id), client).count(pending.len()).record(&mut tx, now).await?;
    mail::notify(app, &mut tx, user.id, Mail::PasswordChanged, now).await?;
    app.commit(tx, pending).await?;
    app.user_changed(user.id);
    app.mail.wake();
    Ok(())
}

async fn prove(app: &App, caller: &SessionCaller, current: Option<Password>, client: &Client) -> Result<UserRow> {
    if let Some(current) = current {
        return confirm::password(app, caller, &current, client).await;
    }
    let user = store::find(&mut app.db.read().await?, caller.user_id()).await?.ok_or(Error::InvalidToken)?;
    if user.password_hash.is_some() {
        return Err(Error::WrongPassword);
    }
    caller.require_fresh(app).await?;
    Ok(user)
}

//! Sets the password of whoever holds a link to do so.

use super::store;
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    error::{Error, Result},
    ids::OpaqueToken,
    login,
    mail::{
        self, Mail,
        link::{self, Purpose},
    },
    passwords::{NewPassword, OwnWords},
    sessions::revoke,
    users,
};

/// An invitation is a reset of a password that never was.
const PURPOSES: [Purpose; 2] = [Purpose::ResetPassword, Purpose::Invitation];

/// Sets a new password. The address is thereby proven, every session ends, every device and every failed guess is
/// forgotten, and no other link that was sent is good any more.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`] whatever is wrong with the link; [`Error::WeakPassword`], which leaves it good.
pub async fn reset(app: &App, token: &OpaqueToken, new: NewPassword, client: &Client) -> Result<()> {
    let mut conn = app.db.read().await?;
    let link = link::look_at(&mut conn, PURPOSES, token, app.now()).await?.ok_or(Error::InvalidOrExpiredToken)?;
    let user = users::store::find(&mut conn, link.user_id).await?.ok_or(Error::InvalidOrExpiredToken)?;
    drop(conn);
    let names = [user.username.as_deref(), user.display_name.as_deref()];
    let own_words = OwnWords::new(names.into_iter().flatten().chain([user.email.as_str()]));
    let hash = app.hash_new_password("new_password", new, own_words).await?;

    let now = app.now();
    let mut tx = app.db.begin().await?;
    let link = link::spend(&mut tx, PURPOSES, token, now).await?.ok_or(Error::InvalidOrExpiredToken)?;
    if store::set_password(&mut tx, link.user_id, &link.email, &hash, now).await? == 0 {
        return Err(Error::InvalidOrExpiredToken);
    }
    link::end_all(&mut tx, link.user_id, now).await?;
    let pending = revoke::all(app, &mut tx, link.user_id, None, "password_reset").await?;
    login::forget_devices(&mut tx, link.user_id, None).await?;
    login::forget_guesses(app, &mut tx, link.user_id).await?;
    mail::notify(app, &mut tx, link.user_id, Mail::PasswordChanged, now).await?;
    let entry = audit::Entry::new(Event::PasswordReset, Some(link.user_id), client).count(pending.len());
    entry.record(&mut tx, now).await?;
    app.commit(tx, pending).await?;
    app.user_changed(link.user_id);
    app.mail.wake();
    Ok(())
}

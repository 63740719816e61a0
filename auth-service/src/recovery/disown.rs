//! Ends a session of which the account's owner says that it was somebody else's.

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
    sessions::revoke,
};

/// Ends the session that the link is about, and sends a link to choose a new password: whoever logged in knows the old
/// one. Every device is forgotten, for nobody can tell which others are theirs.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`].
pub async fn disown(app: &App, token: &OpaqueToken, client: &Client) -> Result<()> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let link = link::spend(&mut tx, [Purpose::NotMe; 2], token, now).await?.ok_or(Error::InvalidOrExpiredToken)?;
    let session = link.session_id.ok_or(Error::InvalidOrExpiredToken)?;
    let pending = revoke::one(app, &mut tx, session, link.user_id, "disowned").await?;
    login::forget_devices(&mut tx, link.user_id, None).await?;
    mail::notify(app, &mut tx, link.user_id, Mail::ResetPassword, now).await?;
    let entry = audit::Entry::new(Event::SessionDisowned, Some(link.user_id), client).session(session);
    entry.record(&mut tx, now).await?;
    app.commit(tx, pending).await?;
    app.mail.wake();
    Ok(())
}

//! Shuts out whoever began a session of which the account's owner says that it was not theirs.

use auth_sdk::UserStatus;

use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    error::{Error, Result},
    ids::OpaqueToken,
    mail::{
        self, Mail,
        link::{self, Purpose},
    },
    social,
    users::{self, shut_out},
};

/// Shuts everybody out and takes the password, which whoever logged in knows; a mail lets the owner choose another. Where
/// the account has another address by now, that may be the stranger's: then it is closed, for an operator to look at.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`].
pub async fn disown(app: &App, token: &OpaqueToken, client: &Client) -> Result<()> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let link = link::spend(&mut tx, [Purpose::NotMe; 2], token, now).await?.ok_or(Error::InvalidOrExpiredToken)?;
    let (id, session) = (link.user_id, link.session_id.ok_or(Error::InvalidOrExpiredToken)?);
    let user = users::store::find(&mut tx, id).await?.ok_or(Error::InvalidOrExpiredToken)?;
    let mut pending = shut_out(app, &mut tx, id, "disowned", now).await?;
    users::store::void_password(&mut tx, id, now).await?;
    // Also those by which the stranger would be back at once.
    let unlinked = social::store::delete_since(&mut tx, id, session).await?;
    let entry = audit::Entry::new(Event::SessionDisowned, Some(id), client).session(session);
    entry.detail("identities", unlinked).record(&mut tx, now).await?;
    if user.email == link.email {
        mail::notify(app, &mut tx, id, Mail::ResetPassword, now).await?;
    } else {
        if let Some(version) = users::store::set_status(&mut tx, id, UserStatus::Disabled, now).await? {
            pending = pending.and(app.recorder(now).user(&mut tx, id, version).await?);
        }
        audit::Entry::about(Event::UserDisabled, Some(id), client).record(&mut tx, now).await?;
    }
    app.commit(tx, pending).await?;
    app.user_changed(id);
    app.mail.wake();
    Ok(())
}

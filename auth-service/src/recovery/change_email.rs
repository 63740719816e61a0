//! Gives an account another address, once that was proven.

use super::store;
use crate::{
    app::App,
    audit::{self, Event},
    caller::SessionCaller,
    client::Client,
    db::DbError,
    error::{Error, Result},
    ids::OpaqueToken,
    mail::{
        self, Mail, Recipient,
        link::{self, Purpose},
    },
    users::{self, Email, Locale},
};

/// Sends a link to the new address and a notice to the old one, if there is one. An address that is taken is answered like any other, and
/// sent nothing.
///
/// # Errors
/// [`Error::ReauthenticationRequired`] unless the session is fresh, [`Error::MailNotConfigured`],
/// [`Error::TooManyRequests`] for the account.
pub async fn request(app: &App, caller: &SessionCaller, new: &Email, client: &Client) -> Result<()> {
    mail::require_configured(app)?;
    caller.require_fresh(app).await?;
    let (id, now) = (caller.user_id(), app.now());
    app.limits.change_email(id, now).await?;
    let mut tx = app.db.begin().await?;
    let user = users::store::find(&mut tx, id).await?.ok_or(Error::InvalidToken)?;
    let is_taken = users::store::find_id_by_email(&mut tx, new).await?.is_some();
    let (meant, locale) = ((!is_taken).then_some(id), Locale::from_stored(&user.locale));
    mail::queue_if_any(&mut tx, meant, (new, locale), Mail::ChangeEmail, now).await?;
    if let Some(old) = Recipient::of(&user) {
        mail::queue(&mut tx, &old, Mail::EmailChangeRequested { to: new.to_string() }, now).await?;
    }
    audit::Entry::new(Event::EmailChangeRequested, Some(id), client).record(&mut tx, now).await?;
    tx.commit().await?;
    app.mail.wake();
    Ok(())
}

/// Makes the address that the link was sent to the account's, and tells the old one, if there is one.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`], also when somebody else has taken the address meanwhile.
pub async fn confirm(app: &App, token: &OpaqueToken, client: &Client) -> Result<()> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let link = link::spend(&mut tx, [Purpose::ChangeEmail; 2], token, now).await?;
    let link = link.ok_or(Error::InvalidOrExpiredToken)?;
    let user = users::store::find(&mut tx, link.user_id).await?.ok_or(Error::InvalidOrExpiredToken)?;
    let new = link.email.and_then(|email| Email::parse(&email).ok()).ok_or(Error::InvalidOrExpiredToken)?;
    match store::change_email(&mut tx, link.user_id, new.as_str(), now).await {
        Ok(0) | Err(DbError::Duplicate) => return Err(Error::InvalidOrExpiredToken),
        Ok(_) => {}
        Err(other) => return Err(other.into()),
    }
    users::store::index(&mut tx, link.user_id).await?;
    link::end_all(&mut tx, link.user_id, now).await?;
    if let Some(old) = Recipient::of(&user) {
        mail::queue(&mut tx, &old, Mail::EmailChanged { to: new.to_string() }, now).await?;
    }
    audit::Entry::new(Event::EmailChanged, Some(link.user_id), client).record(&mut tx, now).await?;
    tx.commit().await?;
    app.user_changed(link.user_id);
    app.mail.wake();
    Ok(())
}

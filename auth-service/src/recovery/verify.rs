//! Proves an address.

use super::store;
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    error::{Error, Result},
    ids::OpaqueToken,
    mail::link::{self, Purpose},
    users,
};

/// Notes that the address is its owner's; an account that waited for that can be used from now on.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`].
pub async fn verify(app: &App, token: &OpaqueToken, client: &Client) -> Result<()> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let link = link::spend(&mut tx, [Purpose::VerifyEmail; 2], token, now).await?;
    let link = link.ok_or(Error::InvalidOrExpiredToken)?;
    if store::prove_email(&mut tx, link.user_id, link.email.as_deref(), now).await? == 0 {
        return Err(Error::InvalidOrExpiredToken);
    }
    users::store::grant_wish(&mut tx, link.user_id).await?;
    audit::Entry::new(Event::EmailVerified, Some(link.user_id), client).record(&mut tx, now).await?;
    tx.commit().await?;
    app.user_changed(link.user_id);
    Ok(())
}

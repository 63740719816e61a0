//! Deletes a person's own account.

use super::{shut_out, store};
use crate::{
    app::App,
    audit::{self, Event},
    caller::SessionCaller,
    client::Client,
    error::{Error, Result},
    roles::Rights,
    social,
};

/// Deletes the caller's account softly: it is gone for everyone, its address is free, its tokens are refused everywhere.
///
/// # Errors
/// [`Error::ReauthenticationRequired`] unless the session is fresh; [`Error::LastAdministrator`].
pub async fn delete(app: &App, caller: &SessionCaller, client: &Client) -> Result<()> {
    caller.require_fresh(app).await?;
    let (id, now) = (caller.user_id(), app.now());
    let mut tx = app.db.begin().await?;
    let rights = Rights::lock(app, &mut tx, &caller.any()).await?;
    let version = store::soft_delete(&mut tx, id, now).await?.ok_or(Error::InvalidToken)?;
    rights.keep_an_administrator(&mut tx).await?;
    let sessions = shut_out(app, &mut tx, id, "account_deleted", now).await?;
    social::store::detach(&mut tx, id, now).await?;
    let account = app.recorder(now).user(&mut tx, id, version).await?;
    audit::Entry::new(Event::UserDeleted, Some(id), client).record(&mut tx, now).await?;
    app.commit(tx, account.and(sessions)).await
}

//! What operators see of the outbox, and having a mail tried again.

pub mod store;

use uuid::Uuid;

use self::store::{MailRow, MailState};
use super::require_configured;
use crate::{
    app::App,
    audit::{Entry, Event, Target},
    caller::Caller,
    client::Client,
    error::{Error, Result},
    lists::PageQuery,
};

/// A page of mails, newest first, and one row more if there is one. Whom they are for is personal, so it is recorded.
///
/// # Errors
/// When the database fails.
pub async fn list(
    app: &App,
    (caller, client): (&Caller, &Client),
    state: Option<MailState>,
    page: &PageQuery,
) -> Result<Vec<MailRow>> {
    let mut tx = app.db.begin().await?;
    let rows = store::list(&mut tx, state, page.after.as_ref(), page.limit + 1).await?;
    let entry = Entry::by(Event::MailsListed, caller, None, client).count(rows.len());
    entry.record(&mut tx, app.now()).await?;
    tx.commit().await?;
    Ok(rows)
}

/// Has a mail tried now that waits, or was given up.
///
/// # Errors
/// [`Error::MailHandedOver`], [`Error::NotFound`], [`Error::MailNotConfigured`].
pub async fn retry(app: &App, (caller, client): (&Caller, &Client), id: Uuid) -> Result<MailRow> {
    require_configured(app)?;
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let Some(row) = store::retry(&mut tx, id, now).await? else {
        return Err(if store::exists(&mut tx, id).await? { Error::MailHandedOver } else { Error::NotFound });
    };
    let target = row.user_id.map(Target::User);
    let entry = Entry::by(Event::MailRetried, caller, target, client);
    let entry = entry.detail("mail_id", row.id.to_string()).detail("kind", row.kind.as_str());
    entry.record(&mut tx, now).await?;
    tx.commit().await?;
    app.mail.wake();
    Ok(row)
}

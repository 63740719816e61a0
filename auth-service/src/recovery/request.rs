//! Asks for a link by an address, without telling whether the address has an account.
//!
//! Known and unknown addresses cost the same statements: what is queued for an unknown one is deleted unsent. No sender
//! is woken either: its work for a known address would slow the next request down, and the next second will do.

use super::store::{self, Account};
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    error::Result,
    mail::{self, Mail},
    users::{Email, Locale},
};

/// Sends a link to choose a new password, if the address has an account.
///
/// # Errors
/// [`crate::error::Error::MailNotConfigured`], [`crate::error::Error::TooManyRequests`] for the client's address.
pub async fn reset(app: &App, email: &Email, client: &Client) -> Result<()> {
    let mail_for = |account: &Account| (!account.is_disabled()).then_some(Mail::ResetPassword);
    ask(app, email, (Mail::ResetPassword, Event::PasswordResetRequested), mail_for, client).await
}

/// Sends the link that proves an address again, if it has an account and was not proven.
///
/// # Errors
/// As for [`reset`].
pub async fn verification(app: &App, email: &Email, client: &Client) -> Result<()> {
    ask(app, email, (Mail::VerifyEmail, Event::EmailVerificationRequested), Account::proof, client).await
}

async fn ask(
    app: &App,
    email: &Email,
    (usual, event): (Mail, Event),
    mail_for: impl Fn(&Account) -> Option<Mail>,
    client: &Client,
) -> Result<()> {
    mail::require_configured(app)?;
    let now = app.now();
    app.limits.forgot(client, now).await?;
    let account = store::find_by_email(&mut app.db.read().await?, email).await?;
    let meant = account.and_then(|account| mail_for(&account).map(|mail| (account.id, account.locale(), mail)));
    let user = meant.as_ref().map(|(id, ..)| *id);
    if !app.limits.mails_to(usual.kind(), user, email.as_str(), now).await {
        return Ok(());
    }
    let (locale, mail) = meant.map_or((Locale::En, usual), |(_, locale, mail)| (locale, mail));
    let mut tx = app.db.begin().await?;
    mail::queue_if_any(&mut tx, user, (email, locale), mail, now).await?;
    audit::Entry::about(event, user, client).record(&mut tx, now).await?;
    tx.commit().await?;
    Ok(())
}

//! A right password that is too old: it opens nothing but its own replacement.
//!
//! Only whoever knows the password learns that it has expired, so the answer tells a guesser no more than a login would.
//! The token is one of those that reset mails carry: it is good once, for a quarter of an hour, at the same call.

use auth_sdk::PasswordExpired;

use super::{
    reason::{Ending, Reason},
    store,
};
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    db::Ts,
    error::{Error, Result},
    mail::link::{self, Link, Purpose},
    users::{self, store::UserRow},
};

/// Whether this account's password must be replaced.
pub fn is_due(app: &App, user: &UserRow, now: Ts) -> bool {
    app.config.passwords.is_expired(user.password_changed_at.unwrap_or(user.created_at), now)
}

/// Hands out the token by which the password is replaced; an older one ends.
///
/// # Errors
/// When the database fails.
pub async fn hand_over(app: &App, user: &UserRow, client: &Client) -> Result<PasswordExpired> {
    let (now, token) = (app.now(), app.entropy.token());
    let mut tx = app.db.begin().await?;
    if !users::store::lock_unchanged(&mut tx, user).await? {
        return Err(Error::InvalidCredentials);
    }
    let link = Link { user_id: user.id, email: user.email.clone(), session_id: None, oauth_account_id: None };
    link::issue(&mut tx, Purpose::ExpiredPassword, &link, &token, now).await?;
    let ending = Ending::Refused(Reason::PasswordExpired);
    store::insert_history(&mut tx, (user.id, ending), "password", client, now).await?;
    audit::Entry::new(Event::PasswordExpired, Some(user.id), client).record(&mut tx, now).await?;
    tx.commit().await?;
    metrics::counter!("logins_total", "outcome" => "password_expired").increment(1);
    Ok(PasswordExpired {
        status: "password_expired".to_owned(),
        reset_token: token.to_wire(),
        expires_in: Purpose::ExpiredPassword.life().as_secs(),
    })
}

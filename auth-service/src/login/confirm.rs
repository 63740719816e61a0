//! Proves a password again, in a session that exists.

use super::guesses::{Guess, Guessed};
use crate::{
    app::App,
    audit::{Entry, Event},
    caller::SessionCaller,
    client::Client,
    error::{Error, Result},
    passwords::Password,
    users::store::{self, UserRow},
};

/// The caller's account, if this is its password.
///
/// # Errors
/// [`Error::WrongPassword`], also when there were too many guesses or the account has no password;
/// [`Error::TooManyRequests`] for the address.
pub async fn password(app: &App, caller: &SessionCaller, password: &Password, client: &Client) -> Result<UserRow> {
    // A right password gives its guess back, and would keep the hash threads busy for nothing.
    app.limits.confirmation(client, app.now()).await?;
    let user = store::find(&mut app.db.read().await?, caller.user_id()).await?.ok_or(Error::InvalidToken)?;
    match Guess::in_session(caller.session_id()).verify(app, password, Some(user)).await? {
        Guessed::Right { user, .. } => Ok(user),
        Guessed::Unproven(_) | Guessed::Wrong(..) => {
            let mut tx = app.db.begin().await?;
            let entry = Entry::about(Event::ConfirmationFailed, Some(caller.user_id()), client);
            entry.session(caller.session_id()).record(&mut tx, app.now()).await?;
            tx.commit().await?;
            Err(Error::WrongPassword)
        }
    }
}

//! Proves a password again, in a session that exists.

use super::guesses::{Guess, Guessed};
use crate::{
    app::App,
    caller::Caller,
    error::{Error, Result},
    passwords::Password,
    users::store::{self, UserRow},
};

/// The caller's account, if this is its password.
///
/// # Errors
/// [`Error::WrongPassword`], also when there were too many guesses or the account has no password.
pub async fn password(app: &App, caller: &Caller, password: &Password) -> Result<UserRow> {
    let user = store::find(&mut app.db.read().await?, caller.user_id()).await?.ok_or(Error::InvalidToken)?;
    match Guess::in_session(caller.session_id()).verify(app, password, Some(user)).await? {
        Guessed::Right { user, .. } => Ok(user),
        Guessed::Wrong(_) => Err(Error::WrongPassword),
    }
}

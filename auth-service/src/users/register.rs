//! Makes accounts.

use auth_sdk::{User, UserStatus};

use super::{
    DisplayName, Email, Locale, Profile, Username,
    store::{self, Inserted, NewUser},
};
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    error::{Error, Result},
    ids::UserId,
    passwords::{NewPassword, OwnWords},
};

/// What a person gives of themselves.
pub struct Registration {
    pub email: Email,
    pub password: NewPassword,
    pub username: Option<Username>,
    pub display_name: Option<DisplayName>,
    pub locale: Locale,
}

/// Makes an account with the default role.
///
/// # Errors
/// [`Error::EmailTaken`], [`Error::UsernameTaken`], [`Error::WeakPassword`], [`Error::TooManyRequests`], [`Error::Busy`].
pub async fn register(app: &App, registration: Registration, client: &Client) -> Result<User> {
    let Registration { email, password, username, display_name, locale } = registration;
    let now = app.now();
    app.limits.register(client, now).await?;
    let names = [username.as_ref().map(Username::as_str), display_name.as_ref().map(DisplayName::as_str)];
    let own_words = OwnWords::new(names.into_iter().flatten().chain([email.as_str()]));
    let password_hash = app.hash_new_password("password", password, own_words).await?;
    let (id, password_hash, status) = (UserId(app.entropy.uuid(now)), Some(password_hash), UserStatus::Active);
    let user = NewUser { id, email, username, display_name, locale, password_hash, status };
    let mut tx = app.db.begin().await?;
    match store::insert(&mut tx, &user, now).await? {
        Inserted::Yes => {}
        Inserted::EmailTaken => return Err(Error::EmailTaken),
        Inserted::UsernameTaken => return Err(Error::UsernameTaken),
    }
    audit::Entry::new(Event::UserRegistered, Some(user.id), client).record(&mut tx, now).await?;
    let profile = Profile::find(&mut tx, user.id, now).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    metrics::counter!("registrations_total").increment(1);
    Ok(profile.user)
}

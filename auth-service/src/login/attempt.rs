//! One attempt to log in by password.

use std::time::Instant;

use auth_sdk::PasswordExpired;

use super::{
    admit::{Admission, LoggedIn, admit},
    expired,
    guesses::{Guess, Guessed},
    reason::{Ending, Reason},
    store,
};
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    error::{Error, Result},
    ids::{OpaqueToken, UserId},
    mail::{self, Mail},
    passwords::Password,
    sessions::SessionKind,
    users::{self, DisplayName, Email, Username, store::UserRow},
};

/// Nobody's id, for the statements that an unknown name costs.
const NOBODY: UserId = UserId(uuid::Uuid::nil());

/// Whose account is meant.
#[derive(Clone, Debug)]
pub enum Identifier {
    /// By address.
    Email(Email),
    /// By name.
    Username(Username),
}

impl Identifier {
    /// One spelling for each account that is meant, known or not.
    pub fn canonical(&self) -> String {
        match self {
            Self::Email(email) => email.as_str().to_owned(),
            Self::Username(username) => username.as_str().to_ascii_lowercase(),
        }
    }
}

/// What is presented.
pub struct Attempt {
    pub identifier: Identifier,
    pub password: Password,
    pub device_name: Option<DisplayName>,
    pub device: Option<OpaqueToken>,
    /// What the session is to be for.
    pub kind: SessionKind,
}

/// What a right attempt leads to.
pub enum Outcome {
    /// A session.
    LoggedIn(LoggedIn),
    /// Another password first.
    PasswordExpired(PasswordExpired),
}

/// Checks an attempt and begins a session.
///
/// # Errors
/// [`Error::InvalidCredentials`] whatever is wrong; [`Error::TooManyRequests`] for the address; [`Error::Busy`].
pub async fn run(app: &App, attempt: Attempt, client: &Client) -> Result<Outcome> {
    let began = Instant::now();
    let outcome = check(app, attempt, client).await;
    match &outcome {
        // Neither leaves a row, for rows cost what is short then.
        Err(Error::TooManyRequests(_)) => app.strangers.count(Reason::RateLimited, app.now()),
        Err(Error::Busy(_)) => app.strangers.count(Reason::Overloaded, app.now()),
        Ok(_) | Err(_) => app.login_times.record(began, Instant::now()),
    }
    outcome
}

async fn check(app: &App, attempt: Attempt, client: &Client) -> Result<Outcome> {
    app.limits.login(client, &attempt.identifier.canonical(), app.now()).await?;
    // Overload must not reach the database: what is refused late costs those that were admitted.
    app.hasher.check_room()?;
    let (user, known_device) = find(app, &attempt).await?;
    let guess = match &user {
        Some(user) => Guess::at_account(user.id, attempt.device.as_ref().filter(|_| known_device)),
        None => Guess::at_unknown(&attempt.identifier.canonical()),
    };
    let (user, is_outdated) = match guess.verify(app, &attempt.password, user).await? {
        Guessed::Right { user, is_outdated } => (user, is_outdated),
        Guessed::Unproven(user) => return refuse(app, Some(user), Reason::EmailUnverified, client).await,
        Guessed::Wrong(user, reason) => return refuse(app, user, reason, client).await,
    };
    if expired::is_due(app, &user, app.now()) {
        return Ok(Outcome::PasswordExpired(expired::hand_over(app, &user, client).await?));
    }
    let better_hash = if is_outdated { Some(app.hasher.hash(&attempt.password).await?) } else { None };
    let admission = Admission {
        user: &user,
        methods: &["pwd"],
        way: "password",
        device_name: attempt.device_name.as_ref(),
        known_device,
        better_hash,
        kind: attempt.kind,
    };
    match admit(app, admission, client).await? {
        Some(logged_in) => Ok(Outcome::LoggedIn(logged_in)),
        None => refuse(app, Some(user), Reason::AccountChanged, client).await,
    }
}

/// The account that is meant, and whether the device is known to it: by as many statements where nobody is meant.
async fn find(app: &App, attempt: &Attempt) -> Result<(Option<UserRow>, bool)> {
    let mut conn = app.db.read().await?;
    let user = match &attempt.identifier {
        Identifier::Email(email) => users::store::find_by_email(&mut conn, email).await?,
        Identifier::Username(username) => users::store::find_by_username(&mut conn, username).await?,
    };
    let known_device = match &attempt.device {
        Some(token) => {
            let id = user.as_ref().map_or(NOBODY, |user| user.id);
            store::is_known_device(&mut conn, &token.hash(), id, app.now()).await?
        }
        None => false,
    };
    Ok((user, known_device))
}

/// Every refusal ends here, whatever its reason. Whoever knows the password is reminded by a mail, but not for ever, that
/// the address is still to be proven.
async fn refuse<T>(app: &App, user: Option<UserRow>, reason: Reason, client: &Client) -> Result<T> {
    let now = app.now();
    let reachable = user.as_ref().and_then(|user| user.email.as_deref().map(|email| (user.id, email)));
    let reminded = match reachable.filter(|_| reason == Reason::EmailUnverified) {
        Some((id, email)) if app.limits.mails_to(Mail::VerifyEmail.kind(), Some(id), email, now).await => Some(id),
        Some(_) | None => None,
    };
    let id = user.as_ref().map(|user| user.id);
    let ending = Ending::Refused(reason);
    let mut tx = app.db.begin().await?;
    store::insert_history(&mut tx, (id.unwrap_or(NOBODY), ending), "password", client, now).await?;
    audit::Entry::about(Event::LoginFailed, id, client).record(&mut tx, now).await?;
    if let Some(id) = reminded {
        // Nobody is woken: the next second will do, and this one takes as long as any refusal.
        mail::notify(app, &mut tx, id, Mail::VerifyEmail, now).await?;
    }
    tx.commit().await?;
    metrics::counter!("logins_total", "outcome" => "refused").increment(1);
    if id.is_none() {
        app.strangers.count(Reason::UnknownAccount, now);
    }
    Err(Error::InvalidCredentials)
}

//! One attempt to log in by password.

use auth_sdk::{PasswordExpired, TokenSet};

use super::{
    device, expired,
    guesses::{Guess, Guessed},
    store,
};
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    error::{Error, Result},
    ids::{OpaqueToken, UserId},
    mail::{self, Mail},
    passwords::{Password, PasswordHash},
    sessions::issue::{self, Proof},
    users::{self, DisplayName, Email, Profile, Username, store::UserRow},
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
}

/// What a right attempt leads to.
pub enum Outcome {
    /// A session.
    LoggedIn(LoggedIn),
    /// Another password first.
    PasswordExpired(PasswordExpired),
}

/// A session that has begun.
pub struct LoggedIn {
    pub tokens: TokenSet,
    /// A token for a device that was not known before.
    pub device: Option<OpaqueToken>,
}

/// An attempt that proved its account.
struct Right {
    user: UserRow,
    /// Of the same password by today's parameters, where the stored one is older or foreign.
    better_hash: Option<PasswordHash>,
    known_device: bool,
}

/// Checks an attempt and begins a session.
///
/// # Errors
/// [`Error::InvalidCredentials`] whatever is wrong; [`Error::TooManyRequests`] for the address; [`Error::Busy`].
pub async fn run(app: &App, attempt: Attempt, client: &Client) -> Result<Outcome> {
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
        Guessed::Unproven(user) => return refuse(app, Some(user), Mind::Address, client).await,
        Guessed::Wrong(user) => return refuse(app, user, Mind::Nothing, client).await,
    };
    if expired::is_due(app, &user, app.now()) {
        return Ok(Outcome::PasswordExpired(expired::hand_over(app, &user, client).await?));
    }
    let better_hash = if is_outdated { Some(app.hasher.hash(&attempt.password).await?) } else { None };
    let right = Right { user, better_hash, known_device };
    admit(app, right, &attempt, client).await.map(Outcome::LoggedIn)
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

/// Begins the session of a person whose password was right.
async fn admit(app: &App, right: Right, attempt: &Attempt, client: &Client) -> Result<LoggedIn> {
    let Right { user, better_hash, known_device } = right;
    let now = app.now();
    // Before the transaction, which on SQLite holds up every other: a right that changes meanwhile raises a version.
    let profile = Profile::find(&mut app.db.read().await?, user.id, now).await?.ok_or(Error::InvalidCredentials)?;
    let mut tx = app.db.begin().await?;
    if !users::store::record_login(&mut tx, &user, now).await? {
        drop(tx);
        return refuse(app, Some(user), Mind::Nothing, client).await;
    }
    if let Some(better) = &better_hash {
        let stored = user.password_hash.as_deref().unwrap_or_default();
        users::store::upgrade_password_hash(&mut tx, user.id, stored, better.as_str()).await?;
    }
    let device = if known_device { None } else { Some(app.entropy.token()) };
    if let Some(token) = &device {
        store::insert_device(&mut tx, &token.hash(), user.id, now.plus(device::LIFE), now).await?;
    }
    let proof = Proof { user: user.id, methods: &["pwd"], device_name: attempt.device_name.as_ref() };
    let (begun, pending) = issue::begin(app, &mut tx, &proof, client).await?;
    store::insert_history(&mut tx, user.id, Some(begun.session.id), client, now).await?;
    audit::Entry::new(Event::LoggedIn, Some(user.id), client).session(begun.session.id).record(&mut tx, now).await?;
    let is_news = device.is_some() && user.last_login_at.is_some();
    if is_news {
        let (session, ip_address) = (begun.session.id, client.ip.to_string());
        let news = Mail::NewDevice { session, at: now, ip_address, device: client.device() };
        mail::notify(app, &mut tx, user.id, news, now).await?;
    }
    app.commit(tx, pending).await?;
    app.profiles.drop_user(user.id);
    if is_news {
        app.mail.wake();
    }
    metrics::counter!("logins_total", "outcome" => "logged_in").increment(1);
    let tokens = issue::mint(app, &profile, &begun.session, &begun.refresh_token, now)?;
    Ok(LoggedIn { tokens, device })
}

/// What somebody who is refused is reminded of.
enum Mind {
    Nothing,
    /// By a mail to whoever knows the password, but not for ever: that the address is still to be proven.
    Address,
}

/// Every refusal ends here, whatever its reason.
async fn refuse<T>(app: &App, user: Option<UserRow>, mind: Mind, client: &Client) -> Result<T> {
    let now = app.now();
    let reachable = user.as_ref().and_then(|user| user.email.as_deref().map(|email| (user.id, email)));
    let reminded = match (reachable, mind) {
        (Some((id, email)), Mind::Address)
            if app.limits.mails_to(Mail::VerifyEmail.kind(), Some(id), email, now).await =>
        {
            Some(id)
        }
        (Some(_) | None, Mind::Address | Mind::Nothing) => None,
    };
    let id = user.as_ref().map(|user| user.id);
    let mut tx = app.db.begin().await?;
    store::insert_history(&mut tx, id.unwrap_or(NOBODY), None, client, now).await?;
    audit::Entry::about(Event::LoginFailed, id, client).record(&mut tx, now).await?;
    if let Some(id) = reminded {
        // Nobody is woken: the next second will do, and this one takes as long as any refusal.
        mail::notify(app, &mut tx, id, Mail::VerifyEmail, now).await?;
    }
    tx.commit().await?;
    metrics::counter!("logins_total", "outcome" => "refused").increment(1);
    Err(Error::InvalidCredentials)
}

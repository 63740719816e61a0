//! Guesses at passwords: each is counted before it is checked, so that parallel ones cannot slip through.
//!
//! The short count (five free guesses, then a growing wait) may be lost with Redis; the day's count is in SQL.

use auth_sdk::UserStatus;
use rate_limit::{GuessLimiter, Reservation};

use super::{reason::Reason, store};
use crate::{
    app::App,
    db::{Conn, DbError},
    error::Result,
    ids::{OpaqueToken, SessionId, TokenHash, UserId},
    passwords::{Password, Verdict},
    users::store::UserRow,
};

/// Failures on one UTC day after which a subject may guess no more until the next (NIST SP 800-63B section 5.2.2).
const MAX_PER_DAY: i64 = 100;

/// The counters of guesses.
pub type Guesses = GuessLimiter;

/// One guess, by whose count it goes.
pub struct Guess(TokenHash);

/// How a guess went.
pub enum Guessed {
    /// The password is this account's, and the account may be used.
    Right {
        /// The account.
        user: UserRow,
        /// Whether the stored hash should be replaced by a better one.
        is_outdated: bool,
    },
    /// It is, but the account's owner has still to prove the address. For everybody else this is [`Self::Wrong`].
    Unproven(UserRow),
    /// It is not, or the account is closed, or it was not even looked at; the account, if there is one, and which it was.
    Wrong(Option<UserRow>, Reason),
}

impl Guess {
    /// At an account, from a device that it knows or from anywhere else.
    pub fn at_account(user: UserId, known_device: Option<&OpaqueToken>) -> Self {
        match known_device {
            Some(device) => Self::counted_by(&[b"device", user.0.as_bytes(), device.hash().as_bytes()]),
            None => Self::counted_by(&[b"account", user.0.as_bytes()]),
        }
    }

    /// At a name that nobody has: counted like any other.
    pub fn at_unknown(name: &str) -> Self {
        Self::counted_by(&[b"unknown", name.as_bytes()])
    }

    /// In a session, by whoever holds its token: strangers cannot use up its count.
    pub fn in_session(session: SessionId) -> Self {
        Self::counted_by(&[b"session", session.0.as_bytes()])
    }

    /// Forgets every failure that was counted here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self, app: &App, tx: &mut Conn) -> Result<(), DbError> {
        store::delete_failures(tx, &self.0).await?;
        app.guesses.clear(&self.0.to_hex()).await;
        Ok(())
    }

    fn counted_by(parts: &[&[u8]]) -> Self {
        Self(TokenHash::of(&parts.join(&b'/')))
    }

    /// Checks a password, if the count allows it. An account that is not there costs the time of one that is.
    ///
    /// # Errors
    /// [`Error::Busy`], or when the database fails.
    pub async fn verify(&self, app: &App, password: &Password, user: Option<UserRow>) -> Result<Guessed> {
        let now = app.now();
        let day = now.as_days();
        if store::count_failures(&mut app.db.read().await?, &self.0, day).await? >= MAX_PER_DAY {
            return Ok(Guessed::Wrong(user, Reason::TooManyGuesses));
        }
        let Reservation::Admitted(ticket) = app.guesses.reserve(&self.0.to_hex(), now.as_micros()).await else {
            return Ok(Guessed::Wrong(user, Reason::TooManyGuesses));
        };
        let stored = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let verdict = app.hasher.verify(password, stored).await;
        let now = app.now().as_micros();
        match (verdict, user) {
            // A guess that leads nowhere stays counted: a refusal that comes as slowly as before would tell that it was right.
            (Ok(right @ (Verdict::Right | Verdict::RightButOutdated)), Some(user))
                if user.status() == UserStatus::Active && !is_unproven(app, &user) =>
            {
                app.guesses.give_back(ticket, now).await;
                Ok(Guessed::Right { user, is_outdated: right == Verdict::RightButOutdated })
            }
            (Ok(verdict), user) => {
                app.guesses.failed(ticket, now).await;
                store::add_failure(&mut app.db.write().await?, &self.0, day).await?;
                Ok(judge(verdict, user))
            }
            (Err(busy), _) => {
                app.guesses.give_back(ticket, now).await;
                Err(busy.into())
            }
        }
    }
}

/// What a guess that leads nowhere was.
fn judge(verdict: Verdict, user: Option<UserRow>) -> Guessed {
    match (verdict, user) {
        (_, None) => Guessed::Wrong(None, Reason::UnknownAccount),
        (Verdict::Wrong, Some(user)) => Guessed::Wrong(Some(user), Reason::WrongPassword),
        (Verdict::Right | Verdict::RightButOutdated, Some(user)) if user.status() == UserStatus::Disabled => {
            Guessed::Wrong(Some(user), Reason::AccountDisabled)
        }
        (Verdict::Right | Verdict::RightButOutdated, Some(user)) => Guessed::Unproven(user),
    }
}

/// Whether an account waits for its address to be proven, also one from before that was demanded. One without an address
/// has none to prove.
fn is_unproven(app: &App, user: &UserRow) -> bool {
    app.config.mail.requires_verification && user.email.is_some() && user.email_verified_at.is_none()
}

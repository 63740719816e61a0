//! Why logins are refused: for the person's history and for the operator's counts, never for whoever tried.

use crate::ids::SessionId;

/// How an attempt to log in ended.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// In a session.
    LoggedIn(SessionId),
    /// In nothing.
    Refused(Reason),
}

/// Why a login was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The password is another.
    WrongPassword,
    /// Too many were guessed before: this one was not looked at.
    TooManyGuesses,
    /// The account is closed.
    AccountDisabled,
    /// The address is still to be proven.
    EmailUnverified,
    /// The password was right and is too old.
    PasswordExpired,
    /// The account was closed, or given another password, while this one was checked.
    AccountChanged,
    /// Nobody has this name.
    UnknownAccount,
    /// Too many came from the address.
    RateLimited,
    /// There was no room to hash.
    Overloaded,
}

impl Reason {
    /// The reason's name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong_password",
            Self::TooManyGuesses => "too_many_guesses",
            Self::AccountDisabled => "account_disabled",
            Self::EmailUnverified => "email_unverified",
            Self::PasswordExpired => "password_expired",
            Self::AccountChanged => "account_changed",
            Self::UnknownAccount => "unknown_account",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
        }
    }
}

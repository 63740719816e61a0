//! A revocation: tokens that are refused before they expire.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The subject of what is about everyone.
pub const EVERYONE: &str = "*";

/// One row of the revocation log, as it also travels between instances and to gateways.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Revocation {
    /// The row.
    pub id: Uuid,
    /// What is revoked.
    pub kind: RevocationKind,
    /// Which one: a session, user or API key id, a role name, a `kid`; of everyone [`EVERYONE`].
    pub subject: String,
    /// For users, roles and everyone: tokens with a lower version are refused. Otherwise without meaning.
    pub version: i64,
    /// When, Unix microseconds.
    pub revoked_at: i64,
    /// When the last token that it touches has expired, Unix microseconds.
    pub expires_at: i64,
}

/// What a revocation is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationKind {
    /// Tokens of one session.
    Session,
    /// Tokens of one user, below a version.
    User,
    /// Tokens that list one role, below a version of the catalogue.
    Role,
    /// One API key.
    ApiKey,
    /// Tokens signed by one key.
    Key,
    /// Every token below a version of the catalogue, whoever's it is and whatever roles it lists.
    Everyone,
}

/// The text is none of the kinds: perhaps one of a newer release.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown kind of revocation {0:?}")]
pub struct UnknownRevocationKind(String);

impl RevocationKind {
    /// Every kind there is.
    pub const ALL: [Self; 6] = [Self::Session, Self::User, Self::Role, Self::ApiKey, Self::Key, Self::Everyone];

    /// The name in the database and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
            Self::Role => "role",
            Self::ApiKey => "api_key",
            Self::Key => "key",
            Self::Everyone => "everyone",
        }
    }
}

impl fmt::Display for RevocationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RevocationKind {
    type Err = UnknownRevocationKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownRevocationKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_one_name_in_the_database_and_on_the_wire() {
        for kind in RevocationKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert!("nobody".parse::<RevocationKind>().is_err());
    }
}

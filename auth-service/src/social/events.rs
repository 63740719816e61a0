//! Security events (RFC 8417): what an issuer tells of an account after its login, such as that it was unlinked.

mod kind;
mod payload;
#[cfg(test)]
mod tests;

use std::time::Duration;

use auth_token::{ForeignType, TokenError};

use super::{
    id_token::LEEWAY,
    issuer::{Issuer, IssuerError},
};
use crate::db::Ts;
pub use kind::Kind;
use payload::Payload;

/// How old an event may be. Whoever remembers each `jti` for as long tells repeated events apart.
pub const OLDEST: Duration = Duration::from_hours(24);
/// The longest `jti` and subject, bytes.
const LONGEST: usize = 255;

/// How a sender writes its events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// As OpenID's Shared Signals Framework has it, Kakao among others: `secevent+jwt`, and events by their URI.
    SharedSignals,
    /// As Apple does: no type of its own, and one event as JSON inside a text.
    #[cfg_attr(not(test), expect(dead_code, reason = "Apple is given no address for its events"))]
    Apple,
}

/// A security event that was found good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecurityEvent {
    /// Its id, the same each time that it is sent.
    pub jti: String,
    /// Whom it is about, by the issuer's `sub`.
    pub subject: Option<String>,
    /// What happened; never empty.
    pub kinds: Vec<Kind>,
}

/// Why a security event is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EventError {
    /// The issuer did not sign it, or cannot be asked.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// It is from another issuer.
    #[error("the event is issued by {0:?}")]
    OtherIssuer(String),
    /// It is for someone else.
    #[error("the event is meant for another client")]
    Audience,
    /// It is not of this day.
    #[error("the event is of the future, older than a day, or expired")]
    Time,
    /// It is no event.
    #[error("not a security event: {0}")]
    Malformed(&'static str),
}

impl SecurityEvent {
    /// Verifies that `issuer` signed the event, and that it is for one of our clients.
    ///
    /// # Errors
    /// [`EventError`].
    pub async fn verify(
        token: &str,
        issuer: &Issuer,
        dialect: Dialect,
        client_ids: &[String],
        now: Ts,
    ) -> Result<Self, EventError> {
        let expected = match dialect {
            Dialect::SharedSignals => ForeignType::SecurityEvent,
            Dialect::Apple => ForeignType::Jwt,
        };
        let token = issuer.verify(token, expected).await?;
        Self::judge(Payload::read(&token.claims)?, dialect, issuer.name(), client_ids, now)
    }

    /// Judges the claims of a token whose signature was found good.
    fn judge(
        payload: Payload,
        dialect: Dialect,
        issuer: &str,
        client_ids: &[String],
        now: Ts,
    ) -> Result<Self, EventError> {
        if payload.iss != issuer {
            return Err(EventError::OtherIssuer(payload.iss));
        }
        if !payload.is_for(client_ids) {
            return Err(EventError::Audience);
        }
        let is_early = payload.iat > now.plus(LEEWAY).as_seconds();
        let is_old = payload.iat < now.minus(OLDEST + LEEWAY).as_seconds();
        let is_over = payload.exp.is_some_and(|exp| exp <= now.minus(LEEWAY).as_seconds());
        if is_early || is_old || is_over {
            return Err(EventError::Time);
        }
        let happened = payload.happened(dialect)?;
        let subject = payload.subject(&happened)?;
        if is_unfit(&payload.jti) || subject.as_deref().is_some_and(is_unfit) {
            return Err(EventError::Malformed("its jti or subject is not 1 to 255 bytes of text"));
        }
        let kinds = happened.into_iter().map(|event| event.kind).collect();
        Ok(Self { jti: payload.jti, subject, kinds })
    }
}

impl EventError {
    /// What the sender is told (RFC 8935 section 2.4); nothing while the issuer cannot be asked, for it should send again.
    #[must_use]
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Issuer(IssuerError::Unavailable { .. }) => None,
            Self::Issuer(IssuerError::Token(
                TokenError::UnknownKey(_) | TokenError::Algorithm(_) | TokenError::Signature,
            )) => Some("invalid_key"),
            Self::OtherIssuer(_) => Some("invalid_issuer"),
            Self::Audience => Some("invalid_audience"),
            Self::Issuer(IssuerError::Token(_)) | Self::Time | Self::Malformed(_) => Some("invalid_request"),
        }
    }
}

/// Whether the text cannot be kept.
fn is_unfit(text: &str) -> bool {
    text.len() > LONGEST || text.is_empty() || text.chars().any(char::is_control)
}

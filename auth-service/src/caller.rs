//! Who calls: the extractor that every authenticated handler begins with.

use std::{sync::Arc, time::Instant};

use auth_token::{AccessClaims, TokenError, VerifiedToken};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use crate::{
    app::App,
    error::{Error, Result},
    ids::{SessionId, UserId},
    sessions::{self, store},
    users::Profile,
};

/// Whoever holds a good access token: verified, current, and not revoked.
#[derive(Clone)]
pub struct Caller(Arc<VerifiedToken>);

impl Caller {
    /// The person.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        UserId(self.claims().sub)
    }

    /// The session.
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        SessionId(self.claims().sid)
    }

    /// What the token says.
    #[must_use]
    pub fn claims(&self) -> &AccessClaims {
        &self.0.claims
    }

    /// The person's account, at most a second old.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] when it is gone or closed, or when the database fails.
    pub async fn profile(&self, app: &App) -> Result<Arc<Profile>> {
        let profile = app.profiles.find(&app.db, self.user_id(), app.now()).await?;
        profile.filter(|profile| profile.is_active()).ok_or(Error::InvalidToken)
    }

    /// Passes when the person proved themselves in this session within the last five minutes.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`], or when the database fails.
    pub async fn require_fresh(&self, app: &App) -> Result<()> {
        let now = app.now();
        let mut conn = app.db.read().await?;
        let at = store::find_authenticated_at(&mut conn, self.session_id(), now).await?.ok_or(Error::InvalidToken)?;
        if now.since(at) <= sessions::FRESH_FOR { Ok(()) } else { Err(Error::ReauthenticationRequired) }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let token = bearer(&parts.headers)?;
        let verified = app.keys.verifier.verify(token, app.now().as_seconds()).map_err(|cause| refuse(&cause))?;
        require_current(app)?;
        match app.revocations.view.check(&verified) {
            Ok(()) => Ok(Self(verified)),
            Err(_) => Err(Error::InvalidToken),
        }
    }
}

/// The token of `Authorization: Bearer`, of which there must be exactly one (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Error::InvalidToken) };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Error::InvalidToken)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token) } else { Err(Error::InvalidToken) }
}

fn refuse(cause: &TokenError) -> Error {
    tracing::info!(%cause, "Token validation failed: the jwt was refused");
    metrics::counter!("token_validations_failed_total").increment(1);
    Error::InvalidToken
}

/// A view of the revocations that could not be renewed for too long admits nobody.
fn require_current(app: &App) -> Result<()> {
    let staleness = app.revocations.view.staleness(Instant::now());
    if staleness.is_some_and(|age| age <= app.config.revocation.max_staleness) {
        Ok(())
    } else {
        Err(Error::RevocationsUnknown)
    }
}

//! Who calls: the extractors that every authenticated handler begins with.

use std::{sync::Arc, time::Instant};

use auth_token::{AccessClaims, TokenError, VerifiedToken};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
};
use uuid::Uuid;

use crate::{
    api_keys::{self, KeyGrant},
    app::App,
    console,
    error::{Error, Result},
    ids::{SessionId, UserId},
    limits::Counted,
    roles::Permission,
    sessions::{self, store},
    users::Profile,
};

/// Where an API key may be sent, besides `Authorization`.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who calls: a person in a session, or a program that acts for its owner by an API key.
#[derive(Clone, Debug)]
pub enum Caller {
    /// By an access token: verified, current, and not revoked.
    Session(Arc<VerifiedToken>),
    /// By an API key: live, and its owner active.
    ApiKey(Arc<KeyGrant>),
}

impl Caller {
    /// The person, or the owner of the key.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        match self {
            Self::Session(token) => UserId(token.claims.sub),
            Self::ApiKey(grant) => grant.user_id,
        }
    }

    /// The key, if it is one that calls.
    #[must_use]
    pub fn api_key_id(&self) -> Option<Uuid> {
        match self {
            Self::Session(_) => None,
            Self::ApiKey(grant) => Some(grant.key_id),
        }
    }

    /// The session or the key that calls.
    #[must_use]
    pub fn credential_id(&self) -> Uuid {
        match self {
            Self::Session(token) => token.claims.sid,
            Self::ApiKey(grant) => grant.key_id,
        }
    }

    /// What the key may do, if it is one that calls.
    #[must_use]
    pub fn api_key(&self) -> Option<&KeyGrant> {
        match self {
            Self::Session(_) => None,
            Self::ApiKey(grant) => Some(grant),
        }
    }

    /// What the caller may do: of a key, its scopes as far as its owner has them now.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        match self {
            Self::Session(token) => &token.claims.permissions,
            Self::ApiKey(grant) => &grant.permissions,
        }
    }

    /// Passes whoever has this permission.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions().iter().any(|held| held == permission.as_str()) { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Passes unless somebody at the console last proved themselves more than five minutes ago: what is hard to undo must
    /// not be a click away from whoever finds a screen unlocked. Programs have no screen.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`], or when the database fails.
    pub async fn require_recent_proof(&self, app: &App) -> Result<()> {
        let Self::Session(token) = self else { return Ok(()) };
        let (session, now) = (SessionId(token.claims.sid), app.now());
        let proof = store::find_console_proof(&mut app.db.read().await?, session, now).await?;
        if proof.is_none_or(|at| now.since(at) <= sessions::FRESH_FOR) {
            Ok(())
        } else {
            Err(Error::ReauthenticationRequired)
        }
    }

    /// The person's account, at most a second old.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] when it is gone or closed, or when the database fails.
    pub async fn profile(&self, app: &App) -> Result<Arc<Profile>> {
        let profile = app.profiles.find(&app.db, self.user_id(), app.now()).await?;
        profile.filter(|profile| profile.is_active()).ok_or(Error::InvalidToken)
    }
}

/// A person in a session, where no API key may stand in for them.
#[derive(Clone, Debug)]
pub struct SessionCaller(Arc<VerifiedToken>);

impl SessionCaller {
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

    /// As any caller.
    #[must_use]
    pub fn any(&self) -> Caller {
        Caller::Session(Arc::clone(&self.0))
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
        let caller = identify(&parts.headers, app).await?;
        let decision = app.limits.call_by(&caller, app.now()).await?;
        if let (Some(decision), Some(counted)) = (decision, parts.extensions.get::<Counted>()) {
            counted.leave(decision);
        }
        Ok(caller)
    }
}

async fn identify(headers: &HeaderMap, app: &App) -> Result<Caller> {
    let credential = credential(headers)?;
    if credential.starts_with(api_keys::PREFIX) {
        require_current(app)?;
        return api_keys::resolve(app, credential).await.map(Caller::ApiKey);
    }
    if credential.starts_with(console::PREFIX) {
        require_current(app)?;
        return console::resolve(app, credential, headers).await.map(Caller::Session);
    }
    let verified = app.keys.verifier.verify(credential, app.now().as_seconds()).map_err(|cause| refuse(&cause))?;
    require_current(app)?;
    match app.revocations.view.check(&verified) {
        Ok(()) => Ok(Caller::Session(verified)),
        Err(_) => Err(Error::InvalidToken),
    }
}

impl FromRequestParts<App> for SessionCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Session(token) => Ok(Self(token)),
            Caller::ApiKey(_) => Err(Error::SessionRequired),
        }
    }
}

/// The one credential of a request: the token or key of `Authorization: Bearer` (RFC 6750 section 2.1), or the key of
/// `X-API-Key`. Two of them could mean two people.
fn credential(headers: &HeaderMap) -> Result<&str> {
    match (single(headers, header::AUTHORIZATION)?, single(headers, API_KEY)?) {
        (Some(value), None) => bearer(value),
        (None, Some(value)) => {
            let key = value.to_str().map_err(|_| Error::InvalidToken)?;
            if key.starts_with(api_keys::PREFIX) { Ok(key) } else { Err(Error::InvalidToken) }
        }
        (None, None) | (Some(_), Some(_)) => Err(Error::InvalidToken),
    }
}

fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&HeaderValue>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(Error::InvalidToken),
    }
}

fn bearer(value: &HeaderValue) -> Result<&str> {
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

//! From a credential of the console to what its person may do now.
//!
//! A credential is turned into an access token that never leaves this process, so that every rule for access tokens holds
//! for it: a session that ended, a person who was disabled, a role that changed are known within a second.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use auth_token::VerifiedToken;
use axum::http::HeaderMap;
use quick_cache::sync::Cache;

use super::{PREFIX, require_console, store};
use crate::{
    app::App,
    db::Ts,
    error::{Error, Result},
    ids::OpaqueToken,
    sessions::{SessionKind, issue},
    users::Profile,
};

/// The most credentials that are remembered.
const CAPACITY: usize = 1_000;
/// How exactly the last use of a session is known, and how long a credential is believed without looking.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// The remembered credentials.
pub struct CredentialCache(Cache<[u8; 32], Known>);

#[derive(Clone)]
struct Known {
    noted: Instant,
    /// By the service's clock, which in tests is another.
    noted_at: Ts,
    token: Arc<VerifiedToken>,
}

impl Default for CredentialCache {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

/// Who this credential is of, as an access token would say it.
///
/// # Errors
/// [`Error::InvalidToken`] whatever is wrong with it, or when the console does not show who it is.
pub async fn resolve(app: &App, presented: &str, headers: &HeaderMap) -> Result<Arc<VerifiedToken>> {
    require_console(app, headers).map_err(|_| Error::InvalidToken)?;
    let credential = presented.strip_prefix(PREFIX).and_then(OpaqueToken::parse).ok_or(Error::InvalidToken)?;
    let hash: [u8; 32] = credential.hash().as_bytes().try_into().map_err(|_| Error::InvalidToken)?;
    if let Some(known) = app.console.0.get(&hash) {
        if known.is_recent(app.now()) && app.revocations.view.check(&known.token).is_ok() {
            return Ok(known.token);
        }
        app.console.0.remove(&hash);
    }
    let token = renew(app, &credential).await?;
    let known = Known { noted: Instant::now(), noted_at: app.now(), token: Arc::clone(&token) };
    app.console.0.insert(hash, known);
    Ok(token)
}

impl Known {
    fn is_recent(&self, now: Ts) -> bool {
        self.noted.elapsed() < USE_NOTED_EVERY && now.since(self.noted_at) < USE_NOTED_EVERY
    }
}

/// Carries the session on, and mints what its person may do now.
async fn renew(app: &App, credential: &OpaqueToken) -> Result<Arc<VerifiedToken>> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let idle_until = now.plus(SessionKind::Console.idle(&app.config.sessions));
    let session = store::touch(&mut tx, &credential.hash(), idle_until, now).await?.ok_or(Error::InvalidToken)?;
    let profile = Profile::find(&mut tx, session.user_id, now).await?.filter(Profile::is_active);
    let profile = profile.ok_or(Error::InvalidToken)?;
    tx.commit().await?;
    let (access_token, _) = issue::mint_access(app, &profile, &session.into_grant(), now)?;
    app.keys.verifier.verify(&access_token, now.as_seconds()).map_err(|cause| Error::Internal(Box::new(cause)))
}

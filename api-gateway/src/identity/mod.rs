//! Who calls: access tokens verified here, API keys resolved once, both against the revocations of this second.
//!
//! Three tasks keep what that takes current: the keys, the revocations, and the gauges. No request waits for the Auth API
//! unless it shows an API key that is not remembered, or a token signed by a new key.

mod api;
mod api_keys;
pub mod assertion;
mod caller;
mod condition;
mod credential;
mod feed;
pub mod headers;
mod keys;
mod realms;
mod recent;
mod report;
mod sse;
#[cfg(test)]
pub(crate) mod tests;
mod upkeep;

use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_token::{KeySet, RevocationView, TokenError, VerifiedToken};
use http::HeaderMap;
use service_kit::clock::Clock;
use service_kit::config::Secret;
use tokio::task::JoinSet;
use uuid::Uuid;

use self::api::Api;
use self::api_keys::ApiKeys;
use self::credential::Credential;
use self::feed::Feed;
use self::keys::{Keys, Refetched};
use self::realms::Realms;
use crate::refusal::Refusal;
use crate::upstream::Upstream;

pub use self::caller::{Caller, KeyGrant};
pub use self::report::Reporter;

/// What identification runs by.
pub struct IdentityConfig {
    /// Which gateway this is.
    pub gateway: Uuid,
    /// `JWT_ISSUER`.
    pub issuer: String,
    /// `JWT_AUDIENCE`.
    pub audience: String,
    /// Keys that are not published: the secret of HS256.
    pub fixed_keys: Option<KeySet>,
    /// `GATEWAY_FEED_TOKEN`: without one there is no feed, and nobody can be identified.
    pub feed_token: Option<Secret>,
    /// `REVOCATION_MAX_STALENESS`.
    pub max_staleness: Duration,
}

/// Whose tokens a route takes: an index that [`Identity::realm`] gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Realm(usize);

/// What a route does while the revocations are stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// Goes on with what is known.
    Allow,
    /// Refuses whoever must be known.
    Deny,
}

/// What is known of the revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing was heard yet.
    Unknown,
    /// Read from the database this long ago.
    Current(Duration),
    /// Longer ago than is trusted.
    Stale(Duration),
}

/// Identifies callers.
pub struct Identity {
    realms: Arc<Realms>,
    keys: Arc<Keys>,
    view: Arc<RevocationView>,
    api_keys: Arc<ApiKeys>,
    api: Arc<Api>,
    has_feed: bool,
    max_staleness: Duration,
    clock: Clock,
    /// Aborted with the last reference.
    _tasks: JoinSet<()>,
}

impl Identity {
    /// Begins to keep keys and revocations current. Call it inside the runtime; its tasks end when the last reference
    /// is dropped.
    #[must_use]
    pub fn start(config: IdentityConfig, api: Arc<Upstream>, clock: Clock) -> Arc<Self> {
        let IdentityConfig { gateway, issuer, audience, fixed_keys, feed_token, max_staleness } = config;
        let api = Arc::new(Api::new(api, feed_token.as_ref(), gateway));
        let view = Arc::new(RevocationView::new());
        let first_keys = fixed_keys.clone().unwrap_or_else(|| KeySet::new(Vec::new()));
        let realms = Arc::new(Realms::new(&issuer, &audience, first_keys));
        let keys = Arc::new(Keys::new(Arc::clone(&api), Arc::clone(&realms), fixed_keys));
        let api_keys = Arc::new(ApiKeys::new(Arc::clone(&api), Arc::clone(&view), clock.clone()));
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&keys).run());
        tasks.spawn(upkeep::run(Arc::clone(&view), clock.clone()));
        let has_feed = api.has_token();
        if has_feed {
            let (view, api_keys, keys) = (Arc::clone(&view), Arc::clone(&api_keys), Arc::clone(&keys));
            let api = Arc::clone(&api);
            tasks.spawn(Feed { api, view, api_keys, keys, clock: clock.clone(), max_staleness }.run());
        } else {
            tracing::error!("no usable GATEWAY_FEED_TOKEN: revocations stay unknown, so nobody can be identified");
        }
        Arc::new(Self { realms, keys, view, api_keys, api, has_feed, max_staleness, clock, _tasks: tasks })
    }

    /// Whose tokens a route takes; without an audience or an issuer, the configured ones. The keys of `issuer` are
    /// those of the Auth API. The same pair is the same realm, also after a reload.
    pub fn realm(&self, issuer: Option<&str>, audience: Option<&str>) -> Realm {
        self.realms.get_or_add(issuer, audience)
    }

    /// Who calls; nobody when there is no credential.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], [`Refusal::RevocationsUnknown`], [`Refusal::KeyUnknown`].
    pub async fn identify(&self, headers: &HeaderMap, realm: Realm, stale: Stale) -> Result<Option<Caller>, Refusal> {
        let Some(credential) = Credential::find(headers)? else { return Ok(None) };
        self.require_current(stale)?;
        match credential {
            Credential::Token(token) => self.verify(token, realm).await.map(Caller::Session).map(Some),
            Credential::ApiKey(key) => self.api_keys.find(key).await.map(Caller::ApiKey).map(Some),
        }
    }

    /// Whether somebody who was identified before still is good: for connections that outlive their request. A token
    /// that merely expired does not end them.
    #[must_use]
    pub fn is_still_valid(&self, caller: &Caller) -> bool {
        caller.stands(&self.view)
    }

    /// Whether revocations will be heard of: without a `GATEWAY_FEED_TOKEN` nobody can ever be identified.
    #[must_use]
    pub fn has_feed(&self) -> bool {
        self.has_feed
    }

    /// What sends reports to the Auth API; nothing where they would be nobody's.
    #[must_use]
    pub fn reporter(&self) -> Option<Reporter> {
        self.has_feed.then(|| Reporter::new(Arc::clone(&self.api)))
    }

    /// What is known of the revocations.
    #[must_use]
    pub fn freshness(&self, now: Instant) -> Freshness {
        match self.view.staleness(now) {
            None => Freshness::Unknown,
            Some(age) if age <= self.max_staleness => Freshness::Current(age),
            Some(age) => Freshness::Stale(age),
        }
    }

    /// Whether keys to verify by are known.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.realms.has_keys()
    }

    fn require_current(&self, stale: Stale) -> Result<(), Refusal> {
        match (self.freshness(tokio::time::Instant::now().into_std()), stale) {
            (Freshness::Current(_), _) | (Freshness::Stale(_), Stale::Allow) => Ok(()),
            (Freshness::Unknown, _) | (Freshness::Stale(_), Stale::Deny) => Err(Refusal::RevocationsUnknown),
        }
    }

    async fn verify(&self, token: &str, realm: Realm) -> Result<Arc<VerifiedToken>, Refusal> {
        // The token may be a good one: nobody can say.
        if !self.has_keys() {
            return Err(Refusal::RevocationsUnknown);
        }
        let verified = match self.realms.verify(realm, token, self.clock.unix_seconds()) {
            Err(TokenError::UnknownKey(kid)) => self.verify_by_new_key(token, realm, kid).await,
            judged => judged,
        };
        let verified = verified.map_err(|cause| refuse(&cause))?;
        self.view.check(&verified).map_err(|_| Refusal::InvalidToken)?;
        Ok(verified)
    }

    async fn verify_by_new_key(
        &self,
        token: &str,
        realm: Realm,
        kid: String,
    ) -> Result<Arc<VerifiedToken>, TokenError> {
        match self.keys.refetch_for_unknown().await {
            Refetched::Yes => self.realms.verify(realm, token, self.clock.unix_seconds()),
            Refetched::No => Err(TokenError::UnknownKey(kid)),
        }
    }
}

fn refuse(cause: &TokenError) -> Refusal {
    tracing::info!(%cause, "Token validation failed: the jwt was refused");
    metrics::counter!("token_validations_failed_total").increment(1);
    Refusal::InvalidToken
}

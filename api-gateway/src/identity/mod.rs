//! Who calls: access tokens verified here, API keys resolved once, both against the revocations of this second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_token::{KeySet, VerifiedToken};
use http::HeaderMap;
use rate_limit::Quota;
use service_kit::clock::Clock;
use service_kit::config::Secret;
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::upstream::Upstream;

/// What identification runs by.
pub struct IdentityConfig {
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

/// A caller that was identified.
#[derive(Clone, Debug)]
pub enum Caller {
    /// By an access token.
    Session(Arc<VerifiedToken>),
    /// By an API key.
    ApiKey(Arc<KeyGrant>),
}

/// What a key may do now, as the Auth API resolved it.
#[derive(Debug)]
pub struct KeyGrant {
    /// The key.
    pub key_id: Uuid,
    /// Its owner.
    pub user_id: Uuid,
    /// The owner's roles.
    pub roles: Vec<String>,
    /// The scopes that the owner holds now.
    pub permissions: Vec<String>,
    /// When it ends, Unix seconds.
    pub expires_at: i64,
    /// How often it may be used, unless as often as its owner.
    pub rate_limit: Option<Quota>,
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
    config: IdentityConfig,
    api: Arc<Upstream>,
    clock: Clock,
}

impl Identity {
    /// Begins to keep keys and revocations current. Call it inside the runtime; its tasks end when the last reference
    /// is dropped.
    #[must_use]
    pub fn start(config: IdentityConfig, api: Arc<Upstream>, clock: Clock) -> Arc<Self> {
        Arc::new(Self { config, api, clock })
    }

    /// Whose tokens a route takes; without an audience or an issuer, the configured ones. The keys of `issuer` are
    /// those of the Auth API. The same pair is the same realm, also after a reload.
    pub fn realm(&self, issuer: Option<&str>, audience: Option<&str>) -> Realm {
        let _ = (issuer, audience, &self.config, &self.api, &self.clock);
        Realm(0)
    }

    /// Who calls; nobody when there is no credential.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], [`Refusal::RevocationsUnknown`], [`Refusal::KeyUnknown`].
    pub async fn identify(&self, headers: &HeaderMap, realm: Realm, stale: Stale) -> Result<Option<Caller>, Refusal> {
        let _ = (headers, realm, stale);
        Ok(None)
    }

    /// Whether somebody who was identified before still is good: for connections that outlive their request.
    #[must_use]
    pub fn is_still_valid(&self, caller: &Caller) -> bool {
        let _ = caller;
        false
    }

    /// What is known of the revocations.
    #[must_use]
    pub fn freshness(&self, now: Instant) -> Freshness {
        let _ = now;
        Freshness::Unknown
    }

    /// Whether keys to verify by are known.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        false
    }
}

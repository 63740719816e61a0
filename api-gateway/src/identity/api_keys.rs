//! API keys: each is asked for once and then remembered for a while, as long as nothing is revoked that it depends on.

mod presented;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use auth_token::{Revocation, RevocationView};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::StatusCode;
use jiff::Timestamp;
use quick_cache::sync::Cache;
use serde::Deserialize;
use service_kit::clock::Clock;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::api::{Api, ApiError, Bounds};
use super::caller::{KeyGrant, Versions, is_revoked};
use super::condition::Condition;
use super::recent::{Recent, Trust};
use crate::refusal::Refusal;

pub(super) use presented::{PREFIX, Presented};

const PATH: &str = "/internal/v1/api-keys/resolve";
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(2), size: 1024 * 1024 };
/// How long a key is believed that the API called good, and one that it did not know.
const GOOD_FOR: Duration = Duration::from_secs(60);
const BAD_FOR: Duration = Duration::from_secs(5);
/// How long a good one is believed while the API's servers may not agree.
const UNSETTLED_FOR: Duration = Duration::from_millis(500);
/// How many of each are remembered: apart, or strangers could push out the good ones.
const CAPACITY: usize = 10_000;
/// Calls at once, and keys that may wait for one: strangers' keys must not take the API's places from everybody else.
const CALLS: usize = 64;
const WAITING: usize = 1_024;

/// The keys that are known.
pub(super) struct ApiKeys {
    api: Arc<Api>,
    view: Arc<RevocationView>,
    clock: Clock,
    good: Cache<Presented, (Instant, Arc<KeyGrant>)>,
    bad: Cache<Presented, Instant>,
    asking: Mutex<Asking>,
    calls: Semaphore,
    condition: Mutex<Condition>,
}

/// What is being asked, and what was revoked meanwhile.
#[derive(Default)]
struct Asking {
    /// With the generation of `recent` in which each began: whoever comes after a revocation must not be served with an
    /// answer from before it.
    by_key: HashMap<Presented, (u64, Flight)>,
    recent: Recent,
}

/// One call, for all who wait for it; it goes on when they leave.
type Flight = Shared<BoxFuture<'static, Resolution>>;

#[derive(Clone)]
enum Resolution {
    Good(Arc<KeyGrant>),
    Bad,
    /// The API could not say.
    Unknown,
}

#[derive(Deserialize)]
struct Resolved {
    user_id: Uuid,
    roles: Vec<String>,
    permissions: Vec<String>,
    expires_at: Timestamp,
    rate_limit: Option<String>,
}

impl ApiKeys {
    /// Knows none.
    pub(super) fn new(api: Arc<Api>, view: Arc<RevocationView>, clock: Clock) -> Self {
        Self {
            api,
            view,
            clock,
            good: Cache::new(CAPACITY),
            bad: Cache::new(CAPACITY),
            asking: Mutex::default(),
            calls: Semaphore::new(CALLS),
            condition: Mutex::new(Condition::of("API keys")),
        }
    }

    /// What the key that was presented may do.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], [`Refusal::KeyUnknown`].
    pub(super) async fn find(self: &Arc<Self>, presented: &str) -> Result<Arc<KeyGrant>, Refusal> {
        let key = Presented::parse(presented).ok_or(Refusal::InvalidToken)?;
        let now = Instant::now();
        if is_revoked(&self.view, key.id) || self.bad.get(&key).is_some_and(|until| now < until) {
            return Err(Refusal::InvalidToken);
        }
        if let Some((until, grant)) = self.good.get(&key)
            && now < until
            && grant.stands(&self.view)
        {
            return self.check_expiry(grant);
        }
        let flight = self.join(key).ok_or(Refusal::KeyUnknown)?;
        match flight.await {
            // It may have been revoked meanwhile.
            Resolution::Good(grant) if !is_revoked(&self.view, key.id) => self.check_expiry(grant),
            Resolution::Good(_) | Resolution::Bad => Err(Refusal::InvalidToken),
            Resolution::Unknown => Err(Refusal::KeyUnknown),
        }
    }

    /// Something is about to be revoked that keys depend on.
    pub(super) fn touch(&self, revocation: &Revocation) {
        self.asking().recent.add(revocation, Instant::now());
    }

    /// Forgets all keys: nobody knows what was missed.
    pub(super) fn forget(&self) {
        let mut asking = self.asking();
        asking.recent.add_everything(Instant::now());
        self.good.clear();
        self.bad.clear();
    }

    fn check_expiry(&self, grant: Arc<KeyGrant>) -> Result<Arc<KeyGrant>, Refusal> {
        if self.clock.unix_seconds() < grant.expires_at { Ok(grant) } else { Err(Refusal::InvalidToken) }
    }

    /// The call that asks for this key; none when too many are waiting.
    fn join(self: &Arc<Self>, key: Presented) -> Option<Flight> {
        let mut asking = self.asking();
        let generation = asking.recent.generation();
        if let Some((began_in, flight)) = asking.by_key.get(&key)
            && *began_in == generation
        {
            return Some(flight.clone());
        }
        if asking.by_key.len() >= WAITING {
            return None;
        }
        let this = Arc::clone(self);
        let flight = async move { this.resolve(key, generation).await }.boxed().shared();
        asking.by_key.insert(key, (generation, flight.clone()));
        // Whoever waits may leave; the others and the next still want the answer.
        tokio::spawn(flight.clone());
        Some(flight)
    }

    async fn resolve(&self, key: Presented, generation: u64) -> Resolution {
        let began = Instant::now();
        let answer = timeout(BOUNDS.time, self.ask(key)).await.unwrap_or(Err(ApiError::TooSlow(BOUNDS.time)));
        let mut asking = self.asking();
        if asking.by_key.get(&key).is_some_and(|(began_in, _)| *began_in == generation) {
            asking.by_key.remove(&key);
        }
        let (outcome, resolution) = match answer {
            Ok(Some(resolved)) => ("good", Resolution::Good(self.remember(key, resolved, began, &asking.recent))),
            Ok(None) => {
                self.bad.insert(key, Instant::now() + BAD_FOR);
                ("bad", Resolution::Bad)
            }
            Err(cause) => {
                self.condition().fails(cause.kind(), &cause);
                ("unknown", Resolution::Unknown)
            }
        };
        metrics::counter!("gateway_api_key_resolutions_total", "outcome" => outcome).increment(1);
        resolution
    }

    async fn ask(&self, key: Presented) -> Result<Option<Resolved>, ApiError> {
        // Never closed.
        let _place = self.calls.acquire().await;
        let body = match self.api.post(PATH, key.to_json(), BOUNDS).await {
            Ok(body) => body,
            Err(ApiError::Status(StatusCode::NOT_FOUND)) => return Ok(None),
            Err(cause) => return Err(cause),
        };
        let resolved = serde_json::from_slice(&body).map_err(|cause| ApiError::Unreadable(cause.to_string()))?;
        self.condition().works();
        Ok(Some(resolved))
    }

    /// Takes in an answer that was asked for at `began`, and remembers it for as long as it can be trusted.
    fn remember(&self, key: Presented, resolved: Resolved, began: Instant, recent: &Recent) -> Arc<KeyGrant> {
        let Resolved { user_id, roles, permissions, expires_at, rate_limit } = resolved;
        let rate_limit = rate_limit.and_then(|quota| quota.parse().ok());
        let expires_at = expires_at.as_second();
        let (as_of, headers) = (Versions::default(), OnceLock::new());
        let mut grant =
            KeyGrant { key_id: key.id, user_id, roles, permissions, expires_at, rate_limit, as_of, headers };
        let trust = recent.trust(&grant, began);
        if trust == Trust::Settled {
            grant.as_of = Versions::read(&self.view, user_id, &grant.roles);
        }
        let grant = Arc::new(grant);
        let until = match trust {
            Trust::Settled => began + GOOD_FOR,
            Trust::Unsettled => began + UNSETTLED_FOR,
            Trust::Overtaken => return grant,
        };
        self.good.insert(key, (until, Arc::clone(&grant)));
        grant
    }

    fn asking(&self) -> MutexGuard<'_, Asking> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn condition(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

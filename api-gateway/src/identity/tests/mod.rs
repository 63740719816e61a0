//! Identification against a small server that speaks the Auth API's wire format.

mod api_keys;
mod assertion;
pub(crate) mod fake_api;
mod feed;
mod headers;
mod keys;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use auth_token::{AccessClaims, Algorithm, KeySet, RsaBits, SigningKey};
use http::{HeaderMap, HeaderName, HeaderValue};
use service_kit::clock::Clock;
use service_kit::config::Secret;
use uuid::Uuid;

use self::fake_api::{FEED_TOKEN, FakeApi};
use super::{Caller, Freshness, Identity, IdentityConfig, Realm, Stale};
use crate::refusal::Refusal;

/// Where the clock stands at first, Unix seconds.
const NOW: i64 = 1_767_225_600;
const MAX_STALENESS: Duration = Duration::from_secs(10);
const USER: Uuid = Uuid::from_u128(1);
const SESSION: Uuid = Uuid::from_u128(3);

/// A gateway's identification, its API, and the key that the API signs by.
struct World {
    api: Arc<FakeApi>,
    identity: Arc<Identity>,
    key: SigningKey,
    clock: Clock,
}

impl World {
    /// Keys and revocations are there.
    async fn ready() -> Self {
        let world = Self::starting(FakeApi::start().await);
        world.publish(&[&world.key]);
        until(|| world.is_current() && world.identity.has_keys()).await;
        world
    }

    /// The API has no key set yet.
    fn starting(api: Arc<FakeApi>) -> Self {
        let clock = clock();
        let identity = Identity::start(config(), FakeApi::upstream(&[&api]), clock.clone());
        Self { api, identity, key: new_key(), clock }
    }

    fn publish(&self, keys: &[&SigningKey]) {
        *self.api.jwks.lock().unwrap() = Some(jwks(keys));
    }

    fn realm(&self) -> Realm {
        self.identity.realm(None, None)
    }

    fn is_current(&self) -> bool {
        matches!(self.identity.freshness(now()), Freshness::Current(_))
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Option<Caller>, Refusal> {
        self.identity.identify(headers, self.realm(), Stale::Deny).await
    }

    /// What becomes of this token.
    async fn judge(&self, token: &str) -> &'static str {
        outcome(&self.identify(&bearer(token)).await)
    }

    /// Lets this much time pass while the API is heard.
    async fn live(&self, time: Duration) {
        let ends = now() + time;
        while let Some(left) = ends.checked_duration_since(now()) {
            pass(left.min(Duration::from_secs(2))).await;
            self.api.send(&fake_api::heartbeat(0));
            until(|| matches!(self.identity.freshness(now()), Freshness::Current(age) if age < Duration::from_secs(1)))
                .await;
        }
    }

    fn token(&self) -> String {
        self.key.sign(&claims()).unwrap()
    }
}

fn config() -> IdentityConfig {
    IdentityConfig {
        gateway: Uuid::from_u128(9),
        issuer: "issuer".to_owned(),
        audience: "audience".to_owned(),
        fixed_keys: None,
        feed_token: Some(Secret::new(FEED_TOKEN)),
        max_staleness: MAX_STALENESS,
    }
}

fn clock() -> Clock {
    Clock::manual(jiff::Timestamp::from_second(NOW).unwrap())
}

fn new_key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa, RsaBits::default()).unwrap()
}

fn jwks(keys: &[&SigningKey]) -> String {
    KeySet::new(keys.iter().map(|key| key.verification_key()).collect()).jwks_json().to_owned()
}

fn claims() -> AccessClaims {
    AccessClaims {
        iss: "issuer".to_owned(),
        sub: USER,
        aud: "audience".to_owned(),
        exp: NOW + 1_800,
        iat: NOW,
        jti: Uuid::from_u128(2),
        sid: SESSION,
        ver: 4,
        rv: 5,
        roles: vec!["user".to_owned(), "manager".to_owned()],
        permissions: vec!["orders:read".to_owned(), "orders:write".to_owned()],
        auth_time: NOW,
        amr: vec!["pwd".to_owned()],
    }
}

fn bearer(token: &str) -> HeaderMap {
    header("authorization", &format!("Bearer {token}"))
}

fn header(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())])
}

fn outcome(identified: &Result<Option<Caller>, Refusal>) -> &'static str {
    match identified {
        Ok(None) => "nobody",
        Ok(Some(Caller::Session(_))) => "session",
        Ok(Some(Caller::ApiKey(_))) => "api key",
        Err(Refusal::InvalidToken) => "invalid",
        Err(Refusal::RevocationsUnknown) => "revocations unknown",
        Err(Refusal::KeyUnknown) => "key unknown",
        Err(
            other @ (Refusal::Ambiguous(_)
            | Refusal::NotFound
            | Refusal::MethodNotAllowed(_)
            | Refusal::Unauthenticated
            | Refusal::Forbidden
            | Refusal::TooManyRequests(_)
            | Refusal::InvalidHost
            | Refusal::HeadTooLarge
            | Refusal::BodyTooLarge
            | Refusal::BodyTooSlow
            | Refusal::BodyBroken
            | Refusal::Upstream(_)
            | Refusal::TimedOut
            | Refusal::NotReady
            | Refusal::TooManyAtOnce
            | Refusal::Overloaded
            | Refusal::ForeignOrigin
            | Refusal::Internal),
        ) => panic!("{other:?}"),
    }
}

fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

/// Lets this much time pass at once.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Lets everything arrive that is on its way: each turn looks at the sockets once, and all of them end in this thread.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Returns once it is so; that it is not after ten seconds of the system's time is an error.
#[track_caller]
fn until(is_so: impl Fn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    let began = std::time::Instant::now();
    async move {
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(10), "waited in vain at {caller}");
            tokio::task::yield_now().await;
        }
    }
}

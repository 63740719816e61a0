//! The keys that verify: fetched in the background, so that no request but one signed by a new key ever waits for them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use auth_token::{KeySet, VerificationKey};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::api::{Api, ApiError, Bounds};
use super::condition::Condition;
use super::realms::Realms;

const PATH: &str = "/.well-known/jwks.json";
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), size: 1024 * 1024 };
/// A key that was removed in an emergency verifies no longer than this.
const EVERY: Duration = Duration::from_secs(60);
/// Between attempts after failures: doubled from the first to the last.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_LAST: Duration = Duration::from_secs(10);
/// Tokens by unknown keys cost the API one fetch in this time, however many there are: anybody can make them up.
const UNKNOWN_EVERY: Duration = Duration::from_secs(30);
/// How long a request by an unknown key waits for that fetch.
const UNKNOWN_WAIT: Duration = Duration::from_secs(1);

/// Keeps the keys of all realms current.
pub(super) struct Keys {
    api: Arc<Api>,
    realms: Arc<Realms>,
    fixed: Vec<VerificationKey>,
    wake: Notify,
    fetches: watch::Sender<Fetches>,
    /// The last fetch that a token asked for by an unknown key.
    asked: Mutex<Option<Asked>>,
}

/// How many were begun and how many ended; one at a time.
#[derive(Clone, Copy, Default)]
struct Fetches {
    begun: u64,
    ended: u64,
}

#[derive(Clone, Copy)]
struct Asked {
    at: Instant,
    fetch: u64,
}

#[derive(Debug, thiserror::Error)]
enum KeysError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("the answer is no JWK set: {0}")]
    NoJwks(String),
    #[error("the JWK set has no key that can be used; under HS256 the gateway needs JWT_SECRET_KEY as well")]
    Empty,
}

impl Keys {
    /// Keys of `api` for `realms`, besides those that are `fixed`.
    pub(super) fn new(api: Arc<Api>, realms: Arc<Realms>, fixed: Option<KeySet>) -> Self {
        let fixed = fixed.map(|set| set.keys().to_vec()).unwrap_or_default();
        let (fetches, _) = watch::channel(Fetches::default());
        Self { api, realms, fixed, wake: Notify::new(), fetches, asked: Mutex::new(None) }
    }

    /// Fetches for as long as the gateway lives.
    pub(super) async fn run(self: Arc<Self>) {
        let mut condition = Condition::of("the keys of the Auth API");
        let mut retry = RETRY_FIRST;
        loop {
            self.fetches.send_modify(|fetches| fetches.begun += 1);
            let fetched = self.fetch().await;
            self.fetches.send_modify(|fetches| fetches.ended += 1);
            let outcome = fetched.as_ref().map_or_else(KeysError::kind, |()| "ok");
            metrics::counter!("gateway_jwks_refreshes_total", "outcome" => outcome).increment(1);
            let wait = match &fetched {
                Ok(()) => {
                    condition.works();
                    retry = RETRY_FIRST;
                    EVERY
                }
                Err(cause) => {
                    condition.fails(outcome, cause);
                    let next = (retry * 2).min(RETRY_LAST);
                    std::mem::replace(&mut retry, next)
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Has the keys fetched soon: one of them was revoked.
    pub(super) fn refetch(&self) {
        self.wake.notify_one();
    }

    /// Returns once the keys were fetched since a token named one that is unknown, and whether that is so: it is not
    /// when they were just before, or when the fetch takes long.
    pub(super) async fn refetch_for_unknown(&self) -> Refetched {
        let mut fetches = self.fetches.subscribe();
        let Some(awaited) = self.ask(*fetches.borrow()) else { return Refetched::No };
        // The sender is ours, so the wait ends by the fetch or by time.
        match timeout(UNKNOWN_WAIT, fetches.wait_for(|fetches| fetches.ended >= awaited)).await {
            Ok(Ok(_)) => Refetched::Yes,
            Ok(Err(_)) | Err(_) => Refetched::No,
        }
    }

    /// How many fetches were begun, and how many ended.
    #[cfg(test)]
    pub(super) fn progress(&self) -> (u64, u64) {
        let Fetches { begun, ended } = *self.fetches.borrow();
        (begun, ended)
    }

    /// The fetch to wait for, if there is one.
    fn ask(&self, fetches: Fetches) -> Option<u64> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Asked { at, fetch }) = *asked
            && at.elapsed() < UNKNOWN_EVERY
        {
            return (fetches.ended < fetch).then_some(fetch);
        }
        // One that is under way may have been answered before the key was there.
        let fetch = fetches.begun + 1;
        *asked = Some(Asked { at: Instant::now(), fetch });
        self.wake.notify_one();
        Some(fetch)
    }

    async fn fetch(&self) -> Result<(), KeysError> {
        let body = self.api.get(PATH, BOUNDS).await?;
        let text = std::str::from_utf8(&body).map_err(|cause| KeysError::NoJwks(cause.to_string()))?;
        let fetched = KeySet::from_jwks_json(text).map_err(|cause| KeysError::NoJwks(cause.to_string()))?;
        // One server that is set up otherwise must not shut out everybody: what is known goes on, and the log says so.
        if fetched.keys().is_empty() && self.fixed.is_empty() {
            return Err(KeysError::Empty);
        }
        self.realms.replace_keys(KeySet::new(self.fixed.iter().chain(fetched.keys()).cloned().collect()));
        Ok(())
    }
}

/// Whether keys were fetched anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refetched {
    /// They were: judge the token again.
    Yes,
    /// Not now.
    No,
}

impl KeysError {
    fn kind(&self) -> &'static str {
        match self {
            Self::Api(cause) => cause.kind(),
            Self::NoJwks(_) => "unreadable",
            Self::Empty => "empty",
        }
    }
}

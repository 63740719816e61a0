//! A value that is fetched from afar, by one caller at a time, and outlives the source's bad hours.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::OwnedMutexGuard, time::Instant};

use super::Failure;

/// How long a value is good for.
const FRESH: Duration = Duration::from_hours(1);
/// How long it goes on serving while no newer one can be had: a key that was withdrawn must end some time.
const USABLE: Duration = Duration::from_hours(24);
/// How long after a failure nobody tries again, so that a dead provider costs no storm.
const PAUSE: Duration = Duration::from_secs(5);
/// How long after a fetch a newer value is not asked for: anyone can make up a token of an unknown key.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// A remembered value.
pub(super) struct Remembered<T> {
    state: Mutex<State<T>>,
    /// Held by the fetch that is on its way.
    flight: Arc<tokio::sync::Mutex<()>>,
}

struct State<T> {
    kept: Option<(Arc<T>, Instant)>,
    failed: Option<(Failure, Instant)>,
    /// When it was last fetched, or tried to be.
    tried: Option<Instant>,
}

enum Known<T> {
    /// This is the answer.
    Settled(Result<Arc<T>, Failure>),
    /// A newer one is due; until there is one, this is the answer.
    Stale(Arc<T>),
    /// Only a fetch can tell.
    Nothing,
}

impl<T: Send + Sync + 'static> Remembered<T> {
    pub(super) fn new() -> Arc<Self> {
        let state = State { kept: None, failed: None, tried: None };
        Arc::new(Self { state: Mutex::new(state), flight: Arc::default() })
    }

    /// The value, by `fetch` if it is due.
    pub(super) async fn get(
        self: &Arc<Self>,
        fetch: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<Arc<T>, Failure> {
        let known = self.state().known(Instant::now());
        let flight = match known {
            Known::Settled(outcome) => return outcome,
            Known::Stale(value) => match Arc::clone(&self.flight).try_lock_owned() {
                Ok(flight) => flight,
                Err(_) => return Ok(value),
            },
            Known::Nothing => Arc::clone(&self.flight).lock_owned().await,
        };
        // Whoever was in flight before may have brought it.
        let known = self.state().known(Instant::now());
        match known {
            Known::Settled(outcome) => outcome,
            Known::Stale(_) | Known::Nothing => self.fly(flight, fetch).await,
        }
    }

    /// A value newer than `seen`, by `fetch` unless one was tried for within [`RENEWAL_PAUSE`]; none if there is none.
    pub(super) async fn renew(
        self: &Arc<Self>,
        seen: &Arc<T>,
        fetch: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Option<Arc<T>> {
        let flight = Arc::clone(&self.flight).lock_owned().await;
        let newest = self.state().newest();
        if let Some((kept, tried)) = newest {
            if !Arc::ptr_eq(&kept, seen) {
                return Some(kept);
            }
            if tried.elapsed() < RENEWAL_PAUSE {
                return None;
            }
        }
        self.fly(flight, fetch).await.ok().filter(|value| !Arc::ptr_eq(value, seen))
    }

    /// Fetches in a task of its own: a caller who hangs up must not waste the try that all others wait for, or whoever
    /// calls and hangs up every half minute could keep a new key from being found.
    async fn fly(
        self: &Arc<Self>,
        flight: OwnedMutexGuard<()>,
        fetch: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<Arc<T>, Failure> {
        let remembered = Arc::clone(self);
        self.state().tried = Some(Instant::now());
        let landing = tokio::spawn(async move {
            let outcome = fetch.await;
            let settled = remembered.state().settle(outcome, Instant::now());
            drop(flight);
            settled
        });
        landing.await.unwrap_or(Err(Failure::Interrupted))
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn known(&self, now: Instant) -> Known<T> {
        let kept = self.kept.as_ref().map(|(value, at)| (value, now.duration_since(*at)));
        let failed = self.failed.as_ref().filter(|(_, at)| now.duration_since(*at) < PAUSE);
        match (kept, failed) {
            (Some((value, age)), _) if age < FRESH => Known::Settled(Ok(Arc::clone(value))),
            (Some((value, age)), Some(_)) if age < USABLE => Known::Settled(Ok(Arc::clone(value))),
            (Some((value, age)), None) if age < USABLE => Known::Stale(Arc::clone(value)),
            (_, Some((cause, _))) => Known::Settled(Err(cause.clone())),
            (_, None) => Known::Nothing,
        }
    }

    fn newest(&self) -> Option<(Arc<T>, Instant)> {
        let (value, at) = self.kept.as_ref()?;
        Some((Arc::clone(value), self.tried.unwrap_or(*at)))
    }

    fn settle(&mut self, outcome: Result<T, Failure>, now: Instant) -> Result<Arc<T>, Failure> {
        match outcome {
            Ok(value) => {
                let value = Arc::new(value);
                self.kept = Some((Arc::clone(&value), now));
                self.failed = None;
                Ok(value)
            }
            Err(cause) => {
                self.failed = Some((cause.clone(), now));
                match &self.kept {
                    Some((value, at)) if now.duration_since(*at) < USABLE => Ok(Arc::clone(value)),
                    Some(_) | None => Err(cause),
                }
            }
        }
    }
}

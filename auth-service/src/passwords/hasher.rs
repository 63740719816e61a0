//! The bulkhead: Argon2 runs on threads of its own, behind a bounded queue, and nothing else ever waits for it.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::argon2::Cost;
use super::estimate::OwnWords;
use super::hash::PasswordHash;
use super::password::{NewPassword, Password};
use super::policy::Policy;
use super::queue::{Busy, Load, Queue};
use super::weakness::Weakness;
use super::worker::{Job, Shared, Verdict};

/// How many threads hash, and how long they may be behind.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Hash threads; more than there are processors gains nothing.
    pub threads: usize,
    /// Longest estimated wait at which work is still taken.
    pub max_wait: Duration,
}

/// Hashes and verifies passwords on its own threads.
///
/// Memory: 20 MiB a thread under load, and at most one foreign hash (<= 128 MiB) at a time. Dropping it waits for the
/// hashes being computed.
pub struct Hasher {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// Why a chosen password was not hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Too easily guessed.
    #[error("the password is too easy to guess")]
    Weak(Weakness),
    /// The queue is full.
    #[error(transparent)]
    Busy(#[from] Busy),
}

impl Hasher {
    /// Starts the threads. An error means that the system refused them, or that this processor computes wrong hashes.
    pub fn start(config: Config, policy: Policy) -> io::Result<Self> {
        Self::start_at(Cost::PRODUCTION, config, policy)
    }

    fn start_at(cost: Cost, config: Config, policy: Policy) -> io::Result<Self> {
        let threads = config.threads.max(1);
        let shared = Arc::new(Shared::new(cost, policy, Queue::new(threads, config.max_wait)));
        shared.check_processor()?;
        let mut hasher = Self { shared, threads: Vec::with_capacity(threads) };
        for number in 0..threads {
            let shared = Arc::clone(&hasher.shared);
            let thread = thread::Builder::new().name(format!("hash-{number}")).spawn(move || shared.work())?;
            hasher.threads.push(thread);
        }
        Ok(hasher)
    }

    /// Whether work would be taken now: asked before anything else is spent on a request that needs a hash.
    pub fn check_room(&self) -> Result<(), Busy> {
        self.shared.queue.check_room()
    }

    /// How much there is to do, and how much can be done.
    #[must_use]
    pub fn load(&self) -> Load {
        self.shared.queue.load()
    }

    /// Hashes a password that was right or needs no rule: the upgrade of an outdated hash at login.
    pub async fn hash(&self, password: &Password) -> Result<PasswordHash, Busy> {
        self.ask(|reply| Job::Hash(password.clone(), reply)).await
    }

    /// Hashes a chosen password, if it is strong enough for somebody with these words.
    pub async fn hash_new(&self, password: NewPassword, own_words: OwnWords) -> Result<PasswordHash, Rejected> {
        // Estimating a hostile text takes longer than hashing it, hence in the bulkhead.
        self.ask(|reply| Job::HashNew(password, own_words, reply)).await?.map_err(Rejected::Weak)
    }

    /// Verifies a password against a stored hash; without one (or with one that we cannot read) the answer is wrong, and
    /// takes as long.
    pub async fn verify(&self, password: &Password, stored: Option<&str>) -> Result<Verdict, Busy> {
        let stored = stored.and_then(|text| match PasswordHash::parse(text) {
            Ok(hash) => Some(hash),
            Err(error) => {
                tracing::warn!(%error, "a stored password hash cannot be verified");
                None
            }
        });
        self.ask(|reply| Job::Verify(password.clone(), stored, reply)).await
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, Busy> {
        let (reply, answer) = oneshot::channel();
        self.shared.queue.push(job(reply))?;
        // A thread that lacks memory or entropy drops the reply.
        answer.await.map_err(|_| Busy::after(Duration::ZERO))
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.shared.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::sync::MutexGuard;
    use std::task::{Context, Poll, Waker};

    use super::super::worker::{KNOWN_HASH, KNOWN_PASSWORD};
    use super::*;

    /// Takes more memory than [`Cost::TESTS`], so that its verification waits for [`Shared::large`].
    const LARGE_HASH: &str = KNOWN_HASH;
    const BCRYPT_HASH: &str = "$2b$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy";

    fn hasher(threads: usize, max_wait: Duration) -> Hasher {
        Hasher::start_at(Cost::TESTS, Config { threads, max_wait }, Policy::default()).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Keeps every thread busy until the guard is dropped: each waits with a large hash.
    fn occupy(hasher: &Hasher) -> MutexGuard<'_, ()> {
        hasher.shared.large.lock().unwrap()
    }

    #[tokio::test]
    async fn right_password_is_right_and_any_other_wrong() {
        let hasher = hasher(1, Duration::from_secs(1));
        let hash = hasher.hash(&password("비밀번호 하나")).await.ok().unwrap();
        assert_eq!(hasher.verify(&password("비밀번호 하나"), Some(hash.as_str())).await, Ok(Verdict::Right));
        assert_eq!(hasher.verify(&password("비밀번호 둘"), Some(hash.as_str())).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let hasher = hasher(1, Duration::from_secs(1));
        let [one, two] =
            [hasher.hash(&password("x")).await, hasher.hash(&password("x")).await].map(|hash| hash.ok().unwrap());
        assert_ne!(one.as_str(), two.as_str());
    }

    #[tokio::test]
    async fn nobody_has_no_right_password_and_costs_what_somebody_costs() {
        let hasher = hasher(1, Duration::from_secs(1));
        assert_eq!(hasher.verify(&password("x"), None).await, Ok(Verdict::Wrong));
        assert_eq!(hasher.verify(&password("x"), Some("not a hash")).await, Ok(Verdict::Wrong));
        assert!(!hasher.shared.dummy.needs_upgrade(Cost::TESTS));
    }

    #[tokio::test]
    async fn foreign_hash_is_outdated_until_upgraded() {
        let hasher = hasher(1, Duration::from_secs(1));
        let password = password("correct horse 🦀");
        assert_eq!(hasher.verify(&password, Some(BCRYPT_HASH)).await, Ok(Verdict::RightButOutdated));
        let upgraded = hasher.hash(&password).await.ok().unwrap();
        assert_eq!(hasher.verify(&password, Some(upgraded.as_str())).await, Ok(Verdict::Right));
    }

    #[tokio::test]
    async fn chosen_password_is_hashed_only_if_it_is_strong() {
        let hasher = hasher(1, Duration::from_secs(1));
        let chosen = |text: &str| NewPassword::parse(text.to_owned(), 8).unwrap();
        let strong = hasher.hash_new(chosen("TestPass123!"), OwnWords::new([])).await.ok().unwrap();
        assert_eq!(hasher.verify(&password("TestPass123!"), Some(strong.as_str())).await, Ok(Verdict::Right));
        let weak = hasher.hash_new(chosen("password1!"), OwnWords::new([])).await;
        assert_eq!(weak.err(), Some(Rejected::Weak(Weakness::Common)));
    }

    #[tokio::test]
    async fn work_beyond_the_queue_is_refused_at_once_and_the_rest_is_done() {
        let hasher = hasher(2, Duration::from_millis(100));
        let (known, wrong) = (password(KNOWN_PASSWORD), password("x"));
        let mut waiting: Vec<_> = (0..40)
            .map(|number| Box::pin(hasher.verify(if number % 2 == 0 { &known } else { &wrong }, Some(LARGE_HASH))))
            .collect();
        let busy = {
            let _occupied = occupy(&hasher);
            waiting.iter_mut().map(|future| matches!(poll(future.as_mut()), Poll::Ready(Err(_)))).collect::<Vec<_>>()
        };
        // Eleven fit the queue; the threads may each have taken one before it filled.
        assert!((11..=13).contains(&busy.iter().filter(|busy| !**busy).count()), "{busy:?}");
        for (number, future) in waiting.into_iter().enumerate().filter(|(number, _)| !busy[*number]) {
            let expected = if number % 2 == 0 { Verdict::RightButOutdated } else { Verdict::Wrong };
            assert_eq!(future.await, Ok(expected));
        }
    }

    #[tokio::test]
    async fn caller_who_goes_away_leaves_room_for_another() {
        let hasher = hasher(1, Duration::ZERO);
        let password = password("x");
        let _occupied = occupy(&hasher);
        for _ in 0..20 {
            let mut verification = pin!(hasher.verify(&password, Some(LARGE_HASH)));
            assert!(poll(verification.as_mut()).is_pending());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_at_once_each_get_their_own_answer() {
        let hasher = Arc::new(hasher(4, Duration::from_secs(60)));
        let people: Vec<_> = (0..100)
            .map(|number| {
                let hasher = Arc::clone(&hasher);
                tokio::spawn(async move {
                    let own = password(&format!("person {number}"));
                    let hash = hasher.hash(&own).await.ok().unwrap();
                    let right = hasher.verify(&own, Some(hash.as_str())).await;
                    (right, hasher.verify(&password("person"), Some(hash.as_str())).await)
                })
            })
            .collect();
        for person in people {
            assert_eq!(person.await.unwrap(), (Ok(Verdict::Right), Ok(Verdict::Wrong)));
        }
    }

    #[test]
    fn dropped_hasher_has_ended_its_threads() {
        let hasher = hasher(3, Duration::from_secs(1));
        let shared = Arc::downgrade(&hasher.shared);
        drop(hasher);
        assert!(shared.upgrade().is_none());
    }
}

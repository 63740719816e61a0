//! The bulkhead: Argon2 runs on threads of its own, behind a bounded queue, and nothing else ever waits for it.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use tokio::sync::oneshot;

use super::argon2::{Arena, Cost, SALT_BYTES};
use super::hash::{PasswordHash, Starved};
use super::password::{NewPassword, Password};
use super::policy::{self, OwnWords, Weakness};
use super::queue::{Busy, Next, Queue};

/// Requests and tokens go before hashes, so that logins at capacity slow nobody else down.
const NICE: i32 = 10;
/// Time without work after which a thread gives its memory back.
const IDLE: Duration = Duration::from_secs(10);
const KNOWN_PASSWORD: &str = "known answer";
const KNOWN_HASH: &str =
    "$argon2id$v=19$m=256,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$5HhtTzx9HI72R9PfkXESWXziIoyE54jZ4CpXLeN+Z4o";

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

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Right,
    /// The password is right; hash it anew and store that.
    RightButOutdated,
    /// The password is wrong, or there is none.
    Wrong,
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

/// Work for a hash thread, with the way back to whoever awaits it.
pub(super) enum Job {
    Hash(Password, oneshot::Sender<PasswordHash>),
    HashNew(NewPassword, OwnWords, oneshot::Sender<Result<PasswordHash, Weakness>>),
    Verify(Password, Option<PasswordHash>, oneshot::Sender<Verdict>),
}

struct Shared {
    cost: Cost,
    queue: Queue,
    large: Mutex<()>,
    /// Verified in place of the hash of somebody who does not exist.
    dummy: PasswordHash,
}

impl Hasher {
    /// Starts the threads. An error means that the system refused them, or that this processor computes wrong hashes.
    pub fn start(config: Config) -> io::Result<Self> {
        Self::start_at(Cost::PRODUCTION, config)
    }

    pub(super) fn start_at(cost: Cost, config: Config) -> io::Result<Self> {
        let threads = config.threads.max(1);
        let shared = Arc::new(Shared {
            cost,
            queue: Queue::new(threads, config.max_wait),
            large: Mutex::new(()),
            dummy: PasswordHash::dummy(cost),
        });
        shared.check_processor()?;
        let mut hasher = Self { shared, threads: Vec::with_capacity(threads) };
        for number in 0..threads {
            let shared = Arc::clone(&hasher.shared);
            let thread = thread::Builder::new().name(format!("hash-{number}")).spawn(move || shared.work())?;
            hasher.threads.push(thread);
        }
        Ok(hasher)
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

impl Job {
    /// Whether its caller has gone away.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Hash(_, reply) => reply.is_closed(),
            Self::HashNew(_, _, reply) => reply.is_closed(),
            Self::Verify(_, _, reply) => reply.is_closed(),
        }
    }
}

impl Shared {
    fn work(&self) {
        lower_priority();
        let mut arena = Arena::new(self.cost, &self.large);
        loop {
            match self.queue.next(IDLE) {
                Next::Job(job) => {
                    let began = Instant::now();
                    if self.perform(job, &mut arena).is_err() {
                        tracing::error!("password hashing lacks memory or entropy");
                    }
                    self.queue.finished(began.elapsed());
                }
                Next::Idle => arena.release(),
                Next::Closed => return,
            }
        }
    }

    /// Does the work and answers; nobody may be listening any more.
    fn perform(&self, job: Job, arena: &mut Arena<'_>) -> Result<(), Starved> {
        match job {
            Job::Hash(password, reply) => {
                let _ = reply.send(self.hash(&password, arena)?);
            }
            Job::HashNew(password, own_words, reply) => {
                let answer = match policy::assess(&password, &own_words) {
                    Ok(()) => Ok(self.hash(password.password(), arena)?),
                    Err(weakness) => Err(weakness),
                };
                let _ = reply.send(answer);
            }
            Job::Verify(password, stored, reply) => {
                let _ = reply.send(self.verify(&password, stored, arena)?);
            }
        }
        Ok(())
    }

    fn hash(&self, password: &Password, arena: &mut Arena<'_>) -> Result<PasswordHash, Starved> {
        let mut salt = [0; SALT_BYTES];
        rand::fill(&mut salt).map_err(|_| Starved)?;
        PasswordHash::compute(self.cost, password, salt, arena)
    }

    fn verify(
        &self,
        password: &Password,
        stored: Option<PasswordHash>,
        arena: &mut Arena<'_>,
    ) -> Result<Verdict, Starved> {
        let matches = stored.as_ref().unwrap_or(&self.dummy).matches(password, arena)?;
        Ok(match stored {
            Some(hash) if matches && hash.needs_upgrade(self.cost) => Verdict::RightButOutdated,
            Some(_) if matches => Verdict::Right,
            Some(_) | None => Verdict::Wrong,
        })
    }

    /// The code that runs is chosen by processor: a wrong choice would store hashes that no other machine verifies.
    fn check_processor(&self) -> io::Result<()> {
        let (Ok(hash), Ok(password)) = (PasswordHash::parse(KNOWN_HASH), Password::parse(KNOWN_PASSWORD.to_owned()))
        else {
            return Err(io::Error::other("the known answer is damaged"));
        };
        match hash.matches(&password, &mut Arena::new(self.cost, &self.large)) {
            Ok(true) => Ok(()),
            Ok(false) | Err(Starved) => Err(io::Error::other("Argon2id fails its known-answer test on this processor")),
        }
    }
}

/// Refusal is no reason not to start.
#[cfg(target_os = "linux")]
fn lower_priority() {
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

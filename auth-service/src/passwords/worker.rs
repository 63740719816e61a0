//! What a hash thread does: takes work from the queue, computes it in memory of its own, answers.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use tokio::sync::oneshot;

use super::argon2::{Arena, Cost, SALT_BYTES};
use super::estimate::OwnWords;
use super::hash::{PasswordHash, Starved};
use super::password::{NewPassword, Password};
use super::policy::Policy;
use super::queue::{Next, Queue};
use super::weakness::Weakness;

/// Requests and tokens go before hashes, so that logins at capacity slow nobody else down.
const NICE: i32 = 19;
/// Time without work after which a thread gives its memory back.
const IDLE: Duration = Duration::from_secs(10);
pub(super) const KNOWN_PASSWORD: &str = "known answer";
pub(super) const KNOWN_HASH: &str =
    "$argon2id$v=19$m=256,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$5HhtTzx9HI72R9PfkXESWXziIoyE54jZ4CpXLeN+Z4o";

/// Work for a hash thread, with the way back to whoever awaits it.
pub(super) enum Job {
    Hash(Password, oneshot::Sender<PasswordHash>),
    HashNew(NewPassword, OwnWords, oneshot::Sender<Result<PasswordHash, Weakness>>),
    Verify(Password, Option<PasswordHash>, oneshot::Sender<Verdict>),
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

/// What the threads share.
pub(super) struct Shared {
    cost: Cost,
    policy: Policy,
    pub(super) queue: Queue,
    /// Held by the thread that computes with more memory than the others.
    pub(super) large: Mutex<()>,
    /// Verified in place of the hash of somebody who does not exist.
    pub(super) dummy: PasswordHash,
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
    pub(super) fn new(cost: Cost, policy: Policy, queue: Queue) -> Self {
        Self { cost, policy, queue, large: Mutex::new(()), dummy: PasswordHash::dummy(cost) }
    }

    /// The life of one thread, until the queue is closed.
    pub(super) fn work(&self) {
        lower_priority();
        let mut arena = Arena::new(self.cost, &self.large);
        loop {
            match self.queue.next(IDLE) {
                Next::Job(job) => {
                    let began = Instant::now();
                    match panic::catch_unwind(AssertUnwindSafe(|| self.perform(job, &mut arena))) {
                        Ok(Ok(())) => {}
                        Ok(Err(Starved)) => tracing::error!("password hashing lacks memory or entropy"),
                        // Whatever text a library stumbles over must not cost us the thread.
                        Err(_) => arena = Arena::new(self.cost, &self.large),
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
                // A list that cannot be read lets nothing through: the caller may try again.
                let weakness = self.policy.assess(password.password().expose(), &own_words).map_err(|cause| {
                    tracing::error!(%cause, "PASSWORD_BREACHED_FILE cannot be read");
                    Starved
                })?;
                let answer = match weakness {
                    None => Ok(self.hash(password.password(), arena)?),
                    Some(weakness) => Err(weakness),
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
    pub(super) fn check_processor(&self) -> io::Result<()> {
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

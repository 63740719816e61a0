//! Limits guesses at secrets, so that neither many tries nor many at once get through, and waits for outcomes.

use std::time::Duration;

use redis::Script;
use service_kit::redis::{Redis, RedisAway};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::bounded::BoundedMap;
use crate::guesses::{Guesses, Outcome, Step};
use crate::shared::{Shared, TimeSource, script_with_clock};

/// How long an attempt waits for others to be verified.
const PATIENCE: Duration = Duration::from_secs(2);
/// What an attempt is told that has waited in vain.
const RETRY_AFTER_PATIENCE: Duration = Duration::from_secs(1);
/// Outcomes in this process wake those who wait; those in others are seen by asking again, ever more slowly.
const FIRST_POLL: Duration = Duration::from_millis(20);
const WAITING_ROOMS: usize = 64;

/// Counts in this process or in Redis; with Redis away, in this process until it is back.
pub struct GuessLimiter {
    process: BoundedMap<Guesses>,
    redis: Option<RedisGuesses>,
    /// By hash of the subject, so that an outcome wakes few strangers.
    waiting_rooms: Box<[Notify]>,
}

/// Whether a guess may be verified.
#[derive(Debug)]
pub enum Reservation {
    /// Verify it, then say how it went.
    Admitted(Ticket),
    /// Do not verify it.
    Refused {
        /// Until the next attempt may be admitted.
        retry_after: Duration,
    },
}

/// The place of an attempt being verified. Dropped without a word (say, the request was cancelled), it is held for ten
/// seconds and then counts as a failure.
#[derive(Debug)]
#[must_use = "report the outcome, or the place is held for ten seconds and then counts as a failure"]
pub struct Ticket {
    subject: String,
    attempt: i64,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Process,
    Redis,
}

struct RedisGuesses {
    shared: Shared,
    script: Script,
}

impl GuessLimiter {
    /// Counts in this process.
    pub fn memory() -> Self {
        let waiting_rooms = (0..WAITING_ROOMS).map(|_| Notify::new()).collect();
        Self { process: BoundedMap::new(), redis: None, waiting_rooms }
    }

    /// Counts in Redis, exactly across all instances.
    pub fn redis(link: Redis, time: TimeSource) -> Self {
        let script = script_with_clock(&(Guesses::lua_constants() + include_str!("lua/guesses.lua")));
        Self { redis: Some(RedisGuesses { shared: Shared { link, time }, script }), ..Self::memory() }
    }

    /// Reserves a place for one guess at `subject`, waiting up to two seconds while all places are under verification.
    /// `now` in Unix microseconds; the attempt is judged by the time at which it came.
    pub async fn reserve(&self, subject: &str, now: i64) -> Reservation {
        let deadline = Instant::now() + PATIENCE;
        let mut poll = FIRST_POLL;
        loop {
            // Listen before asking, or an outcome between the two would be missed.
            let outcome = self.waiting_room(subject).notified();
            let mut outcome = std::pin::pin!(outcome);
            outcome.as_mut().enable();
            let (place, step) = self.ask(subject, now).await;
            match step {
                Step::Admitted(attempt) => {
                    return Reservation::Admitted(Ticket { subject: subject.to_owned(), attempt, place });
                }
                Step::Refused(wait) => {
                    return Reservation::Refused { retry_after: Duration::from_micros(wait.unsigned_abs()) };
                }
                Step::Held if Instant::now() >= deadline => {
                    return Reservation::Refused { retry_after: RETRY_AFTER_PATIENCE };
                }
                Step::Held => {
                    // Whether woken or not, the answer is asked for again.
                    let _ = timeout_at(deadline.min(Instant::now() + poll), outcome).await;
                    poll *= 2;
                }
            }
        }
    }

    /// The guess was right, or was not verified after all: gives back its place. `now` in Unix microseconds.
    pub async fn give_back(&self, ticket: Ticket, now: i64) {
        self.resolve(ticket, Outcome::GivenBack, now).await;
    }

    /// The guess was wrong: it counts from `now`, in Unix microseconds.
    pub async fn failed(&self, ticket: Ticket, now: i64) {
        self.resolve(ticket, Outcome::Failed, now).await;
    }

    /// Forgets everything about `subject`, as after a completed password reset.
    pub async fn clear(&self, subject: &str) {
        self.process.remove(self.process.hash(subject));
        if let Some(redis) = &self.redis {
            // With Redis away the count there ends by itself, 15 minutes after its last failure.
            let _: Result<(), RedisAway> = redis.shared.link.command(redis::cmd("DEL").arg(key(subject))).await;
        }
        self.waiting_room(subject).notify_waiters();
    }

    async fn ask(&self, subject: &str, now: i64) -> (Place, Step) {
        let shared = match &self.redis {
            Some(redis) => redis.reserve(subject, now).await,
            None => Err(RedisAway),
        };
        shared.map_or_else(
            |RedisAway| (Place::Process, self.change(subject, now, |guesses| guesses.reserve(now))),
            |step| (Place::Redis, step),
        )
    }

    async fn resolve(&self, Ticket { subject, attempt, place }: Ticket, outcome: Outcome, now: i64) {
        match (place, &self.redis) {
            // With Redis gone meanwhile, the reservation there lapses by itself.
            (Place::Redis, Some(redis)) => redis.resolve(&subject, attempt, outcome, now).await.unwrap_or_default(),
            (Place::Redis, None) | (Place::Process, _) => {
                self.change(&subject, now, |guesses| guesses.resolve(attempt, outcome, now));
            }
        }
        self.waiting_room(&subject).notify_waiters();
    }

    fn change<R>(&self, subject: &str, now: i64, change: impl FnOnce(&mut Guesses) -> R) -> R {
        self.process.update(self.process.hash(subject), now, Guesses::PLACES, |guesses| {
            let result = change(guesses);
            (result, guesses.idle_at())
        })
    }

    fn waiting_room(&self, subject: &str) -> &Notify {
        &self.waiting_rooms[self.process.hash(subject) as usize % WAITING_ROOMS]
    }
}

impl RedisGuesses {
    async fn reserve(&self, subject: &str, now: i64) -> Result<Step, RedisAway> {
        let mut call = self.shared.prepare(&self.script, &key(subject), now);
        let (step, value): (String, i64) = self.shared.link.script(call.arg("reserve").arg(0)).await?;
        Ok(match step.as_str() {
            "admitted" => Step::Admitted(value),
            "held" => Step::Held,
            _ => Step::Refused(value),
        })
    }

    async fn resolve(&self, subject: &str, attempt: i64, outcome: Outcome, now: i64) -> Result<(), RedisAway> {
        let verb = match outcome {
            Outcome::GivenBack => "given_back",
            Outcome::Failed => "failed",
        };
        let mut call = self.shared.prepare(&self.script, &key(subject), now);
        let _: (String, i64) = self.shared.link.script(call.arg(verb).arg(attempt)).await?;
        Ok(())
    }
}

fn key(subject: &str) -> String {
    format!("auth-system:guesses:{subject}")
}

//! The bounded queue before the hash threads: it admits what it can finish in time, and drops what nobody awaits.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::rate::Rate;
use super::worker::Job;

/// Assumed cost of a hash until some have been measured.
const FIRST_ESTIMATE: Duration = Duration::from_millis(20);
/// Least cost assumed: passwords refused unhashed take next to nothing, and must not make the queue look short.
const LEAST_ESTIMATE: Duration = Duration::from_millis(5);
/// The running average moves by one part in this many with each measurement.
const SMOOTHING: u32 = 8;

/// The queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("password hashing is at capacity")]
pub struct Busy {
    /// Whole seconds after which to try again; at least one.
    pub retry_after: Duration,
}

/// How much hashing there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Hash threads.
    pub threads: u32,
    /// Jobs that wait for one.
    pub waiting: usize,
    /// Jobs that may wait before one more is refused.
    pub places: usize,
    /// What a job takes, as the queue reckons.
    pub average: Duration,
    /// Jobs done in a second, over the last ten.
    pub per_second: f64,
}

/// What a thread finds when it asks for work.
pub(super) enum Next {
    Job(Job),
    /// Nothing came within the time given.
    Idle,
    /// The queue is closed.
    Closed,
}

pub(super) struct Queue {
    threads: u32,
    max_wait: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    jobs: VecDeque<(Job, Instant)>,
    average: Duration,
    done: Rate,
    closed: bool,
}

impl Busy {
    pub(super) fn after(wait: Duration) -> Self {
        Self { retry_after: Duration::from_secs((wait.as_secs_f64().ceil() as u64).max(1)) }
    }
}

impl Queue {
    pub(super) fn new(threads: usize, max_wait: Duration) -> Self {
        let state =
            State { jobs: VecDeque::new(), average: FIRST_ESTIMATE, done: Rate::new(Instant::now()), closed: false };
        let threads = u32::try_from(threads).unwrap_or(u32::MAX).max(1);
        Self { threads, max_wait, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Takes a job, or refuses it at once if it would wait too long.
    pub(super) fn push(&self, job: Job) -> Result<(), Busy> {
        let mut state = self.lock();
        self.require_room(&mut state)?;
        state.jobs.push_back((job, Instant::now()));
        report_depth(&state);
        self.changed.notify_one();
        Ok(())
    }

    /// Whether a job would be taken now.
    pub(super) fn check_room(&self) -> Result<(), Busy> {
        self.require_room(&mut self.lock())
    }

    /// Waits for the next job that somebody still awaits, up to `patience`.
    pub(super) fn next(&self, patience: Duration) -> Next {
        let idle = |state: &mut State| state.jobs.is_empty() && !state.closed;
        let waited = self.changed.wait_timeout_while(self.lock(), patience, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Next::Closed;
        }
        let job = loop {
            match state.jobs.pop_front() {
                Some((job, _)) if job.is_abandoned() => {}
                job => break job,
            }
        };
        report_depth(&state);
        match job {
            Some((job, since)) => {
                metrics::histogram!("hash_wait_seconds").record(since.elapsed());
                Next::Job(job)
            }
            None => Next::Idle,
        }
    }

    /// Learns what a job took.
    pub(super) fn finished(&self, took: Duration) {
        metrics::histogram!("hash_duration_seconds").record(took);
        let mut state = self.lock();
        state.done.count(Instant::now());
        state.average = ((state.average * (SMOOTHING - 1) + took) / SMOOTHING).max(LEAST_ESTIMATE);
    }

    /// How much there is to do, and how much can be done.
    pub(super) fn load(&self) -> Load {
        let state = self.lock();
        let places = self.max_wait.as_secs_f64() * f64::from(self.threads) / state.average.as_secs_f64();
        Load {
            threads: self.threads,
            waiting: state.jobs.len(),
            places: places as usize + 1,
            average: state.average,
            per_second: state.done.per_second(Instant::now()),
        }
    }

    /// Ends [`Queue::next`] for every thread.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn require_room(&self, state: &mut State) -> Result<(), Busy> {
        if self.wait_of(state) > self.max_wait {
            state.jobs.retain(|(job, _)| !job.is_abandoned());
        }
        let wait = self.wait_of(state);
        if wait > self.max_wait { Err(Busy::after(wait)) } else { Ok(()) }
    }

    fn wait_of(&self, state: &State) -> Duration {
        let ahead = u32::try_from(state.jobs.len()).unwrap_or(u32::MAX);
        state.average.saturating_mul(ahead) / self.threads
    }

    /// No code panics while it holds the lock, so a poisoned state is still whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn report_depth(state: &State) {
    metrics::gauge!("hash_queue_depth").set(state.jobs.len() as f64);
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::{self, Receiver};

    use super::super::hash::PasswordHash;
    use super::super::password::Password;
    use super::*;

    fn job() -> (Job, Receiver<PasswordHash>) {
        let (reply, answer) = oneshot::channel();
        (Job::Hash(Password::parse("password".into()).unwrap(), reply), answer)
    }

    /// Pushes jobs that somebody awaits, until one is refused.
    fn fill(queue: &Queue) -> (Vec<Receiver<PasswordHash>>, Busy) {
        let mut answers = Vec::new();
        loop {
            let (job, answer) = job();
            match queue.push(job) {
                Ok(()) => answers.push(answer),
                Err(busy) => return (answers, busy),
            }
        }
    }

    #[test]
    fn queue_takes_what_the_threads_can_begin_in_time() {
        let (taken, busy) = fill(&Queue::new(1, Duration::from_millis(100)));
        assert_eq!(taken.len(), 6);
        assert_eq!(busy.retry_after, Duration::from_secs(1));
        assert_eq!(fill(&Queue::new(2, Duration::from_millis(100))).0.len(), 11);
    }

    #[test]
    fn queue_takes_less_of_costlier_work() {
        let queue = Queue::new(1, Duration::from_secs(3));
        (0..100).for_each(|_| queue.finished(Duration::from_secs(1)));
        let (taken, busy) = fill(&queue);
        assert_eq!(taken.len(), 4);
        assert_eq!(busy.retry_after, Duration::from_secs(4));
    }

    #[test]
    fn work_that_cost_nothing_does_not_open_the_queue() {
        let queue = Queue::new(1, Duration::from_millis(100));
        (0..1000).for_each(|_| queue.finished(Duration::ZERO));
        assert_eq!(fill(&queue).0.len(), 21);
    }

    #[test]
    fn work_that_nobody_awaits_makes_room() {
        let queue = Queue::new(1, Duration::from_millis(100));
        let (mut taken, _) = fill(&queue);
        taken.pop();
        assert_eq!(fill(&queue).0.len(), 1);
    }

    #[test]
    fn full_queue_says_so_before_it_is_given_work() {
        let queue = Queue::new(1, Duration::from_millis(100));
        assert!(queue.check_room().is_ok());
        let (taken, busy) = fill(&queue);
        assert_eq!(queue.check_room(), Err(busy));
        drop(taken);
        assert!(queue.check_room().is_ok());
    }

    #[test]
    fn work_that_nobody_awaits_is_not_handed_out() {
        let queue = Queue::new(1, Duration::from_millis(100));
        drop(fill(&queue));
        assert!(matches!(queue.next(Duration::ZERO), Next::Idle));
    }

    #[test]
    fn closed_queue_ends_its_threads() {
        let queue = Queue::new(1, Duration::from_millis(100));
        let _taken = fill(&queue);
        queue.close();
        assert!(matches!(queue.next(Duration::MAX), Next::Closed));
    }
}

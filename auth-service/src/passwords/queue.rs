//! The bounded queue before the hash threads: it admits what it can finish in time, and drops what nobody awaits.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::hasher::Job;

/// Assumed cost of a hash until some have been measured.
const FIRST_ESTIMATE: Duration = Duration::from_millis(20);
/// The running average moves by one part in this many with each measurement.
const SMOOTHING: u32 = 8;

/// The queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("password hashing is at capacity")]
pub struct Busy {
    /// Whole seconds after which to try again; at least one.
    pub retry_after: Duration,
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
    closed: bool,
}

impl Busy {
    pub(super) fn after(wait: Duration) -> Self {
        Self { retry_after: Duration::from_secs((wait.as_secs_f64().ceil() as u64).max(1)) }
    }
}

impl Queue {
    pub(super) fn new(threads: usize, max_wait: Duration) -> Self {
        let state = State { jobs: VecDeque::new(), average: FIRST_ESTIMATE, closed: false };
        let threads = u32::try_from(threads).unwrap_or(u32::MAX).max(1);
        Self { threads, max_wait, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Takes a job, or refuses it at once if it would wait too long.
    pub(super) fn push(&self, job: Job) -> Result<(), Busy> {
        let mut state = self.lock();
        if self.wait_of(&state) > self.max_wait {
            state.jobs.retain(|(job, _)| !job.is_abandoned());
        }
        let wait = self.wait_of(&state);
        if wait > self.max_wait {
            return Err(Busy::after(wait));
        }
        state.jobs.push_back((job, Instant::now()));
        report_depth(&state);
        self.changed.notify_one();
        Ok(())
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
        state.average = (state.average * (SMOOTHING - 1) + took) / SMOOTHING;
    }

    /// Ends [`Queue::next`] for every thread.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
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

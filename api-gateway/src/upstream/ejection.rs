//! The circuit breaker of one address: after failures in a row it is left alone, then tried with one request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// No ejection is longer.
pub(super) const LONGEST: Duration = Duration::from_secs(300);

/// When, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Failures in a row.
    pub after: u32,
    /// The first time; it doubles.
    pub time: Duration,
}

/// What a request is to the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of many.
    Ordinary,
    /// The one that decides whether others may follow.
    Trial,
}

/// Whether requests may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// They may.
    Open,
    /// One may, after [`Breaker::take_trial`].
    TrialDue,
    /// None may.
    Shut,
}

/// What a request's end changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing that others see.
    Nothing,
    /// The address is left alone for so long.
    Ejected(Duration),
    /// The trial went well.
    Restored,
}

/// The breaker.
pub(super) struct Breaker {
    rule: Rule,
    /// In use and without a failure: the one thing that most requests look at.
    clean: AtomicBool,
    state: Mutex<State>,
}

struct State {
    standing: Standing,
    /// How long the last ejection was.
    last: Duration,
    restored: Option<Instant>,
}

enum Standing {
    InUse { failures: u32 },
    Out { until: Instant },
    OnTrial,
}

impl Breaker {
    pub fn new(rule: Rule) -> Self {
        let state = State { standing: Standing::InUse { failures: 0 }, last: Duration::ZERO, restored: None };
        Self { rule, clean: AtomicBool::new(true), state: Mutex::new(state) }
    }

    /// In use and without a failure, so that neither a success nor the time of day changes anything.
    pub fn is_clean(&self) -> bool {
        self.clean.load(Ordering::Acquire)
    }

    pub fn gate(&self, now: Instant) -> Gate {
        if self.is_clean() {
            return Gate::Open;
        }
        match self.lock().standing {
            Standing::InUse { .. } => Gate::Open,
            Standing::Out { until } if until <= now => Gate::TrialDue,
            Standing::Out { .. } | Standing::OnTrial => Gate::Shut,
        }
    }

    /// Makes the caller's request the trial, if one is due: once.
    pub fn take_trial(&self, now: Instant) -> Option<Kind> {
        if self.is_clean() {
            return None;
        }
        let mut state = self.lock();
        match state.standing {
            Standing::Out { until } if until <= now => {
                state.standing = Standing::OnTrial;
                Some(Kind::Trial)
            }
            Standing::InUse { .. } | Standing::Out { .. } | Standing::OnTrial => None,
        }
    }

    /// An answer came.
    pub fn succeeded(&self, kind: Kind, now: Instant) -> Change {
        if self.is_clean() {
            return Change::Nothing;
        }
        let mut state = self.lock();
        let change = match (&state.standing, kind) {
            (Standing::InUse { .. }, _) => Change::Nothing,
            (Standing::OnTrial, Kind::Trial) => Change::Restored,
            // It began before the ejection, and says nothing of now.
            (Standing::Out { .. } | Standing::OnTrial, _) => return Change::Nothing,
        };
        if change == Change::Restored {
            state.restored = Some(now);
        }
        state.standing = Standing::InUse { failures: 0 };
        self.clean.store(true, Ordering::Release);
        change
    }

    /// No answer came, or one that says that the server cannot.
    pub fn failed(&self, kind: Kind, now: Instant) -> Change {
        let mut state = self.lock();
        match (&mut state.standing, kind) {
            (Standing::InUse { failures }, _) => {
                self.clean.store(false, Ordering::Release);
                *failures = failures.saturating_add(1);
                if *failures < self.rule.after { Change::Nothing } else { self.eject(&mut state, now) }
            }
            (Standing::OnTrial, Kind::Trial) => self.eject(&mut state, now),
            (Standing::Out { .. } | Standing::OnTrial, _) => Change::Nothing,
        }
    }

    /// Nobody waited for the answer: if it was the trial, another is due.
    pub fn abandoned(&self, kind: Kind, now: Instant) {
        let mut state = self.lock();
        if kind == Kind::Trial && matches!(state.standing, Standing::OnTrial) {
            state.standing = Standing::Out { until: now };
        }
    }

    fn eject(&self, state: &mut State, now: Instant) -> Change {
        // One that did well for longer than it was away begins anew.
        let did_well = state.restored.is_some_and(|restored| now.duration_since(restored) > state.last);
        let time = if did_well || state.last.is_zero() { self.rule.time } else { state.last.saturating_mul(2) };
        state.last = time.min(LONGEST);
        state.restored = None;
        state.standing = Standing::Out { until: now + state.last };
        Change::Ejected(state.last)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> (Breaker, Instant) {
        (Breaker::new(Rule { after: 3, time: 10 * SECOND }), Instant::now())
    }

    fn eject(breaker: &Breaker, now: Instant) -> Change {
        breaker.failed(Kind::Ordinary, now);
        breaker.failed(Kind::Ordinary, now);
        breaker.failed(Kind::Ordinary, now)
    }

    #[test]
    fn failures_in_a_row_eject() {
        let (breaker, now) = breaker();
        assert_eq!(eject(&breaker, now), Change::Ejected(10 * SECOND));
        assert_eq!(breaker.gate(now + 9 * SECOND), Gate::Shut);
    }

    #[test]
    fn success_in_between_resets_the_count() {
        let (breaker, now) = breaker();
        for _ in 0..5 {
            breaker.failed(Kind::Ordinary, now);
            assert_eq!(breaker.failed(Kind::Ordinary, now), Change::Nothing);
            breaker.succeeded(Kind::Ordinary, now);
        }
        assert_eq!(breaker.gate(now), Gate::Open);
    }

    #[test]
    fn one_trial_is_let_through_and_restores() {
        let (breaker, now) = breaker();
        eject(&breaker, now);
        let later = now + 10 * SECOND;
        assert_eq!(breaker.gate(later), Gate::TrialDue);
        assert_eq!(breaker.take_trial(later), Some(Kind::Trial));
        assert_eq!(breaker.take_trial(later), None);
        assert_eq!(breaker.gate(later), Gate::Shut);
        assert_eq!(breaker.succeeded(Kind::Ordinary, later), Change::Nothing);
        assert_eq!(breaker.gate(later), Gate::Shut);
        assert_eq!(breaker.succeeded(Kind::Trial, later), Change::Restored);
        assert_eq!(breaker.gate(later), Gate::Open);
    }

    #[test]
    fn failed_trials_double_the_time_up_to_five_minutes() {
        let (breaker, mut now) = breaker();
        eject(&breaker, now);
        let mut times = Vec::new();
        for _ in 0..6 {
            now += LONGEST;
            breaker.take_trial(now);
            if let Change::Ejected(time) = breaker.failed(Kind::Trial, now) {
                times.push(time.as_secs());
            }
        }
        assert_eq!(times, [20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn time_doubles_for_one_that_fails_soon_after_its_return_only() {
        for (well_for, next) in [(5, 20), (11, 10)] {
            let (breaker, now) = breaker();
            eject(&breaker, now);
            let back = now + 10 * SECOND;
            breaker.take_trial(back);
            breaker.succeeded(Kind::Trial, back);
            assert_eq!(eject(&breaker, back + well_for * SECOND), Change::Ejected(next * SECOND));
        }
    }

    #[test]
    fn abandoned_trial_makes_room_for_another() {
        let (breaker, now) = breaker();
        eject(&breaker, now);
        let later = now + 10 * SECOND;
        breaker.take_trial(later);
        breaker.abandoned(Kind::Ordinary, later);
        assert_eq!(breaker.gate(later), Gate::Shut);
        breaker.abandoned(Kind::Trial, later);
        assert_eq!(breaker.take_trial(later), Some(Kind::Trial));
    }
}

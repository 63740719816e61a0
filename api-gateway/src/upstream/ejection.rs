//! The circuit breaker of one address: after failures in a row it is left alone, then tried with one request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// No ejection is longer.
pub(super) const LONGEST: Duration = Duration::from_secs(300);
/// Nor is one that leaves nobody to turn to: what it keeps out has no other way.
pub(super) const LONGEST_ALONE: Duration = Duration::from_secs(1);
/// A trial that has not ended by then is given up, for its client may be what is slow.
pub(super) const TRIAL_TIME: Duration = Duration::from_secs(2);

/// When, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Failures in a row.
    pub after: u32,
    /// The first time; it doubles.
    pub time: Duration,
}

/// Whether another address of the upstream is usable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Company {
    /// None is: a server that answers at all is better than none.
    Alone,
    /// One is.
    Usable,
}

/// How a server failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// There was no connection, which no request can bring about.
    Unconnected,
    /// The connection broke.
    Broken,
    /// No answer came in time.
    TimedOut,
    /// It said that it cannot.
    Unable,
}

/// What a request is to the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of many.
    Ordinary,
    /// The one that decides whether others may follow, by when it began.
    Trial(Instant),
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
    /// How long the last ejection was that left others to turn to.
    last: Duration,
    restored: Option<Instant>,
}

enum Standing {
    InUse { failures: u32 },
    Out { since: Instant, until: Instant },
    OnTrial { began: Instant },
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

    pub fn gate(&self, company: Company, now: Instant) -> Gate {
        if self.is_clean() {
            return Gate::Open;
        }
        self.gate_of(&self.lock().standing, company, now)
    }

    /// Makes the caller's request the trial, if one is due: once.
    pub fn take_trial(&self, company: Company, now: Instant) -> Option<Kind> {
        if self.is_clean() {
            return None;
        }
        let mut state = self.lock();
        match self.gate_of(&state.standing, company, now) {
            Gate::TrialDue => {
                state.standing = Standing::OnTrial { began: now };
                Some(Kind::Trial(now))
            }
            Gate::Open | Gate::Shut => None,
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
            // Also one that was given up, whatever became of the trials after it: the server answers now.
            (Standing::OnTrial { .. } | Standing::Out { .. }, Kind::Trial(_)) => Change::Restored,
            // It began before the ejection, and says nothing of now.
            (Standing::OnTrial { .. } | Standing::Out { .. }, Kind::Ordinary) => return Change::Nothing,
        };
        if change == Change::Restored {
            state.restored = Some(now);
        }
        state.standing = Standing::InUse { failures: 0 };
        self.clean.store(true, Ordering::Release);
        change
    }

    /// No answer came, or one that says that the server cannot.
    pub fn failed(&self, kind: Kind, fault: Fault, company: Company, now: Instant) -> Change {
        let mut state = self.lock();
        match (&mut state.standing, kind) {
            (Standing::InUse { failures }, Kind::Ordinary) => {
                self.clean.store(false, Ordering::Release);
                *failures = failures.saturating_add(1);
                if *failures < self.rule.after { Change::Nothing } else { self.eject(&mut state, company, now) }
            }
            // No client makes a connection slow to fail: it counts however late it does.
            (Standing::OnTrial { began }, Kind::Trial(mine))
                if fault == Fault::Unconnected || *began == mine && now < mine + TRIAL_TIME =>
            {
                self.eject(&mut state, company, now)
            }
            (Standing::InUse { .. } | Standing::OnTrial { .. } | Standing::Out { .. }, _) => Change::Nothing,
        }
    }

    /// Nobody waited for the answer: if it was the trial, another is due.
    pub fn abandoned(&self, kind: Kind, now: Instant) {
        let Kind::Trial(mine) = kind else { return };
        let mut state = self.lock();
        if matches!(state.standing, Standing::OnTrial { began } if began == mine) {
            state.standing = Standing::Out { since: now, until: now };
        }
    }

    fn gate_of(&self, standing: &Standing, company: Company, now: Instant) -> Gate {
        let due = match (standing, company) {
            (Standing::InUse { .. }, _) => return Gate::Open,
            (Standing::OnTrial { began }, _) => *began + TRIAL_TIME,
            (Standing::Out { until, .. }, Company::Usable) => *until,
            (Standing::Out { since, until }, Company::Alone) => (*since + self.time_alone()).min(*until),
        };
        if due <= now { Gate::TrialDue } else { Gate::Shut }
    }

    fn time_alone(&self) -> Duration {
        self.rule.time.min(LONGEST_ALONE)
    }

    fn eject(&self, state: &mut State, company: Company, now: Instant) -> Change {
        // One that did well for longer than it was away begins anew.
        if state.restored.take().is_some_and(|restored| now.duration_since(restored) > state.last) {
            state.last = Duration::ZERO;
        }
        let time = match company {
            Company::Alone => self.time_alone(),
            Company::Usable => {
                let time = if state.last.is_zero() { self.rule.time } else { state.last.saturating_mul(2) };
                state.last = time.min(LONGEST);
                state.last
            }
        };
        state.standing = Standing::Out { since: now, until: now + time };
        Change::Ejected(time)
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

    fn fail(breaker: &Breaker, now: Instant) -> Change {
        breaker.failed(Kind::Ordinary, Fault::TimedOut, Company::Usable, now)
    }

    fn eject(breaker: &Breaker, now: Instant) -> Change {
        fail(breaker, now);
        fail(breaker, now);
        fail(breaker, now)
    }

    #[test]
    fn failures_in_a_row_eject() {
        let (breaker, now) = breaker();
        assert_eq!(eject(&breaker, now), Change::Ejected(10 * SECOND));
        assert_eq!(breaker.gate(Company::Usable, now + 9 * SECOND), Gate::Shut);
    }

    #[test]
    fn success_in_between_resets_the_count() {
        let (breaker, now) = breaker();
        for _ in 0..5 {
            fail(&breaker, now);
            assert_eq!(fail(&breaker, now), Change::Nothing);
            breaker.succeeded(Kind::Ordinary, now);
        }
        assert_eq!(breaker.gate(Company::Usable, now), Gate::Open);
    }

    #[test]
    fn one_trial_is_let_through_and_restores() {
        let (breaker, now) = breaker();
        eject(&breaker, now);
        let later = now + 10 * SECOND;
        assert_eq!(breaker.gate(Company::Usable, later), Gate::TrialDue);
        assert_eq!(breaker.take_trial(Company::Usable, later), Some(Kind::Trial(later)));
        assert_eq!(breaker.take_trial(Company::Usable, later), None);
        assert_eq!(breaker.gate(Company::Usable, later), Gate::Shut);
        assert_eq!(breaker.succeeded(Kind::Ordinary, later), Change::Nothing);
        assert_eq!(breaker.gate(Company::Usable, later), Gate::Shut);
        assert_eq!(breaker.succeeded(Kind::Trial(later), later), Change::Restored);
        assert_eq!(breaker.gate(Company::Usable, later), Gate::Open);
    }

    #[test]
    fn failed_trials_double_the_time_up_to_five_minutes() {
        let (breaker, mut now) = breaker();
        eject(&breaker, now);
        let mut times = Vec::new();
        for _ in 0..6 {
            now += LONGEST;
            breaker.take_trial(Company::Usable, now);
            if let Change::Ejected(time) = breaker.failed(Kind::Trial(now), Fault::Broken, Company::Usable, now) {
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
            breaker.take_trial(Company::Usable, back);
            breaker.succeeded(Kind::Trial(back), back);
            assert_eq!(eject(&breaker, back + well_for * SECOND), Change::Ejected(next * SECOND));
        }
    }

    #[test]
    fn abandoned_trial_makes_room_for_another() {
        let (breaker, now) = breaker();
        eject(&breaker, now);
        let later = now + 10 * SECOND;
        breaker.take_trial(Company::Usable, later);
        breaker.abandoned(Kind::Ordinary, later);
        assert_eq!(breaker.gate(Company::Usable, later), Gate::Shut);
        breaker.abandoned(Kind::Trial(later), later);
        assert_eq!(breaker.take_trial(Company::Usable, later), Some(Kind::Trial(later)));
    }

    #[test]
    fn last_usable_server_is_left_alone_for_a_second_however_often_it_fails() {
        let (breaker, mut now) = breaker();
        breaker.failed(Kind::Ordinary, Fault::Broken, Company::Alone, now);
        breaker.failed(Kind::Ordinary, Fault::Broken, Company::Alone, now);
        assert_eq!(breaker.failed(Kind::Ordinary, Fault::Broken, Company::Alone, now), Change::Ejected(SECOND));
        for _ in 0..20 {
            now += SECOND;
            let trial = breaker.take_trial(Company::Usable, now).unwrap();
            assert_eq!(breaker.failed(trial, Fault::Unconnected, Company::Alone, now), Change::Ejected(SECOND));
        }
        now += SECOND;
        let trial = breaker.take_trial(Company::Usable, now).unwrap();
        let with_company = breaker.failed(trial, Fault::Unconnected, Company::Usable, now);
        assert_eq!(with_company, Change::Ejected(10 * SECOND));
    }

    #[test]
    fn ejected_server_that_is_alone_now_is_tried_after_a_second() {
        let (breaker, now) = breaker();
        eject(&breaker, now);
        assert_eq!(breaker.gate(Company::Alone, now + SECOND / 2), Gate::Shut);
        assert_eq!(breaker.gate(Company::Alone, now + SECOND), Gate::TrialDue);
        assert_eq!(breaker.take_trial(Company::Usable, now + SECOND), None);
        assert!(breaker.take_trial(Company::Alone, now + SECOND).is_some());
    }

    /// With a trial that has just been given up, at the time returned.
    fn given_up() -> (Breaker, Kind, Instant) {
        let (breaker, now) = breaker();
        eject(&breaker, now);
        let began = now + 10 * SECOND;
        let trial = breaker.take_trial(Company::Usable, began).unwrap();
        assert_eq!(breaker.take_trial(Company::Usable, began + SECOND), None);
        (breaker, trial, began + TRIAL_TIME)
    }

    #[test]
    fn slow_trial_makes_room_for_another_and_only_its_success_counts() {
        let (breaker, slow, now) = given_up();
        assert_eq!(breaker.failed(slow, Fault::TimedOut, Company::Usable, now), Change::Nothing);
        assert_eq!(breaker.gate(Company::Usable, now), Gate::TrialDue);
        let second = breaker.take_trial(Company::Usable, now).unwrap();
        breaker.abandoned(slow, now);
        assert_eq!(breaker.gate(Company::Usable, now), Gate::Shut);
        assert_eq!(breaker.failed(second, Fault::Broken, Company::Usable, now), Change::Ejected(20 * SECOND));
        assert_eq!(breaker.succeeded(slow, now), Change::Restored);
        assert_eq!(breaker.failed(slow, Fault::Broken, Company::Usable, now), Change::Nothing);
        assert!(breaker.is_clean());
    }

    #[test]
    fn connection_that_fails_late_counts() {
        let (breaker, slow, now) = given_up();
        assert_eq!(breaker.failed(slow, Fault::Unconnected, Company::Usable, now), Change::Ejected(20 * SECOND));
    }
}

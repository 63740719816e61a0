//! How many guesses at one password are free, and how slow the rest become.
//!
//! Five failures within 15 minutes are free; after them comes one attempt per 1, 3, 5, 10, 20, 30, 45 and then always
//! 60 seconds after the last failure. A place is reserved *before* the password is verified, so parallel guesses cannot
//! exceed what the count allows; it is given back when the guess was right, and a reservation that nobody resolves becomes
//! a failure.

/// What one process or one Redis key knows about a subject; times in Unix microseconds, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Guesses {
    /// When each attempt still being verified was admitted; made unique, it is the attempt's name.
    pending: Vec<i64>,
    /// The failures that matter: the newest ones within the window.
    failures: Vec<i64>,
}

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Verify it, then report on the attempt of this name.
    Admitted(i64),
    /// All places are held by attempts still being verified: ask again after an outcome.
    Held,
    /// Too soon after the last failure, by this many microseconds.
    Refused(i64),
}

/// How a verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Right, or not verified after all.
    GivenBack,
    Failed,
}

const SECOND: i64 = 1_000_000;
const FREE_FAILURES: usize = 5;
const WINDOW: i64 = 15 * 60 * SECOND;
/// The wait after the fifth failure, the sixth, …; the last one for all that follow.
const WAITS: [i64; 8] =
    [SECOND, 3 * SECOND, 5 * SECOND, 10 * SECOND, 20 * SECOND, 30 * SECOND, 45 * SECOND, 60 * SECOND];
/// Further failures would change nothing.
const FAILURES_KEPT: usize = FREE_FAILURES + WAITS.len() - 1;
/// A reservation this old belongs to a request that was cancelled or a process that died.
const RESERVATION_LIFE: i64 = 10 * SECOND;

impl Guesses {
    /// Most values one subject can hold.
    pub(crate) const PLACES: u32 = (FREE_FAILURES + FAILURES_KEPT) as u32;

    /// Reserves a place; `lua/guesses.lua` is the same in Redis, as for `resolve`.
    pub(crate) fn reserve(&mut self, now: i64) -> Step {
        self.settle(now);
        let wait = self.wait(now);
        let places = FREE_FAILURES.saturating_sub(self.failures.len()).max(1);
        if wait > 0 {
            Step::Refused(wait)
        } else if self.pending.len() >= places {
            Step::Held
        } else {
            Step::Admitted(self.admit(now))
        }
    }

    /// Gives back a place, or counts a failure from `now`; void when the reservation has lapsed or was cleared.
    pub(crate) fn resolve(&mut self, attempt: i64, outcome: Outcome, now: i64) {
        self.settle(now);
        let held = self.pending.iter().position(|pending| *pending == attempt).map(|at| self.pending.remove(at));
        match outcome {
            Outcome::Failed if held.is_some() => self.add_failure(now),
            Outcome::Failed | Outcome::GivenBack => {}
        }
    }

    /// When this says no more than an empty state.
    pub(crate) fn idle_at(&self) -> i64 {
        let lapsed = self.pending.iter().map(|at| at + RESERVATION_LIFE);
        lapsed.chain(self.failures.iter().copied()).max().map_or(i64::MIN, |failure| failure + WINDOW)
    }

    /// The Lua names of the constants above, so that they stand in one place.
    pub(crate) fn lua_constants() -> String {
        let waits = WAITS.map(|wait| wait.to_string()).join(", ");
        format!(
            "local FREE_FAILURES, WINDOW, RESERVATION_LIFE = {FREE_FAILURES}, {WINDOW}, {RESERVATION_LIFE}\n\
             local FAILURES_KEPT, WAITS = {FAILURES_KEPT}, {{{waits}}}\n"
        )
    }

    /// Turns lapsed reservations into failures and drops failures outside the window. What lies too far ahead is from a
    /// clock that has stepped back.
    fn settle(&mut self, now: i64) {
        self.failures.retain(|at| (now - at).abs() < WINDOW);
        let lapsed: Vec<i64> = self.pending.extract_if(.., |at| (now - *at).abs() >= RESERVATION_LIFE).collect();
        for at in lapsed {
            let failed_at = (at + RESERVATION_LIFE).min(now);
            if now - failed_at < WINDOW {
                self.add_failure(failed_at);
            }
        }
    }

    fn add_failure(&mut self, at: i64) {
        self.failures.push(at);
        self.failures.sort_unstable();
        let surplus = self.failures.len().saturating_sub(FAILURES_KEPT);
        self.failures.drain(..surplus);
    }

    fn wait(&self, now: i64) -> i64 {
        let Some(past_free) = self.failures.len().checked_sub(FREE_FAILURES) else {
            return 0;
        };
        let last = self.failures.last().map_or(now, |last| now.min(*last));
        last + WAITS[past_free.min(WAITS.len() - 1)] - now
    }

    fn admit(&mut self, now: i64) -> i64 {
        let mut attempt = now;
        while self.pending.contains(&attempt) {
            attempt += 1;
        }
        self.pending.push(attempt);
        attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * SECOND;

    fn fail_at(guesses: &mut Guesses, now: i64) {
        let Step::Admitted(attempt) = guesses.reserve(now) else { panic!("refused at {now}: {guesses:?}") };
        guesses.resolve(attempt, Outcome::Failed, now);
    }

    fn after_failures(count: usize) -> Guesses {
        let mut guesses = Guesses::default();
        (0..count).for_each(|_| fail_at(&mut guesses, 0));
        guesses
    }

    #[test]
    fn five_failures_are_free_and_the_sixth_attempt_waits() {
        let mut guesses = after_failures(5);
        assert_eq!(guesses.reserve(0), Step::Refused(SECOND));
        assert!(matches!(guesses.reserve(SECOND), Step::Admitted(_)));
    }

    #[test]
    fn each_further_failure_lengthens_the_wait_up_to_a_minute() {
        let mut guesses = after_failures(5);
        let mut now = 0;
        for seconds in [1, 3, 5, 10, 20, 30, 45, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60] {
            assert_eq!(guesses.reserve(now), Step::Refused(seconds * SECOND));
            now += seconds * SECOND;
            fail_at(&mut guesses, now);
        }
    }

    #[test]
    fn attempts_inside_the_wait_do_not_prolong_it() {
        let mut guesses = after_failures(5);
        for now in 0..SECOND / 1_000 {
            assert_eq!(guesses.reserve(now * 1_000), Step::Refused(SECOND - now * 1_000));
        }
        assert!(matches!(guesses.reserve(SECOND), Step::Admitted(_)));
    }

    #[test]
    fn failures_older_than_fifteen_minutes_are_forgotten_one_by_one() {
        let mut guesses = after_failures(4);
        fail_at(&mut guesses, 14 * MINUTE);
        for _ in 0..4 {
            fail_at(&mut guesses, 15 * MINUTE);
        }
        assert_eq!(guesses.reserve(15 * MINUTE), Step::Refused(SECOND));
    }

    #[test]
    fn places_under_verification_are_held_not_refused() {
        let mut guesses = Guesses::default();
        let attempts: Vec<Step> = (0..5).map(|_| guesses.reserve(0)).collect();
        assert_eq!(attempts, (0..5).map(Step::Admitted).collect::<Vec<_>>());
        assert_eq!(guesses.reserve(0), Step::Held);
        guesses.resolve(2, Outcome::GivenBack, 0);
        assert_eq!(guesses.reserve(0), Step::Admitted(2));
    }

    #[test]
    fn past_the_free_ones_only_one_attempt_is_verified_at_a_time() {
        let mut guesses = after_failures(5);
        assert_eq!(guesses.reserve(SECOND), Step::Admitted(SECOND));
        assert_eq!(guesses.reserve(SECOND), Step::Held);
    }

    #[test]
    fn a_place_that_is_given_back_leaves_the_failures_and_the_other_reservations() {
        let mut guesses = after_failures(3);
        let (right, wrong) = (guesses.reserve(0), guesses.reserve(0));
        assert_eq!((right, wrong), (Step::Admitted(0), Step::Admitted(1)));
        guesses.resolve(0, Outcome::GivenBack, 0);
        assert_eq!(guesses, Guesses { pending: vec![1], failures: vec![0, 0, 0] });
    }

    #[test]
    fn an_unresolved_reservation_lapses_as_a_failure_once() {
        let mut guesses = after_failures(4);
        let Step::Admitted(lost) = guesses.reserve(0) else { panic!("refused") };
        assert_eq!(guesses.reserve(RESERVATION_LIFE - 1), Step::Held);
        assert_eq!(guesses.reserve(RESERVATION_LIFE), Step::Refused(SECOND));
        guesses.resolve(lost, Outcome::Failed, RESERVATION_LIFE);
        assert_eq!(guesses.failures.len(), 5);
    }

    #[test]
    fn a_clock_stepping_back_prolongs_no_wait() {
        let mut guesses = Guesses::default();
        (0..5).for_each(|_| fail_at(&mut guesses, 60 * MINUTE));
        assert_eq!(guesses.clone().reserve(59 * MINUTE), Step::Refused(SECOND));
        assert!(matches!(guesses.reserve(0), Step::Admitted(_)));
    }

    #[test]
    fn the_state_stays_small_and_knows_when_it_is_idle() {
        let mut guesses = after_failures(5);
        for minute in 1..60 {
            fail_at(&mut guesses, minute * MINUTE);
        }
        assert_eq!(guesses.failures.len(), FAILURES_KEPT);
        assert_eq!(guesses.idle_at(), 59 * MINUTE + WINDOW);
        assert_eq!(Guesses::default().idle_at(), i64::MIN);
    }
}

//! The generic cell rate algorithm: one number per subject, the time at which its quota will be whole again.

use crate::quota::Quota;

/// The two times that a quota comes down to, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    /// Until one more is admitted.
    pub(crate) interval: i64,
    /// Until all are: as many intervals as the limit.
    pub(crate) burst: i64,
}

/// What one request found, in microseconds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Until the quota is whole again.
    pub(crate) backlog: i64,
    /// Until a refused request may come back; 0 when admitted.
    pub(crate) wait: i64,
}

impl Rate {
    pub(crate) fn of(quota: &Quota) -> Self {
        // The limits on quotas make the interval at least one microsecond.
        let interval = quota.window_micros() / i64::from(quota.limit());
        Self { interval, burst: interval * i64::from(quota.limit()) }
    }

    /// How many more would be admitted at this backlog.
    pub(crate) fn remaining(self, backlog: i64) -> u32 {
        u32::try_from((self.burst - backlog) / self.interval).unwrap_or(0)
    }
}

/// Admits or refuses one request; `lua/gcra.lua` is the same in Redis.
pub(crate) fn take(whole_at: &mut i64, rate: Rate, now: i64) -> Taken {
    // A clock that stepped back must not lock anybody out for longer than a full backlog.
    let current = (*whole_at).clamp(now, now + rate.burst);
    let next = current + rate.interval;
    let wait = next - rate.burst - now;
    if wait > 0 {
        return Taken { backlog: current - now, wait };
    }
    *whole_at = next;
    Taken { backlog: next - now, wait: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn rate(text: &str) -> Rate {
        Rate::of(&text.parse().unwrap())
    }

    #[test]
    fn a_burst_of_the_limit_passes_and_one_more_is_refused() {
        let (mut whole_at, rate) = (0, rate("30/1m"));
        for left in (0..30).rev() {
            let taken = take(&mut whole_at, rate, MINUTE);
            assert_eq!((taken.wait, rate.remaining(taken.backlog)), (0, left));
        }
        assert_eq!(take(&mut whole_at, rate, MINUTE), Taken { backlog: MINUTE, wait: 2_000_000 });
    }

    #[test]
    fn who_comes_back_when_told_is_admitted_once() {
        let (mut whole_at, rate) = (0, rate("3/1m"));
        while take(&mut whole_at, rate, 0).wait == 0 {}
        let wait = take(&mut whole_at, rate, 0).wait;
        assert_eq!(take(&mut whole_at, rate, wait - 1).wait, 1);
        assert_eq!(take(&mut whole_at, rate, wait).wait, 0);
        assert_eq!(take(&mut whole_at, rate, wait).wait, rate.interval);
    }

    #[test]
    fn refused_requests_do_not_prolong_the_wait() {
        let (mut whole_at, rate) = (0, rate("3/1m"));
        while take(&mut whole_at, rate, 0).wait == 0 {}
        let before = whole_at;
        take(&mut whole_at, rate, 1);
        assert_eq!(whole_at, before);
    }

    #[test]
    fn a_clock_stepping_back_costs_no_more_than_one_window() {
        let (mut whole_at, rate) = (0, rate("1/1m"));
        take(&mut whole_at, rate, 1_000 * MINUTE);
        assert_eq!(take(&mut whole_at, rate, 0).wait, MINUTE);
    }
}

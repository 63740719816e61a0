//! How many jobs a second were done lately.

use std::time::{Duration, Instant};

/// Whole seconds that are looked back on; the one that is going on is not.
const SECONDS: u64 = 10;

/// Counts of the last seconds.
pub(super) struct Rate {
    began: Instant,
    /// By the second's number, modulo their number: which second it was, and how many.
    slots: [(u64, u32); SECONDS as usize + 1],
}

impl Rate {
    pub(super) const fn new(now: Instant) -> Self {
        Self { began: now, slots: [(0, 0); SECONDS as usize + 1] }
    }

    pub(super) fn count(&mut self, now: Instant) {
        let second = self.second_of(now);
        let slot = &mut self.slots[(second % (SECONDS + 1)) as usize];
        if slot.0 != second {
            *slot = (second, 0);
        }
        slot.1 = slot.1.saturating_add(1);
    }

    pub(super) fn per_second(&self, now: Instant) -> f64 {
        let current = self.second_of(now);
        let first = current.saturating_sub(SECONDS);
        let lately = self.slots.iter().filter(|(second, _)| (first..current).contains(second));
        let done: u64 = lately.map(|(_, count)| u64::from(*count)).sum();
        done as f64 / (current - first).max(1) as f64
    }

    fn second_of(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).div_duration_f64(Duration::from_secs(1)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ten_whole_seconds_count() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut rate = Rate::new(start);
        assert_eq!(rate.per_second(at(0)), 0.0);
        for millis in [0, 500, 900, 1_500] {
            rate.count(at(millis));
        }
        assert_eq!(rate.per_second(at(1_900)), 3.0, "the second that is going on does not count");
        assert_eq!(rate.per_second(at(2_000)), 2.0);
        assert_eq!(rate.per_second(at(10_000)), 0.4);
        assert_eq!(rate.per_second(at(11_000)), 0.1, "the first second is over");
        rate.count(at(22_000));
        assert_eq!(rate.per_second(at(23_000)), 0.1, "and forgotten");
    }
}

//! How long something took lately: a ring that whoever is measured writes to without waiting for anybody.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// The most that is remembered.
const SLOTS: usize = 1_024;
/// How far lately goes back.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// The last times that something took.
pub struct Lately {
    began: Instant,
    next: AtomicUsize,
    /// When it ended, in seconds since `began` and one more, above how long it took, in microseconds; 0 where nothing is.
    slots: Box<[AtomicU64]>,
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// How often.
    pub count: usize,
    /// Half of them took no longer.
    pub median: Duration,
    /// One in a hundred took longer.
    pub p99: Duration,
}

impl Default for Lately {
    fn default() -> Self {
        Self::since(Instant::now())
    }
}

impl Lately {
    fn since(began: Instant) -> Self {
        Self { began, next: AtomicUsize::new(0), slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Remembers what took from `began` to `now`.
    pub fn record(&self, began: Instant, now: Instant) {
        let took = u32::try_from(now.saturating_duration_since(began).as_micros()).unwrap_or(u32::MAX);
        let slot = self.next.fetch_add(1, Ordering::Relaxed) % SLOTS;
        self.slots[slot].store(self.second_of(now) << 32 | u64::from(took), Ordering::Relaxed);
    }

    /// What was measured in the last five minutes; nothing when nothing was.
    #[must_use]
    pub fn spread(&self, now: Instant) -> Option<Spread> {
        let first = self.second_of(now).saturating_sub(WINDOW.as_secs()).max(1);
        let slots = self.slots.iter().map(|slot| slot.load(Ordering::Relaxed));
        let mut took: Vec<u64> =
            slots.filter(|slot| slot >> 32 >= first).map(|slot| slot & u64::from(u32::MAX)).collect();
        took.sort_unstable();
        let at = |part: f64| {
            let place = (took.len() as f64 * part).ceil() as usize;
            took.get(place.saturating_sub(1)).copied().map(Duration::from_micros)
        };
        Some(Spread { count: took.len(), median: at(0.5)?, p99: at(0.99)? })
    }

    fn second_of(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn the_middle_and_the_slowest_are_told() {
        let start = Instant::now();
        let times = Lately::since(start);
        assert_eq!(times.spread(start), None);
        for millis in (1..=100).rev() {
            times.record(start, after(start, millis));
        }
        let ms = Duration::from_millis;
        assert_eq!(times.spread(after(start, 200)), Some(Spread { count: 100, median: ms(50), p99: ms(99) }));
    }

    #[test]
    fn what_is_long_past_is_forgotten_and_the_ring_goes_round() {
        let start = Instant::now();
        let times = Lately::since(start);
        let late = after(start, 400_000);
        times.record(start, start);
        assert_eq!(times.spread(late), None);
        for _ in 0..SLOTS + 10 {
            times.record(late, after(late, 7));
        }
        let spread = times.spread(after(late, 7)).unwrap();
        assert_eq!((spread.count, spread.median), (SLOTS, Duration::from_millis(7)));
    }
}

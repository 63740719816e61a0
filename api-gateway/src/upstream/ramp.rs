//! Slow start: a server that comes, or comes back, gets its share little by little.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// A whole share.
const WHOLE: u64 = 1000;
/// What it begins with.
const LEAST: u64 = 100;

/// Thousandths of its share that a server gets so long after it came.
pub(super) fn share(since: Duration, slow_start: Duration) -> u64 {
    let (since, whole) = (millis(since), millis(slow_start));
    if since >= whole {
        return WHOLE;
    }
    LEAST + (WHOLE - LEAST) * since / whole
}

/// Where one server is on its way to a whole share.
pub(super) struct Ramp {
    slow_start: Duration,
    epoch: Instant,
    /// In milliseconds after `epoch`; 0 when it has its whole share.
    began: AtomicU64,
    /// Thousandths of turns that it was due.
    credit: AtomicU64,
}

impl Ramp {
    /// With its whole share.
    pub fn new(slow_start: Duration, now: Instant) -> Self {
        Self { slow_start, epoch: now, began: AtomicU64::new(0), credit: AtomicU64::new(0) }
    }

    /// It just came.
    pub fn restart(&self, now: Instant) {
        self.credit.store(0, Ordering::Relaxed);
        self.began.store(millis(now.duration_since(self.epoch)).max(1), Ordering::Release);
    }

    /// Whether it has its whole share.
    pub fn is_over(&self, now: Instant) -> bool {
        self.share(now) >= WHOLE
    }

    /// Whether it takes this turn of its. The turns that it takes are spread evenly, without chance.
    pub fn takes_turn(&self, now: Instant) -> bool {
        let share = self.share(now);
        if share >= WHOLE {
            return true;
        }
        let before = self.credit.fetch_add(share, Ordering::Relaxed);
        before / WHOLE != before.wrapping_add(share) / WHOLE
    }

    fn share(&self, now: Instant) -> u64 {
        let began = self.began.load(Ordering::Acquire);
        if began == 0 {
            return WHOLE;
        }
        let since = now.duration_since(self.epoch).saturating_sub(Duration::from_millis(began));
        let share = share(since, self.slow_start);
        if share >= WHOLE {
            self.began.store(0, Ordering::Release);
        }
        share
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX / (2 * WHOLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn share_grows_from_a_tenth_to_the_whole() {
        let shares: Vec<_> = [0, 2, 5, 8, 10, 60].map(|s| share(Duration::from_secs(s), TEN)).to_vec();
        assert_eq!(shares, [100, 280, 550, 820, 1000, 1000]);
        assert_eq!(share(Duration::ZERO, Duration::ZERO), 1000);
    }

    #[test]
    fn new_server_takes_every_tenth_turn_and_later_each() {
        let now = Instant::now();
        let ramp = Ramp::new(TEN, now);
        assert!(ramp.takes_turn(now));
        ramp.restart(now);
        let begun = now + Duration::from_millis(1);
        let turns: Vec<_> = (1..=30).filter(|_| ramp.takes_turn(begun)).collect();
        assert_eq!(turns, [10, 20, 30]);
        let half = (0..100).filter(|_| ramp.takes_turn(now + TEN / 2)).count();
        assert!((54..=56).contains(&half), "{half}");
        assert!((0..20).all(|_| ramp.takes_turn(now + TEN * 2)));
    }
}

//! The clock: the only file that reads the system's time, so that everything else can be tested at any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// Where the time comes from: the system, or a test that moves it by hand.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's wall clock.
    System,
    /// Microseconds since 1970, shared by all clones.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `start` until it is advanced.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_microsecond())))
    }

    /// The time, truncated to microseconds: what both databases can store without rounding.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let microseconds = match self {
            Self::System => system_now().as_microsecond(),
            Self::Manual(microseconds) => microseconds.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
    }

    /// Whole seconds since 1970, as JWT claims count them.
    #[must_use]
    pub fn unix_seconds(&self) -> i64 {
        self.now().as_second()
    }

    /// Moves a manual clock forward for all its clones; the system's clock is not ours to move.
    pub fn advance(&self, by: Duration) {
        match self {
            Self::System => {}
            Self::Manual(microseconds) => {
                let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
                microseconds.fetch_add(by, Ordering::SeqCst);
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that may")]
fn system_now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_time_has_no_part_finer_than_a_microsecond() {
        assert_eq!(Clock::System.now().as_nanosecond() % 1_000, 0);
    }

    #[test]
    fn clones_of_a_manual_clock_advance_together() {
        let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
        let clone = clock.clone();
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clone.now().to_string(), "2026-01-01T00:00:01.5Z");
        assert_eq!(clone.unix_seconds(), 1_767_225_601);
    }
}

//! When to order: authorities count orders and failures, and shut out for hours or days whoever makes too many.

use std::time::Duration;

use service_kit::serve::tls::Validity;

/// How often a certificate in use is looked at.
pub const LOOK: Duration = Duration::from_secs(HOUR);
const HOUR: u64 = 60 * 60;
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LONGEST_RETRY: Duration = Duration::from_secs(6 * HOUR);
/// Let's Encrypt takes five failures per name and hour.
const ORDERS_PER_HOUR: usize = 4;

/// Whether a certificate is to be replaced: less than a third of its life is left.
pub fn is_due(validity: Validity, now: u64) -> bool {
    let life = validity.until.saturating_sub(validity.from);
    validity.until.saturating_sub(now) < life / 3
}

/// The wait after so many failures in a row.
pub fn back_off(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_RETRY * 2_u32.pow(doublings)).min(LONGEST_RETRY)
}

/// The wait until an order may be made, after those made at `orders`; nothing if that is now.
pub fn wait_for_turn(orders: &[u64], now: u64) -> Option<Duration> {
    let mut recent = within_hour(orders, now);
    recent.sort_unstable();
    let last_of_full_hour = recent.len().checked_sub(ORDERS_PER_HOUR)?;
    Some(Duration::from_secs(recent[last_of_full_hour] + HOUR - now))
}

/// The orders that still count. Those from the future were made before the clock was corrected.
pub fn within_hour(orders: &[u64], now: u64) -> Vec<u64> {
    orders.iter().copied().filter(|at| *at <= now && now - at < HOUR).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_due_when_less_than_a_third_of_its_life_is_left() {
        let validity = Validity { from: 1_000, until: 1_900 };
        for (now, due) in [(0, false), (1_000, false), (1_600, false), (1_601, true), (1_900, true), (5_000, true)] {
            assert_eq!(is_due(validity, now), due, "{now}");
        }
    }

    #[test]
    fn failures_wait_twice_as_long_each_up_to_six_hours() {
        let minutes = |failures| back_off(failures).as_secs() / 60;
        assert_eq!([1, 2, 3, 4, 9, 10, 11, u32::MAX].map(minutes), [1, 2, 4, 8, 256, 360, 360, 360]);
    }

    #[test]
    fn no_hour_sees_more_than_four_orders_also_over_restarts() {
        let mut orders = Vec::new();
        let mut now = 100_000;
        // A gateway that is restarted whenever it may order, for a day.
        while now < 100_000 + 24 * HOUR {
            match wait_for_turn(&orders, now) {
                Some(wait) => now += wait.as_secs(),
                None => orders.push(now),
            }
        }
        let fullest =
            orders.iter().map(|at| orders.iter().filter(|other| **other >= *at && **other < at + HOUR).count());
        assert_eq!(fullest.max(), Some(ORDERS_PER_HOUR));
        assert_eq!(orders.len(), 24 * ORDERS_PER_HOUR);
        assert_eq!(wait_for_turn(&[u64::MAX; 9], 5), None, "the clock was wrong");
    }
}

//! Leases: a few requests taken from Redis at once and spent in this process, so that whoever asks often does not cost a
//! round trip each time. What is leased is counted already, so the sum over all instances never exceeds the quota.

/// How long a lease can be spent, in microseconds: what is left then is lost, to the subject's disadvantage alone.
const LIFE: i64 = 1_000_000;
/// The largest lease, and the least part of a quota that one takes.
const LARGEST: u32 = 32;
const LEAST_PART: u32 = 20;

/// What one subject has left of its last lease.
#[derive(Default)]
pub(crate) struct Lease {
    left: u32,
    until: i64,
    size: u32,
    /// The backlog when it was taken, in microseconds.
    backlog: i64,
}

impl Lease {
    /// Spends one, if one is left: how many are left then, and the backlog that the lease was taken with.
    pub(crate) fn spend(&mut self, now: i64) -> Option<(u32, i64)> {
        // A clock that stepped back by more than a life starts anew.
        if self.left == 0 || now >= self.until || now < self.until - LIFE {
            return None;
        }
        self.left -= 1;
        Some((self.left, self.backlog))
    }

    /// How many to ask for next: twice as many as last time where those were used up in time, one otherwise.
    pub(crate) fn wanted(&self, limit: u32, now: i64) -> u32 {
        let most = (limit / LEAST_PART).clamp(1, LARGEST);
        if now < self.until { (self.size * 2).clamp(1, most) } else { 1 }
    }

    /// Takes in what was granted, of which one is spent at once.
    pub(crate) fn take(&mut self, granted: u32, backlog: i64, now: i64) {
        let kept = if now < self.until { self.left } else { 0 };
        *self = Self { left: kept + granted.saturating_sub(1), until: now + LIFE, size: granted, backlog };
    }

    /// When it says no more than a new one.
    pub(crate) fn idle_at(&self) -> i64 {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_often_is_leased_more_each_time() {
        let (mut lease, mut sizes) = (Lease::default(), Vec::new());
        for now in 0..200 {
            if lease.spend(now).is_none() {
                let wanted = lease.wanted(600, now);
                sizes.push(wanted);
                lease.take(wanted, 0, now);
            }
        }
        assert_eq!(sizes[..6], [1, 2, 4, 8, 16, 30]);
    }

    #[test]
    fn who_asks_seldom_is_leased_one_at_a_time() {
        let mut lease = Lease::default();
        for now in (0..10).map(|second| second * 1_000_000) {
            assert!(lease.spend(now).is_none());
            assert_eq!(lease.wanted(600, now), 1);
            lease.take(1, 0, now);
        }
    }

    #[test]
    fn what_is_left_is_lost_with_time() {
        let mut lease = Lease::default();
        lease.take(10, 0, 0);
        assert_eq!(lease.spend(LIFE - 1), Some((8, 0)));
        assert_eq!(lease.spend(LIFE), None);
    }
}

//! How many different members (say, accounts) one subject (say, an address) touched within a window; repeats are free.

/// When each member was last seen, in microseconds; at most as many as the limit.
#[derive(Default)]
pub(crate) struct Seen(Vec<(u64, i64)>);

/// What one request found; times in microseconds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    /// Members within the window.
    pub(crate) members: u32,
    /// Until none is.
    pub(crate) backlog: i64,
    /// Until a refused member may come back; 0 when admitted.
    pub(crate) wait: i64,
}

impl Seen {
    /// Admits a known member, or a new one while there are fewer than `limit`; `lua/distinct.lua` is the same in Redis.
    pub(crate) fn note(&mut self, member: u64, limit: u32, window: i64, now: i64) -> Noted {
        // What lies further ahead than a window is from a clock that has stepped back.
        self.0.retain(|(_, at)| (now - at).abs() < window);
        match self.0.iter().position(|(known, _)| *known == member) {
            Some(known) => self.0[known].1 = now,
            None if self.0.len() >= limit as usize => {
                let oldest = self.0.iter().map(|(_, at)| at + window - now).min().unwrap_or(0);
                return Noted { members: self.members(), backlog: self.backlog(window, now), wait: oldest };
            }
            None => self.0.push((member, now)),
        }
        Noted { members: self.members(), backlog: self.backlog(window, now), wait: 0 }
    }

    fn members(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn backlog(&self, window: i64, now: i64) -> i64 {
        self.0.iter().map(|(_, at)| at + window - now).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: i64 = 600_000_000;

    #[test]
    fn a_repeated_member_is_free() {
        let mut seen = Seen::default();
        for time in 0..100 {
            assert_eq!(seen.note(7, 1, WINDOW, time), Noted { members: 1, backlog: WINDOW, wait: 0 });
        }
    }

    #[test]
    fn one_member_more_than_the_limit_waits_for_the_oldest() {
        let mut seen = Seen::default();
        for member in 0..20 {
            assert_eq!(seen.note(member, 20, WINDOW, member.cast_signed()).wait, 0);
        }
        assert_eq!(seen.note(20, 20, WINDOW, 100), Noted { members: 20, backlog: WINDOW - 81, wait: WINDOW - 100 });
        assert_eq!(seen.note(0, 20, WINDOW, 100).wait, 0, "known members still pass");
        assert_eq!(seen.note(20, 20, WINDOW, WINDOW + 1).wait, 0, "member 1 has left the window");
    }

    #[test]
    fn a_clock_stepping_back_blocks_nobody_for_long() {
        let mut seen = Seen::default();
        seen.note(1, 1, WINDOW, 100 * WINDOW);
        assert_eq!(seen.note(2, 1, WINDOW, 0).wait, 0);
    }
}

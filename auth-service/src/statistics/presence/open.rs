//! How many sessions were open when each hour ended, told from when they began and ended.

use std::{collections::BTreeMap, ops::Range};

use crate::{db::Ts, statistics::hour_of};

/// Sessions by the hours in which they began and ended.
#[derive(Debug, Default)]
pub struct Open(BTreeMap<i64, i64>);

impl Open {
    /// Counts a session from when it began to when it ended or will.
    pub fn add(&mut self, began: Ts, ended: Ts) {
        self.add_hours(hour_of(began), hour_of(ended), 1);
    }

    /// Counts sessions that began within one hour and ended within another.
    pub(super) fn add_hours(&mut self, began: i64, ended: i64, sessions: i64) {
        *self.0.entry(began).or_default() += sessions;
        *self.0.entry(ended).or_default() -= sessions;
    }

    /// The hour in which the first one began, or the end of time.
    pub(super) fn begins(&self) -> i64 {
        self.0.keys().next().copied().unwrap_or(i64::MAX)
    }

    /// Each of the hours, with how many were open at its end.
    pub(super) fn at_ends(&self, hours: Range<i64>) -> impl Iterator<Item = (i64, i64)> {
        let mut open: i64 = self.0.range(..hours.start).map(|(_, change)| change).sum();
        hours.map(move |hour| {
            open += self.0.get(&hour).copied().unwrap_or(0);
            (hour, open)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_open_at_the_ends_of_its_hours_but_the_last() {
        let mut open = Open::default();
        open.add_hours(2, 5, 1);
        open.add_hours(3, 3, 10);
        open.add_hours(-40, 6, 1);
        open.add_hours(-40, -2, 5);
        let ends: Vec<_> = open.at_ends(1..8).collect();
        assert_eq!(ends, [(1, 1), (2, 2), (3, 2), (4, 2), (5, 1), (6, 0), (7, 0)]);
    }
}

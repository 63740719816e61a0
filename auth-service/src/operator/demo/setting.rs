//! What all people of a demonstration have in common: its time, its size, and how much there is of everything.

use std::time::Duration;

use uuid::Uuid;

use super::rhythm::{Rhythm, days_ago};
use crate::db::Ts;

/// From the first account until now, in days.
const AGE: u32 = 730;
/// How far back histories of logins reach, in days.
const HISTORY: u32 = 30;
/// The last account's hour brings this many times as many people as the first one's.
const GROWTH: f64 = 5.0;
/// The share of people who have logged in within the history, about.
const RECENT: f64 = 0.4;
/// Logins of a recent person, on the average, while there are few people.
const LOGINS_EACH: f64 = 30.0;
/// All logins: this many, or for very many people this many times as many as people.
const MOST_LOGINS: f64 = 400_000.0;
const MOST_LOGINS_EACH: f64 = 3.0;
/// Entries of the audit log by people about themselves: a running service seals some thousand a second.
const MOST_ENTRIES: f64 = 11_000.0;

/// The setting.
pub(super) struct Setting {
    pub(super) now: Ts,
    pub(super) seed: u64,
    /// How many people there are to be.
    pub(super) users: u64,
    /// The first number in addresses: above those of earlier demonstrations in the same database.
    pub(super) first_number: u64,
    /// How long a session lives unused.
    pub(super) idle: Duration,
    /// Of a password that nobody knows.
    pub(super) password_hash: String,
    pub(super) roles: Roles,
    pub(super) staff: Staff,
    pub(super) arrivals: Rhythm,
    pub(super) logins: Rhythm,
    pub(super) amounts: Amounts,
    /// When the attack began.
    pub(super) attack: Ts,
}

/// Ids of the roles that are given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roles {
    pub(super) user: Uuid,
    pub(super) manager: Uuid,
    pub(super) support: Uuid,
    pub(super) auditor: Uuid,
    pub(super) tester: Uuid,
}

/// How many of the first people work here, and as what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Staff {
    pub(super) managers: u64,
    pub(super) supporters: u64,
    pub(super) auditors: u64,
}

/// How much there is of what not everybody has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amounts {
    /// Logins of a recent person.
    pub(super) logins_each: f64,
    /// The share of what people do that stands in the audit log.
    pub(super) audited: f64,
    /// The share of people who were written to lately.
    pub(super) written_to: f64,
    /// The share of people whose account was attacked.
    pub(super) attacked: f64,
    /// The share of people who have API keys, apart from the staff.
    pub(super) with_key: f64,
    /// What the staff did.
    pub(super) acts: u64,
}

impl Staff {
    pub(super) fn of(users: u64) -> Self {
        Self {
            managers: (users / 400).clamp(2, 12),
            supporters: (users / 200).clamp(3, 40),
            auditors: (users / 1_000).clamp(1, 5),
        }
    }

    pub(super) const fn all(self) -> u64 {
        self.managers + self.supporters + self.auditors
    }
}

impl Amounts {
    pub(super) fn of(users: u64) -> Self {
        let people = users.max(1) as f64;
        let recent = RECENT * people;
        let logins_each = LOGINS_EACH.min(MOST_LOGINS.max(MOST_LOGINS_EACH * people) / recent);
        let share = |count: u64| (count as f64 / people).min(1.0);
        Self {
            logins_each,
            audited: (MOST_ENTRIES / (recent * logins_each + people)).min(1.0),
            written_to: share((users * 2 / 5).clamp(60, 3_000)),
            attacked: share((users / 4).clamp(60, 2_500)),
            with_key: share((users / 100).clamp(8, 400)),
            acts: (users / 4).clamp(60, 2_000),
        }
    }
}

impl Setting {
    /// The rhythms of a demonstration that ends now.
    pub(super) fn rhythms(now: Ts) -> (Rhythm, Rhythm, Ts) {
        // At ten past three in the night, three days ago.
        (Rhythm::new(now, AGE * 24, GROWTH), Rhythm::new(now, HISTORY * 24, 1.2), days_ago(now, 3, 190))
    }

    /// An instant between two, more likely where more logins are.
    pub(super) fn login_between(&self, from: Ts, to: Ts, share: f64) -> Ts {
        let (low, high) = (self.logins.share_by(from), self.logins.share_by(to));
        self.logins.at(low + (high - low) * share).clamp(from.min(to), to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_grow_with_the_people_up_to_a_limit() {
        let logins = |users: u64| (Amounts::of(users).logins_each * RECENT * users as f64).round() as u64;
        assert_eq!(logins(1_000), 12_000);
        assert_eq!(logins(100_000), 400_000);
        assert_eq!(logins(1_000_000), 3_000_000);
        for users in [1, 200, 1_000, 100_000, 2_000_000] {
            let Amounts { audited, attacked, acts, .. } = Amounts::of(users);
            let people = users as f64;
            let entries = audited * (logins(users) as f64 + people) + attacked * people + acts as f64;
            assert!(entries < 18_000.0, "{users}: {entries}");
        }
    }
}

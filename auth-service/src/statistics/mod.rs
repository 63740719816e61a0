//! What happened here, in numbers: logins, refusals and registrations by the hour, how many people and sessions there were in it, and are.
//!
//! Nothing is counted when it happens but what leaves no row, and that in memory: a counter that every login moved would
//! have all of them wait for each other. A job counts each hour once it is over; the hours since are counted when asked for.

mod answer;
pub(crate) mod http;
mod presence;
mod roll;
mod store;
mod strangers;
mod totals;
mod window;

pub use answer::Answers;
pub use presence::{Open, add_past, count as count_presence};
pub use roll::{recount, roll};
pub use strangers::Strangers;

use std::collections::BTreeMap;

use crate::db::Ts;

const HOUR_SECONDS: i64 = 3_600;

/// What happened in a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    logins: i64,
    refused: BTreeMap<String, i64>,
    registrations: i64,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Login,
    Refusal,
    /// A refusal that left no row, for it was nobody's.
    Stranger,
    Registration,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Login, Self::Refusal, Self::Stranger, Self::Registration];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refusal => "refusal",
            Self::Stranger => "stranger",
            Self::Registration => "registration",
        }
    }

    /// The kind of this name; nothing where a newer release counts more.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Tally {
    fn add(&mut self, kind: Kind, reason: &str, total: i64) {
        match kind {
            Kind::Login => self.logins += total,
            Kind::Refusal | Kind::Stranger => *self.refused.entry(reason.to_owned()).or_default() += total,
            Kind::Registration => self.registrations += total,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.logins += other.logins;
        self.registrations += other.registrations;
        for (reason, total) in &other.refused {
            *self.refused.entry(reason.clone()).or_default() += total;
        }
    }

    fn refusals(&self) -> i64 {
        self.refused.values().sum()
    }
}

/// Whole hours since 1970.
const fn hour_of(time: Ts) -> i64 {
    time.as_seconds().div_euclid(HOUR_SECONDS)
}

/// When an hour begins.
const fn hour_start(hour: i64) -> Ts {
    Ts::from_micros(hour * HOUR_SECONDS * 1_000_000)
}

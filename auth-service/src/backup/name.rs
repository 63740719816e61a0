//! The names that backups bear, by which alone they are found and removed again.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::db::{Engine, Ts};

const PREFIX: &str = "auth-system-";
/// Of one width, so that names sort by time; milliseconds, so that two in a second have two names.
const TIME: &str = "%Y%m%dT%H%M%S%3fZ";
/// What stands in names in place of [`TIME`], to be read: the fraction has no point before it.
const TIME_LENGTH: usize = "20260131T090000000Z".len();
const PLAIN: &str = ".backup";
const SEALED: &str = ".backup.age";

/// Whether a backup can be read without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sealing {
    /// By whoever has the file.
    Plain,
    /// By whoever has the private key.
    Sealed,
}

/// The name of a backup: `auth-system-20260131T090000000Z-sqlite.backup.age`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupName {
    made_at: Ts,
    engine: Engine,
    sealing: Sealing,
}

/// Which backups stay; the newest always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The newest, so many.
    pub newest: Option<usize>,
    /// Those that are no older.
    pub younger_than: Option<Duration>,
}

impl BackupName {
    /// The name of a backup of this engine that is made now.
    #[must_use]
    pub fn new(made_at: Ts, engine: Engine, sealing: Sealing) -> Self {
        // What cannot be written cannot be compared either.
        Self { made_at: Ts::from_micros(made_at.as_micros().div_euclid(1_000) * 1_000), engine, sealing }
    }

    /// When it was made.
    #[must_use]
    pub const fn made_at(&self) -> Ts {
        self.made_at
    }

    /// Whether it was made at this time, as far as names tell.
    #[must_use]
    pub fn is_of(&self, time: Ts) -> bool {
        Self::new(time, self.engine, self.sealing).made_at == self.made_at
    }

    /// What it was made of.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Timestamp::from(self.made_at).strftime(TIME);
        let ending = match self.sealing {
            Sealing::Plain => PLAIN,
            Sealing::Sealed => SEALED,
        };
        write!(f, "{PREFIX}{time}-{}{ending}", self.engine.as_str())
    }
}

impl FromStr for BackupName {
    type Err = ();

    /// Reads a name; of what is named in another way, nothing is known.
    fn from_str(text: &str) -> Result<Self, ()> {
        let rest = text.strip_prefix(PREFIX).ok_or(())?;
        let (rest, sealing) = match (rest.strip_suffix(SEALED), rest.strip_suffix(PLAIN)) {
            (Some(rest), _) => (rest, Sealing::Sealed),
            (None, Some(rest)) => (rest, Sealing::Plain),
            (None, None) => return Err(()),
        };
        let (time, engine) = rest.split_once('-').ok_or(())?;
        let engine = [Engine::Sqlite, Engine::Postgres].into_iter().find(|known| known.as_str() == engine).ok_or(())?;
        let name = Self::new(parse_time(time).ok_or(())?, engine, sealing);
        // Only what we would have written ourselves is ours.
        if name.to_string() == text { Ok(name) } else { Err(()) }
    }
}

impl Keep {
    /// Whether anything is ever removed.
    #[must_use]
    pub const fn is_everything(self) -> bool {
        self.newest.is_none() && self.younger_than.is_none()
    }

    /// Those of `names` that need not stay, of one engine: none that either rule keeps, and never the newest. Names of a
    /// time to come stay uncounted: they must not take the place of what was made now.
    #[must_use]
    pub fn superfluous(self, names: &[BackupName], engine: Engine, now: Ts) -> Vec<BackupName> {
        if self.is_everything() {
            return Vec::new();
        }
        let mut names: Vec<BackupName> =
            names.iter().filter(|name| name.engine == engine && name.made_at <= now).cloned().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.made_at));
        let is_kept = |place: usize, name: &BackupName| {
            place == 0
                || self.newest.is_some_and(|count| place < count)
                || self.younger_than.is_some_and(|age| name.made_at >= now.minus(age))
        };
        names.into_iter().enumerate().filter(|(place, name)| !is_kept(*place, name)).map(|(_, name)| name).collect()
    }
}

fn parse_time(text: &str) -> Option<Ts> {
    if text.len() != TIME_LENGTH || !text.is_ascii() {
        return None;
    }
    let (seconds, millis) = (&text[..15], text[15..18].parse::<i64>().ok()?);
    let time = DateTime::strptime("%Y%m%dT%H%M%S", seconds).ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(Ts::from_micros(time.timestamp().as_microsecond() + millis * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn names(days: &[i64]) -> Vec<BackupName> {
        days.iter().map(|day| BackupName::new(Ts::from_micros(day * DAY), Engine::Sqlite, Sealing::Sealed)).collect()
    }

    fn removed(keep: Keep, days: &[i64]) -> Vec<i64> {
        let now = Ts::from_micros(100 * DAY);
        let gone = keep.superfluous(&names(days), Engine::Sqlite, now);
        gone.iter().map(|name| name.made_at().as_micros() / DAY).collect()
    }

    #[test]
    fn a_name_is_read_as_it_is_written_and_nothing_else_is_a_name() {
        for (engine, sealing) in [(Engine::Sqlite, Sealing::Plain), (Engine::Postgres, Sealing::Sealed)] {
            let name = BackupName::new(Ts::from_micros(1_769_850_000_123_456), engine, sealing);
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        assert!("auth-system-20260131T090000000Z-sqlite.backup.age".parse::<BackupName>().is_ok());
        for foreign in [
            "auth-system-20260131T090000000Z-sqlite.backup.age.old",
            "auth-system-20260131T090000Z-sqlite.backup",
            "auth-system-20261331T090000000Z-sqlite.backup",
            "auth-system-20260131T090000000Z-mysql.backup",
            "auth-system-20260131T090000+00Z-sqlite.backup",
            "my-auth-system-20260131T090000000Z-sqlite.backup",
            "auth-system-가나다라마바-sqlite.backup",
            "auth-system-.backup",
            "",
        ] {
            assert!(foreign.parse::<BackupName>().is_err(), "{foreign}");
        }
    }

    #[test]
    fn what_either_rule_keeps_stays_and_so_does_the_newest() {
        let newest = |count| Keep { newest: Some(count), ..Keep::default() };
        let days = |days: u64| Keep { younger_than: Some(Duration::from_secs(days * 86_400)), ..Keep::default() };
        assert_eq!(removed(newest(2), &[1, 97, 98, 99]), [97, 1]);
        assert_eq!(removed(days(2), &[1, 97, 98, 99]), [97, 1]);
        assert_eq!(removed(days(2), &[1, 2]), [1], "the newest is old, and stays");
        assert_eq!(removed(newest(0), &[1, 2]), [1]);
        let both = Keep { newest: Some(3), younger_than: Some(Duration::from_secs(2 * 86_400)) };
        assert_eq!(removed(both, &[1, 97, 98, 99]), [1]);
        assert!(removed(Keep::default(), &[1, 2]).is_empty());
        assert_eq!(removed(newest(1), &[1, 99, 101, 102]), [1], "what claims to be of tomorrow takes nobody's place");
    }

    #[test]
    fn backups_of_another_engine_are_left_alone() {
        let other = BackupName::new(Ts::from_micros(0), Engine::Postgres, Sealing::Plain);
        let all = [names(&[1, 2]), vec![other]].concat();
        let keep = Keep { newest: Some(1), ..Keep::default() };
        assert_eq!(keep.superfluous(&all, Engine::Sqlite, Ts::from_micros(3 * DAY)), names(&[1]));
    }
}

//! How many in how long, as an operator writes it: `30/1m`, `20/10m`, `3/1h`, `off`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const MAX_LIMIT: u32 = 1_000_000;
const MAX_WINDOW_SECONDS: u64 = 30 * 86_400;
/// Largest first, so that a window is written in the largest unit that divides it.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A limit from 1 to 1,000,000 within a window from 1 second to 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    limit: u32,
    window_seconds: u64,
}

/// What the configuration says about one kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// `off`: not limited.
    Off,
    /// Limited for each subject.
    Quota(Quota),
}

/// The text is no quota; the message says what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuota {
    /// Not of the form `<limit>/<window>`.
    #[error("write <limit>/<window>, such as 30/1m (units s, m, h, d), or off, instead of {0:?}")]
    Form(String),
    /// The limit is out of range.
    #[error("the limit must be from 1 to {MAX_LIMIT} in {0:?}; to lift it write off")]
    Limit(String),
    /// The window is out of range.
    #[error("the window must be from 1s to 30d in {0:?}")]
    Window(String),
}

impl Quota {
    /// How many are free at once, and again in each window.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The time in which a spent quota is whole again.
    pub fn window(&self) -> Duration {
        Duration::from_secs(self.window_seconds)
    }

    /// The same window for a subject that stands for many, such as a proxy; at most a limit of 1,000,000.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        Self { limit: self.limit.saturating_mul(factor).clamp(1, MAX_LIMIT), ..self }
    }

    pub(crate) fn window_micros(&self) -> i64 {
        // At most 30 days, so it fits.
        self.window_seconds.cast_signed() * 1_000_000
    }
}

impl FromStr for Quota {
    type Err = InvalidQuota;

    fn from_str(text: &str) -> Result<Self, InvalidQuota> {
        let form = || InvalidQuota::Form(text.to_owned());
        let (limit, window) = text.trim().split_once('/').ok_or_else(form)?;
        let unit = window.chars().next_back().ok_or_else(form)?;
        let count = &window[..window.len() - unit.len_utf8()];
        let (_, unit_seconds) = *UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(form)?;
        let limit = parse_digits(limit).ok_or_else(form)?;
        let seconds = parse_digits(count).ok_or_else(form)?.saturating_mul(unit_seconds);
        match (u32::try_from(limit), seconds) {
            (Ok(limit @ 1..=MAX_LIMIT), window_seconds @ 1..=MAX_WINDOW_SECONDS) => Ok(Self { limit, window_seconds }),
            (Ok(1..=MAX_LIMIT), _) => Err(InvalidQuota::Window(text.to_owned())),
            _ => Err(InvalidQuota::Limit(text.to_owned())),
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, seconds)| self.window_seconds.is_multiple_of(*seconds));
        let (unit, seconds) = whole.unwrap_or(&('s', 1));
        write!(f, "{}/{}{unit}", self.limit, self.window_seconds / seconds)
    }
}

impl FromStr for Rule {
    type Err = InvalidQuota;

    fn from_str(text: &str) -> Result<Self, InvalidQuota> {
        if text.trim() == "off" { Ok(Self::Off) } else { text.parse().map(Self::Quota) }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Quota(quota) => quota.fmt(f),
        }
    }
}

/// Digits only: `u64::from_str` would take a sign. Too many digits are as good as the largest number.
fn parse_digits(text: &str) -> Option<u64> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documented_forms_are_read_and_written_back() {
        for text in ["30/1m", "20/10m", "20/1h", "3/1h", "600/1m", "5/30s", "100/1d", "off"] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_window_is_written_in_the_largest_whole_unit() {
        assert_eq!("5/120s".parse::<Quota>().unwrap().to_string(), "5/2m");
        assert_eq!("5/90s".parse::<Quota>().unwrap().to_string(), "5/90s");
    }

    #[test]
    fn anything_else_is_refused_with_what_to_write() {
        for text in [
            "", "30", "30/", "/1m", "30/1", "30/m", "30/1w", "30/1min", "+3/1m", "3/-1m", "3 / 1m", "OFF", "30/1분",
            "１/1m",
        ] {
            let error = text.parse::<Rule>().unwrap_err();
            assert!(error.to_string().contains("30/1m"), "{text}: {error}");
        }
        assert!("0/1m".parse::<Rule>().unwrap_err().to_string().contains("write off"));
        assert_eq!("1000001/1m".parse::<Rule>(), Err(InvalidQuota::Limit("1000001/1m".to_owned())));
        assert_eq!("3/31d".parse::<Rule>(), Err(InvalidQuota::Window("3/31d".to_owned())));
        assert_eq!("3/0s".parse::<Rule>(), Err(InvalidQuota::Window("3/0s".to_owned())));
        assert_eq!(
            "3/99999999999999999999d".parse::<Rule>(),
            Err(InvalidQuota::Window("3/99999999999999999999d".to_owned()))
        );
    }

    #[test]
    fn a_multiple_stays_within_the_largest_limit() {
        let quota: Quota = "30/1m".parse().unwrap();
        assert_eq!(quota.times(20).to_string(), "600/1m");
        assert_eq!(quota.times(u32::MAX).limit(), MAX_LIMIT);
    }

    proptest! {
        #[test]
        fn every_quota_is_read_back_as_written(limit in 1..=MAX_LIMIT, window_seconds in 1..=MAX_WINDOW_SECONDS) {
            let quota = Quota { limit, window_seconds };
            prop_assert_eq!(quota.to_string().parse::<Quota>(), Ok(quota));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Rule>();
        }
    }
}

//! How far back is looked, and where its hours and days begin.

use std::time::Duration;

use crate::{
    db::Ts,
    fields::{Fault, Fields},
    statistics::{hour_of, hour_start},
};

const DAY_HOURS: i64 = 24;
/// The hours that are kept: the longest window, the one before it, and a day for offsets.
pub const KEPT_HOURS: i64 = 61 * DAY_HOURS;
/// The offsets of the world, in hours.
const OFFSETS: std::ops::RangeInclusive<i64> = -12..=14;

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// 24 hours.
    Day,
    /// Seven days.
    Week,
    /// 30 days.
    Month,
}

impl Window {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// As the query names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// How long it is, in hours.
    pub const fn hours(self) -> i64 {
        match self {
            Self::Day => DAY_HOURS,
            Self::Week => 7 * DAY_HOURS,
            Self::Month => 30 * DAY_HOURS,
        }
    }

    /// How long it is.
    pub const fn length(self) -> Duration {
        Duration::from_secs(self.hours().unsigned_abs() * 3_600)
    }

    /// How long each of its buckets is, in hours.
    pub const fn bucket_hours(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week | Self::Month => DAY_HOURS,
        }
    }
}

/// What is asked for: a window, and by how many hours the clocks of whoever asks are ahead of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    pub window: Window,
    pub offset: i64,
}

impl Frame {
    /// Takes `window` and `offset`.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let window = fields.optional("window", |text| {
            let known = Window::ALL.into_iter().find(|window| window.as_str() == text);
            known.ok_or_else(|| Fault::new("unknown_value", "One of 24h, 7d, 30d.", "24h, 7d, 30d 중 하나여야 합니다."))
        });
        let offset = fields.optional("offset", parse_offset);
        Some(Self { window: window?.unwrap_or(Window::Day), offset: offset?.unwrap_or(0) })
    }

    /// The number of an hour's bucket.
    pub const fn bucket_of(self, hour: i64) -> i64 {
        (hour + self.offset).div_euclid(self.window.bucket_hours())
    }

    /// The first hour of a bucket.
    pub const fn bucket_start(self, bucket: i64) -> i64 {
        bucket * self.window.bucket_hours() - self.offset
    }

    /// Its buckets at `now`: the last one is still going on.
    pub const fn buckets(self, now: Ts) -> std::ops::RangeInclusive<i64> {
        let last = self.bucket_of(hour_of(now));
        last - self.window.hours() / self.window.bucket_hours() + 1..=last
    }

    /// When its first bucket begins.
    pub const fn from(self, now: Ts) -> Ts {
        hour_start(self.bucket_start(*self.buckets(now).start()))
    }

    /// The offset as the wire writes it.
    pub fn offset_text(self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}:00", self.offset.abs())
    }
}

/// Reads an offset from UTC in whole hours. A plus that was not encoded arrives as a space.
fn parse_offset(text: &str) -> Result<i64, Fault> {
    let fault = || {
        Fault::new(
            "invalid_offset",
            "Write whole hours ahead of UTC, such as +09:00, from -12:00 to +14:00.",
            "UTC보다 앞선 시간을 +09:00처럼 정시 단위로 쓰세요. -12:00에서 +14:00까지입니다.",
        )
    };
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+" | " ", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        Some(_) | None => return Err(fault()),
    };
    let hours =
        digits.strip_suffix(":00").filter(|hours| hours.len() == 2 && hours.bytes().all(|b| b.is_ascii_digit()));
    let hours: i64 = hours.and_then(|hours| hours.parse().ok()).ok_or_else(fault)?;
    Some(sign * hours).filter(|offset| OFFSETS.contains(offset)).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Ts {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn an_offset_is_read_in_whole_hours_alone() {
        for (text, hours) in
            [("+09:00", 9), (" 09:00", 9), ("-05:00", -5), ("+00:00", 0), ("+14:00", 14), ("-12:00", -12)]
        {
            assert_eq!(parse_offset(text).ok(), Some(hours), "{text}");
        }
        for text in ["", "9", "09:00", "+9:00", "+05:30", "+15:00", "-13:00", "+0x:00", "++9:00", "é09:00", "+09:00 "]
        {
            assert!(parse_offset(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_begin_at_midnight_where_the_clocks_are_ahead() {
        let now = at("2026-03-10T14:59:59Z");
        let frame = |offset| Frame { window: Window::Week, offset };
        assert_eq!(frame(0).from(now), at("2026-03-04T00:00:00Z"));
        assert_eq!(frame(9).from(now), at("2026-03-03T15:00:00Z"), "it is 23:59 in Seoul");
        assert_eq!(frame(9).from(at("2026-03-10T15:00:00Z")), at("2026-03-04T15:00:00Z"), "a new day");
        assert_eq!(frame(-5).from(now), at("2026-03-04T05:00:00Z"));
        assert_eq!(frame(9).buckets(now).count(), 7);
    }

    #[test]
    fn a_day_has_its_24_hours_whatever_the_offset() {
        let now = at("2026-03-10T14:30:00Z");
        for offset in [-5, 0, 9] {
            let frame = Frame { window: Window::Day, offset };
            assert_eq!(frame.from(now), at("2026-03-09T15:00:00Z"));
            assert_eq!(frame.buckets(now).count(), 24);
        }
    }
}

//! When people come: a weight for each hour, more by day than by night and more on workdays, by Seoul's clocks.

use crate::db::Ts;

/// In microseconds.
const HOUR: i64 = 3_600_000_000;
/// Seoul is nine hours ahead of UTC, all year.
const SEOUL: i64 = 9;
/// From midnight on.
const BY_HOUR: [f64; 24] = [
    0.22, 0.12, 0.07, 0.05, 0.04, 0.06, 0.15, 0.38, 0.72, 0.98, 1.0, 0.94, 0.85, 0.92, 0.95, 0.91, 0.86, 0.83, 0.80,
    0.82, 0.90, 0.92, 0.72, 0.42,
];
/// From Monday on.
const BY_DAY: [f64; 7] = [1.10, 1.08, 1.06, 1.04, 1.0, 0.70, 0.66];
/// The first of January 1970 was a Thursday.
const FIRST_DAY: i64 = 3;

/// How much of all that happens until now has happened by when.
pub(super) struct Rhythm {
    begins: Ts,
    now: Ts,
    /// The weight of the hours before each, and at last of all.
    sums: Vec<f64>,
}

impl Rhythm {
    /// So many hours up to now, the last of which counts `growth` times as much as the first.
    pub(super) fn new(now: Ts, hours: u32, growth: f64) -> Self {
        let begins = Ts::from_micros(now.as_micros() - i64::from(hours) * HOUR);
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        for hour in 0..hours {
            let clock = (begins.as_micros() + i64::from(hour) * HOUR).div_euclid(HOUR) + SEOUL;
            let of_day = BY_HOUR[clock.rem_euclid(24) as usize];
            let of_week = BY_DAY[(clock.div_euclid(24) + FIRST_DAY).rem_euclid(7) as usize];
            sum += of_day * of_week * (1.0 + (growth - 1.0) * f64::from(hour) / f64::from(hours));
            sums.push(sum);
        }
        Self { begins, now, sums }
    }

    /// When it begins.
    pub(super) const fn begins(&self) -> Ts {
        self.begins
    }

    /// The instant by which this share of all has happened.
    pub(super) fn at(&self, share: f64) -> Ts {
        let Some(total) = self.sums.last() else { return self.now };
        let sought = share * total;
        let next = self.sums.partition_point(|sum| *sum <= sought).clamp(1, self.sums.len() - 1);
        let (before, after) = (self.sums[next - 1], self.sums[next]);
        let hours = (next - 1) as f64 + ((sought - before) / (after - before)).clamp(0.0, 1.0);
        Ts::from_micros(self.begins.as_micros() + (hours * HOUR as f64) as i64).min(self.now)
    }

    /// The share of all that has happened by then.
    pub(super) fn share_by(&self, at: Ts) -> f64 {
        let Some(total) = self.sums.last() else { return 1.0 };
        let hours = (at.as_micros() - self.begins.as_micros()) as f64 / HOUR as f64;
        let hours = hours.clamp(0.0, (self.sums.len() - 1) as f64);
        let whole = (hours as usize).min(self.sums.len() - 2);
        let (before, after) = (self.sums[whole], self.sums[whole + 1]);
        (before + (after - before) * (hours - whole as f64)) / total
    }
}

/// This time of the day in Seoul, so many days before today.
pub(super) fn days_ago(now: Ts, days: i64, minutes: i64) -> Ts {
    let today = (now.as_micros() + SEOUL * HOUR).div_euclid(24 * HOUR);
    Ts::from_micros((today - days) * 24 * HOUR - SEOUL * HOUR + minutes * HOUR / 60)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn ts(text: &str) -> Ts {
        text.parse::<Timestamp>().unwrap().into()
    }

    #[test]
    fn shares_and_instants_are_each_others_inverse_and_never_lie_ahead() {
        let now = ts("2026-01-05T03:30:00Z");
        let rhythm = Rhythm::new(now, 730 * 24, 6.0);
        let instants: Vec<Ts> = (0..=1_000).map(|n| rhythm.at(f64::from(n) / 1_000.0)).collect();
        assert!(instants.is_sorted() && instants[0] >= rhythm.begins() && instants[1_000] <= now);
        for share in [0.0, 0.001, 0.25, 0.5, 0.9, 0.999] {
            assert!((rhythm.share_by(rhythm.at(share)) - share).abs() < 1e-6, "{share}");
        }
        assert!(rhythm.at(0.5) > ts("2025-02-15T00:00:00Z"), "half of them came in the last third of the time");
    }

    #[test]
    fn seoul_sleeps_when_it_is_night_there() {
        let rhythm = Rhythm::new(ts("2026-01-05T15:00:00Z"), 24, 1.0);
        let share = |from: &str, to: &str| rhythm.share_by(ts(to)) - rhythm.share_by(ts(from));
        let night = share("2026-01-04T17:00:00Z", "2026-01-04T20:00:00Z");
        let morning = share("2026-01-05T00:00:00Z", "2026-01-05T03:00:00Z");
        assert!(morning > 10.0 * night, "{morning} {night}");
        assert_eq!(days_ago(ts("2026-01-05T15:30:00Z"), 3, 190), ts("2026-01-02T18:10:00Z"));
    }
}

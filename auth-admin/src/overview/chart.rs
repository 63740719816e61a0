//! What happened and who was there, over time, as inline drawings: axes that can be read, the last value marked.

use auth_sdk::{Statistics, StatisticsBucket};

use crate::frame::{Frame, number};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 220.0;
/// What is left around the lines for their axes.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 72.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 26.0;
/// How far numbers must stand from each other to be read.
const APART: f64 = 20.0;
/// The most names under the axis.
const NAMES: usize = 8;

/// A drawing.
pub struct Chart {
    /// Names it, and its table, within the page.
    pub id: &'static str,
    pub title: &'static str,
    /// What is counted, where the lines' names do not say.
    pub note: Option<&'static str>,
    pub lines: Vec<Line>,
    pub levels: Vec<Level>,
    pub names: Vec<Name>,
    /// The same as a table, oldest first.
    pub rows: Vec<Row>,
    /// Whether there is time of which nothing is known.
    pub has_gaps: bool,
}

/// One course of numbers.
pub struct Line {
    pub class: &'static str,
    pub key: &'static str,
    pub path: String,
    /// Missing where nothing is known.
    pub last: Option<Mark>,
}

/// Where a line ends, and at how much.
pub struct Mark {
    pub x: String,
    pub y: String,
    pub text: String,
    /// Where the number stands: beside the mark, or above another's.
    pub text_y: String,
    /// How low the line ends.
    end: f64,
}

/// A horizontal line with its number.
pub struct Level {
    pub y: String,
    pub text: String,
}

/// A name under the axis.
pub struct Name {
    pub x: String,
    pub text: String,
}

/// A bucket in numbers, one of each line.
pub struct Row {
    pub at: String,
    pub values: Vec<String>,
}

/// What a line is drawn of: how it looks, what it is called, and its numbers.
struct Course {
    class: &'static str,
    key: &'static str,
    values: Vec<Option<u64>>,
}

impl Chart {
    /// Draws what happened, and who was there.
    pub fn all(frame: &Frame, statistics: &Statistics) -> [Self; 3] {
        let by_hour = statistics.bucket == "hour";
        let names: Vec<String> =
            statistics.buckets.iter().map(|bucket| frame.bucket(&bucket.at, &statistics.bucket)).collect();
        let course = |class, key, value: fn(&StatisticsBucket) -> Option<u64>| Course {
            class,
            key,
            values: statistics.buckets.iter().map(value).collect(),
        };
        let happened = [
            course("good", "chart-logins", |bucket| Some(bucket.logins)),
            course("refused", "chart-refused", |bucket| Some(bucket.refused.values().sum())),
            course("new", "tile-registrations", |bucket| Some(bucket.registrations)),
        ];
        let people = [course("good", "tile-active", |bucket| bucket.active_users)];
        let sessions = [course("good", "chart-open", |bucket| bucket.sessions)];
        [
            Self::of(("chart", "chart-title", None), &happened, &names),
            Self::of(
                ("people", "chart-people", Some(if by_hour { "chart-people-hour" } else { "chart-people-day" })),
                &people,
                &names,
            ),
            Self::of(
                (
                    "sessions",
                    "chart-sessions",
                    Some(if by_hour { "chart-sessions-hour" } else { "chart-sessions-day" }),
                ),
                &sessions,
                &names,
            ),
        ]
    }

    fn of(
        (id, title, note): (&'static str, &'static str, Option<&'static str>),
        courses: &[Course],
        names: &[String],
    ) -> Self {
        let most =
            round_up(courses.iter().flat_map(|course| &course.values).filter_map(|value| *value).max().unwrap_or(0));
        let level = |quarter: u64| Level { y: point(y(most * quarter / 4, most)), text: number(most * quarter / 4) };
        let step = names.len().div_ceil(NAMES).max(1);
        let shown = names.iter().enumerate().step_by(step);
        let told = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), number);
        let row = |(n, name): (usize, &String)| Row {
            at: name.clone(),
            values: courses.iter().map(|course| told(course.values.get(n).copied().flatten())).collect(),
        };
        let mut lines: Vec<Line> = courses.iter().map(|course| line(course, most)).collect();
        set_apart(&mut lines);
        Self {
            id,
            title,
            note,
            lines,
            levels: [0, 2, 4].map(level).into(),
            names: shown.map(|(n, text)| Name { x: point(x(n, names.len())), text: text.clone() }).collect(),
            rows: names.iter().enumerate().map(row).collect(),
            has_gaps: courses.iter().any(|course| course.values.contains(&None)),
        }
    }
}

fn line(course: &Course, most: u64) -> Line {
    let of = course.values.len();
    let place = |(n, value): (usize, &Option<u64>)| value.map(|value| (x(n, of), y(value, most)));
    let last = course.values.iter().rposition(Option::is_some).and_then(|n| {
        let value = course.values[n]?;
        let (x, end) = (x(n, of), y(value, most));
        Some(Mark { x: point(x), y: point(end), text: number(value), text_y: point(end), end })
    });
    let places: Vec<_> = course.values.iter().enumerate().map(place).collect();
    Line { class: course.class, key: course.key, path: places.split(Option::is_none).map(stretch).collect(), last }
}

/// Draws what lies between two gaps. A point alone is the shortest of lines, which its round ends make visible: browsers draw
/// none of no length where lines are dashed.
fn stretch(places: &[Option<(f64, f64)>]) -> String {
    let mut path = String::new();
    for (n, (x, y)) in places.iter().flatten().enumerate() {
        path.push(if n == 0 { 'M' } else { 'L' });
        path.push_str(&format!("{} {}", point(*x), point(*y)));
    }
    if places.len() == 1 {
        path.push_str("h.01");
    }
    path
}

/// Moves the numbers at the ends up, so that none stands on another.
fn set_apart(lines: &mut [Line]) {
    let mut lowest_first: Vec<&mut Mark> = lines.iter_mut().filter_map(|line| line.last.as_mut()).collect();
    lowest_first.sort_by(|one, other| other.end.total_cmp(&one.end));
    let mut free = f64::INFINITY;
    for mark in lowest_first {
        let y = mark.end.min(free);
        free = y - APART;
        mark.text_y = point(y);
    }
}

fn x(number: usize, of: usize) -> f64 {
    let steps = of.saturating_sub(1).max(1) as f64;
    LEFT + (WIDTH - LEFT - RIGHT) * number as f64 / steps
}

fn y(value: u64, most: u64) -> f64 {
    HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value as f64 / most as f64
}

fn point(value: f64) -> String {
    format!("{value:.1}")
}

/// The next number that four parts can be told of: 4, 8, 12, 16, 20, 40, 80, 120, …
fn round_up(most: u64) -> u64 {
    let mut scale = 1;
    loop {
        if let Some(step) = [4, 8, 12, 16, 20].into_iter().find(|step| step * scale >= most) {
            return step * scale;
        }
        scale *= 10;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use service_kit::language::Language;

    use super::*;

    #[test]
    fn axes_end_at_numbers_that_can_be_read() {
        for (most, end) in [(0, 4), (4, 4), (5, 8), (9, 12), (21, 40), (150, 160), (9_214, 12_000)] {
            assert_eq!(round_up(most), end, "{most}");
        }
    }

    fn drawn(values: &[Option<u64>], most: u64) -> Line {
        line(&Course { class: "good", key: "chart-logins", values: values.to_vec() }, most)
    }

    #[test]
    fn numbers_at_the_ends_do_not_cover_each_other() {
        let mut lines = [Some(4), Some(0), None, Some(0)].map(|last| drawn(&[Some(1), last], 4));
        // One that is known no longer ends earlier, at its own height.
        set_apart(&mut lines);
        let places = lines.map(|line| line.last.unwrap().text_y);
        assert_eq!(places, ["14.0", "194.0", "149.0", "174.0"]);
    }

    #[test]
    fn a_line_stays_within_its_axes() {
        let line = drawn(&[Some(0), Some(4), Some(2)], 4);
        assert_eq!(line.path, "M64.0 194.0L376.0 14.0L688.0 104.0");
        let last = line.last.unwrap();
        assert_eq!((last.x.as_str(), last.text.as_str()), ("688.0", "2"));
    }

    #[test]
    fn where_nothing_is_known_there_is_no_line_and_never_a_zero() {
        let line = drawn(&[None, Some(4), None, Some(0), Some(2)], 4);
        assert_eq!(line.path, "M220.0 14.0h.01M532.0 194.0L688.0 104.0");
        let unknown = drawn(&[None, None], 4);
        assert!(unknown.path.is_empty() && unknown.last.is_none());
        assert_eq!(drawn(&[], 4).path, "");
    }

    #[test]
    fn every_chart_has_its_table() {
        let bucket = |at: &str, active: Option<u64>| {
            json!({"at": at, "logins": 1_200, "refused": {"wrong_password": 2, "unknown_account": 1}, "registrations": 0,
                   "active_users": active, "sessions": active.map(|n| n * 2)})
        };
        let statistics: Statistics = serde_json::from_value(json!({
            "window": "7d", "offset": "+09:00", "from": "2026-01-01T15:00:00Z", "until": "2026-01-03T00:00:00Z",
            "bucket": "day",
            "buckets": [bucket("2026-01-01T15:00:00Z", None), bucket("2026-01-02T15:00:00Z", Some(900))],
            "totals": {"logins": 0, "refused": {}, "registrations": 0, "active_users": 0, "users": 0, "live_sessions": 0,
                       "counted_at": "2026-01-03T00:00:00Z"},
            "previous": {"logins": 0, "refused": 0, "registrations": 0},
        }))
        .unwrap();
        let charts = Chart::all(&Frame::for_tests(Language::Korean), &statistics);
        let told = charts.each_ref().map(|chart| {
            assert_eq!(chart.rows.iter().map(|row| row.at.as_str()).collect::<Vec<_>>(), ["01-02", "01-03"]);
            chart.rows.iter().map(|row| row.values.join(" ")).collect::<Vec<_>>()
        });
        assert_eq!(told, [["1,200 3 0", "1,200 3 0"], ["–", "900"], ["–", "1,800"]]);
        assert_eq!(charts.each_ref().map(|chart| chart.has_gaps), [false, true, true]);
    }
}

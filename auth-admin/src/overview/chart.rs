//! Logins, refusals and registrations over time as an inline drawing: axes that can be read, the last value marked.

use auth_sdk::Statistics;

use crate::frame::{Frame, number};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 220.0;
/// What is left around the lines for their axes.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 56.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 26.0;
/// How far numbers must stand from each other to be read.
const APART: f64 = 15.0;
/// The most names under the axis.
const NAMES: usize = 8;

/// The drawing.
pub struct Chart {
    pub lines: Vec<Line>,
    pub levels: Vec<Level>,
    pub names: Vec<Name>,
    /// The same as a table, oldest first.
    pub rows: Vec<Row>,
}

/// One course of numbers.
pub struct Line {
    pub class: &'static str,
    pub key: &'static str,
    pub path: String,
    pub last: Mark,
    /// How low it ends.
    end: f64,
}

/// Where a line ends, and at how much.
pub struct Mark {
    pub x: String,
    pub y: String,
    pub text: String,
    /// Where the number stands: beside the mark, or above another's.
    pub text_y: String,
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

/// A bucket in numbers.
pub struct Row {
    pub at: String,
    pub logins: String,
    pub refused: String,
    pub registrations: String,
}

impl Chart {
    /// Draws what happened.
    pub fn of(frame: &Frame, statistics: &Statistics) -> Self {
        let logins: Vec<u64> = statistics.buckets.iter().map(|bucket| bucket.logins).collect();
        let refused: Vec<u64> = statistics.buckets.iter().map(|bucket| bucket.refused.values().sum()).collect();
        let registrations: Vec<u64> = statistics.buckets.iter().map(|bucket| bucket.registrations).collect();
        let names: Vec<String> =
            statistics.buckets.iter().map(|bucket| frame.bucket(&bucket.at, &statistics.bucket)).collect();
        let most = round_up(logins.iter().chain(&refused).chain(&registrations).copied().max().unwrap_or(0));
        let level = |quarter: u64| Level { y: point(y(most * quarter / 4, most)), text: number(most * quarter / 4) };
        let step = names.len().div_ceil(NAMES).max(1);
        let shown = names.iter().enumerate().step_by(step);
        let rows = statistics.buckets.iter().zip(&names).map(|(bucket, name)| Row {
            at: name.clone(),
            logins: number(bucket.logins),
            refused: number(bucket.refused.values().sum()),
            registrations: number(bucket.registrations),
        });
        let mut lines = vec![
            line("good", "chart-logins", &logins, most),
            line("refused", "chart-refused", &refused, most),
            line("new", "tile-registrations", &registrations, most),
        ];
        set_apart(&mut lines);
        Self {
            lines,
            levels: [0, 2, 4].map(level).into(),
            names: shown.map(|(n, text)| Name { x: point(x(n, names.len())), text: text.clone() }).collect(),
            rows: rows.collect(),
        }
    }
}

fn line(class: &'static str, key: &'static str, values: &[u64], most: u64) -> Line {
    let points: Vec<_> = values.iter().enumerate().map(|(n, value)| (x(n, values.len()), y(*value, most))).collect();
    let path = points.iter().enumerate().map(|(n, (x, y))| {
        let begin = if n == 0 { 'M' } else { 'L' };
        format!("{begin}{} {}", point(*x), point(*y))
    });
    let (end_x, end_y) = points.last().copied().unwrap_or((LEFT, HEIGHT - BOTTOM));
    let text = values.last().copied().map(number).unwrap_or_default();
    let last = Mark { x: point(end_x), y: point(end_y), text, text_y: point(end_y) };
    Line { class, key, path: path.collect(), last, end: end_y }
}

/// Moves the numbers at the ends up, so that none stands on another.
fn set_apart(lines: &mut [Line]) {
    let mut lowest_first: Vec<&mut Line> = lines.iter_mut().collect();
    lowest_first.sort_by(|one, other| other.end.total_cmp(&one.end));
    let mut free = f64::INFINITY;
    for line in lowest_first {
        let y = line.end.min(free);
        free = y - APART;
        line.last.text_y = point(y);
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

/// The next number that four parts can be told of: 4, 8, 20, 40, 80, 200, …
fn round_up(most: u64) -> u64 {
    let mut scale = 1;
    loop {
        if let Some(step) = [4, 8, 20].into_iter().find(|step| step * scale >= most) {
            return step * scale;
        }
        scale *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_numbers_that_can_be_read() {
        for (most, end) in [(0, 4), (4, 4), (5, 8), (9, 20), (21, 40), (150, 200), (8_214, 20_000)] {
            assert_eq!(round_up(most), end, "{most}");
        }
    }

    #[test]
    fn numbers_at_the_ends_do_not_cover_each_other() {
        let mut lines = [4, 0, 0].map(|last| line("good", "chart-logins", &[1, last], 4));
        set_apart(&mut lines);
        assert_eq!(lines.map(|line| line.last.text_y), ["14.0", "194.0", "179.0"]);
    }

    #[test]
    fn a_line_stays_within_its_axes() {
        let drawn = line("good", "chart-logins", &[0, 4, 2], 4);
        assert_eq!(drawn.path, "M52.0 194.0L378.0 14.0L704.0 104.0");
        assert_eq!((drawn.last.x.as_str(), drawn.last.text.as_str()), ("704.0", "2"));
        assert_eq!(line("good", "chart-logins", &[], 4).path, "");
    }
}

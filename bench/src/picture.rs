//! The figures as a picture: a bar per goal, whose target is the line that all bars share.

use std::fmt::Write as _;

use crate::figure::{Figure, Goals, Grade};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 380.0;
/// Where a bar ends that is just the target.
const TARGET: f64 = LEFT + 240.0;
const LINE: f64 = 26.0;
const TOP: f64 = 52.0;
/// In parts of the target; what is better still is drawn no longer.
const LONGEST: f64 = 1.8;

/// Draws every figure that has goals.
pub fn draw(figures: &[Figure]) -> String {
    let bars: Vec<_> = figures.iter().filter_map(|figure| figure.goals.map(|goals| (figure, goals))).collect();
    let height = TOP + LINE * bars.len() as f64 + 16.0;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="24" font-size="16" font-weight="bold" fill="#1f2328">Measured beside the goals</text>
<text x="{TARGET}" y="40" text-anchor="middle" fill="#59636e">target</text>
"##
    );
    for (number, (figure, goals)) in bars.into_iter().enumerate() {
        bar(&mut svg, TOP + LINE * number as f64, figure, goals);
    }
    let end = height - 12.0;
    let _ = writeln!(svg, r##"<path d="M{TARGET} 44V{end}" stroke="#1f2328" stroke-dasharray="3 3"/>"##);
    svg + "</svg>\n"
}

fn bar(svg: &mut String, top: f64, figure: &Figure, goals: Goals) {
    let place = |value| LEFT + goals.share_of_target(value).clamp(0.0, LONGEST) * (TARGET - LEFT);
    let value = figure.judged();
    let color = match goals.grade(value) {
        Grade::BelowFloor => "#cf222e",
        Grade::Floor => "#bf8700",
        Grade::Target => "#2da44e",
        Grade::Stretch => "#116329",
    };
    let shown = match figure.limit {
        Some(_) => format!("{:.0} %", value * 100.0),
        None => format!("{value:.0} {}", figure.unit),
    };
    let (end, text) = (place(value), top + 16.0);
    let (label, from) = (LEFT - 10.0, top + 4.0);
    let _ = writeln!(
        svg,
        r##"<text x="{label}" y="{text}" text-anchor="end" fill="#1f2328">{}</text><rect x="{LEFT}" y="{from}" width="{:.0}" height="16" fill="{color}"/><text x="{:.0}" y="{text}" fill="#1f2328">{shown}</text>"##,
        figure.what,
        end - LEFT,
        end.max(TARGET) + 8.0,
    );
    let floor = place(goals.levels()[0]);
    let _ = writeln!(svg, r##"<path d="M{floor:.0} {top}v24" stroke="#59636e"/>"##);
}

//! The figures as a table, as JSON, and in the page that explains them.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::figure::{Figure, Grade};
use crate::picture;
use crate::site::Site;

const FOLDER: &str = "docs/performance";
/// Between these the page holds the table of the last run.
const MARKS: [&str; 2] = ["<!-- table -->\n", "<!-- end of the table -->"];
const HEADING: &str =
    "| what | ours | limit | ratio | spread | floor · target · stretch | reached |\n|---|--:|--:|--:|--:|--:|---|\n";

/// The figures in Markdown.
pub fn table(figures: &[Figure]) -> String {
    HEADING.to_owned() + &figures.iter().map(line).collect::<String>()
}

/// Writes `bench.json` and `bench.svg`, and the table into the page.
pub fn write(figures: &[Figure], site: &Site) -> Result<()> {
    let json = json!({
        "cores": site.cores,
        "processor": processor()?,
        "rounds": site.rounds,
        "seconds_each": site.slice.as_secs_f64(),
        "figures": figures.iter().map(object).collect::<Result<Vec<_>>>()?,
    });
    fs::create_dir_all(FOLDER)?;
    fs::write(format!("{FOLDER}/bench.json"), serde_json::to_string_pretty(&json)? + "\n")?;
    fs::write(format!("{FOLDER}/bench.svg"), picture::draw(figures))?;
    let page = format!("{FOLDER}/README.md");
    let text = fs::read_to_string(&page).with_context(|| page.clone())?;
    let (before, rest) = text.split_once(MARKS[0]).context("the page has no place for the table")?;
    let (_, after) = rest.split_once(MARKS[1]).context("the page's place for the table has no end")?;
    Ok(fs::write(page, format!("{before}{}{}{}{after}", MARKS[0], table(figures), MARKS[1]))?)
}

fn line(figure: &Figure) -> String {
    let ratio = figure.ratio();
    let limit = figure.limit.as_ref().map(|limit| format!("{} ({})", number(limit.samples.median()), limit.what));
    let percent = |value: f64| format!("{:.0} %", value * 100.0);
    let goals = figure.goals.map(|goals| {
        let levels = goals.levels().map(|level| if ratio.is_some() { percent(level) } else { number(level) });
        levels.join(" · ")
    });
    let reached = figure.grade().map(|grade| match grade {
        Grade::BelowFloor => "**below the floor**",
        Grade::Floor => "floor",
        Grade::Target => "target",
        Grade::Stretch => "stretch",
    });
    format!(
        "| {} | {} {} | {} | {} | ±{} | {} | {} |\n",
        figure.what,
        number(figure.ours.median()),
        figure.unit,
        limit.unwrap_or_default(),
        ratio.as_ref().map(|ratio| percent(ratio.median())).unwrap_or_default(),
        percent(ratio.as_ref().unwrap_or(&figure.ours).spread() / 2.0),
        goals.unwrap_or_default(),
        reached.unwrap_or_default(),
    )
}

fn object(figure: &Figure) -> Result<Value> {
    let mut object = serde_json::to_value(figure)?;
    object["judged"] = json!(figure.judged());
    object["grade"] = json!(figure.grade());
    Ok(object)
}

/// Three digits, with commas between thousands.
fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

fn processor() -> Result<String> {
    let text = fs::read_to_string("/proc/cpuinfo")?;
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Goals;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0.25, 99.94, 1234.5, 63_000.0, 1e6].map(number), ["0.2", "99.9", "1,234", "63,000", "1,000,000"]);
    }

    #[test]
    fn line_of_a_ratio_says_what_it_reaches() {
        let [ours, limit] = [40.0, 100.0].map(|value| [value].into_iter().collect());
        let figure = Figure::new("x", "1/s", ours).beside("y", &limit).with(Goals::AtLeast(0.3, 0.38, 0.42));
        assert_eq!(line(&figure), "| x | 40.0 1/s | 100 (y) | 40 % | ±0 % | 30 % · 38 % · 42 % | target |\n");
    }
}

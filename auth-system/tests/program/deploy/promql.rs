//! Which metrics an expression of PromQL asks for.

use std::collections::BTreeSet;

/// A metric with the labels that it must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    pub name: String,
    pub labels: Vec<String>,
}

impl Selector {
    /// Whether a page of metrics has a sample of it.
    pub fn is_on(&self, page: &str) -> bool {
        page.lines().filter_map(|line| line.strip_prefix(&self.name)).any(|rest| {
            (rest.starts_with('{') || rest.starts_with(' ')) && self.labels.iter().all(|label| rest.contains(label))
        })
    }
}

/// What is asked for by these expressions.
pub fn selectors<'a>(expressions: impl IntoIterator<Item = &'a str>) -> BTreeSet<Selector> {
    expressions.into_iter().flat_map(of_one).collect()
}

fn of_one(expression: &str) -> Vec<Selector> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if first == '[' {
            rest = behind(rest, ']');
        } else if first == '"' {
            rest = behind(&rest[1..], '"');
        } else if first.is_ascii_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_:.".contains(c))).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            let after = after.trim_start();
            rest = match word {
                "by" | "without" | "on" | "ignoring" => behind(after, ')'),
                "and" | "or" | "unless" | "bool" => after,
                _ if ["(", "by ", "without "].iter().any(|then| after.starts_with(then)) => after,
                _ if first.is_ascii_digit() => after,
                _ => take(word, after, &mut found),
            };
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// Notes a selector; what follows it.
fn take<'a>(name: &str, after: &'a str, found: &mut Vec<Selector>) -> &'a str {
    let (matchers, rest) = match after.strip_prefix('{') {
        Some(inner) => inner.split_once('}').unwrap_or_else(|| panic!("{after}")),
        None => ("", after),
    };
    let is_equality = |matcher: &&str| matcher.contains("=\"") && !matcher.contains("!=\"");
    let labels = matchers.split(", ").filter(is_equality).map(str::to_owned).collect();
    found.push(Selector { name: name.to_owned(), labels });
    rest
}

fn behind(text: &str, end: char) -> &str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

#[test]
fn metrics_are_found_and_neither_functions_nor_labels() {
    let found =
        selectors([r#"sum by (le) (rate(a_bucket{route="/x", status=~"5..", le="1"}[5m])) > bool 0.5 and b - 1e3"#]);
    let selector = |name: &str, labels: &[&str]| Selector {
        name: name.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    assert_eq!(found, BTreeSet::from([selector("a_bucket", &[r#"route="/x""#, r#"le="1""#]), selector("b", &[])]));
    assert!(selector("b", &[]).is_on("b 1\n") && !selector("b", &[]).is_on("bc 1\n"));
    assert!(!selector("a", &[r#"x="1""#]).is_on("a{x=\"2\"} 1\n"));
}

//! The first page: what happened and who was there, drawn and in tables.

use rstest::rstest;

use super::{Console, tongue::Tongue};

/// Each chart, with the names of its lines.
const CHARTS: [(&str, &[&str]); 3] = [
    ("chart", &["chart-logins", "chart-refused", "tile-registrations"]),
    ("people", &["tile-active"]),
    ("sessions", &["chart-open"]),
];

#[rstest]
#[tokio::test]
async fn every_chart_is_read_without_hovering_and_has_its_table_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = Console::open(tongue).await;
    // Nobody but whoever made it, with one session: known of today alone.
    for (window, rows, note) in [("24h", 24, "hour"), ("7d", 7, "day"), ("30d", 30, "day")] {
        console.go(&format!("/admin/?window={window}"));
        assert_eq!(console.count("main svg[role=img]"), 3);
        for (id, lines) in CHARTS {
            let chart = format!("section:has(#{id}-title)");
            for line in 0..lines.len() {
                console.sees(&format!("{chart} svg .last >> nth={line}"));
            }
            console.browser.wait_until_gone(&format!("{chart} table")).unwrap();
            console.browser.click(&format!("{chart} summary")).unwrap();
            for line in lines {
                console.reads(&format!("{chart} thead th.num"), line);
            }
            assert_eq!(console.count(&format!("{chart} tbody tr")), rows, "{window} {id}");
        }
        for id in ["people", "sessions"] {
            let chart = format!("section:has(#{id}-title)");
            console.reads(&chart, &format!("chart-{id}-{note}"));
            console.reads(&chart, "chart-gaps");
            // Not always the last row: an hour may end meanwhile.
            console.reads_text(&format!("{chart} tbody td"), "1");
            console.reads_text(&format!("{chart} tbody tr:first-child td"), "–");
        }
        assert!(!console.browser.text("section:has(#chart-title)").unwrap().contains('–'));
    }
    console.assert_content();
}

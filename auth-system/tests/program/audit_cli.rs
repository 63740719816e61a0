//! `auth-system audit`: the operator's way to check the log and to take copies of it.

use rstest::rstest;
use serde_json::Value;

use crate::support::{Engine, Workplace};

/// The last place in what `audit verify` prints.
fn head(out: &str) -> &str {
    out.lines().find_map(|line| line.strip_prefix("head ")).unwrap().trim()
}

#[rstest]
#[tokio::test]
async fn an_operator_checks_the_log_beside_a_running_server(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let place = Workplace::on(engine);
    let program = place.start().await;
    program.client.person("kim@example.com").await;
    let verify = async || place.run(&["audit", "verify"]);
    program.until("both entries are sealed", async || verify().await.out.contains("entries  2 sealed")).await;
    let report = verify().await;
    assert_eq!((report.code, report.err.as_str()), (Some(0), ""), "{report:?}");
    assert!(report.out.contains("intact ") && report.out.contains("0 not sealed yet"), "{report:?}");
    assert!(report.out.contains("cannot be proven"), "{report:?}");
    let kept = head(&report.out).to_owned();
    assert!(kept.starts_with("2:") && kept.len() == 66, "{kept}");

    program.client.log_in("kim@example.com").await;
    let expected = place.run(&["audit", "verify", "--expect", &kept]);
    assert_eq!(expected.code, Some(0), "{expected:?}");
    assert!(!expected.out.contains("cannot be proven"), "{expected:?}");
    for (other, finding) in [
        (format!("2:{}", "0".repeat(64)), "BROKEN   entry 2 does not have the expected hash"),
        (format!("9{kept}"), "were removed from the end"),
    ] {
        let report = place.run(&["audit", "verify", "--expect", &other]);
        assert_eq!(report.code, Some(1), "{report:?}");
        assert!(report.out.contains(finding) && !report.out.contains("intact"), "{report:?}");
    }
    for wrong in ["", "2", "2:abc", "two:00"] {
        let refused = place.run(&["audit", "verify", "--expect", wrong]);
        assert_eq!(refused.code, Some(64), "{refused:?}");
        assert!(refused.err.contains("SEQ:HASH"), "{refused:?}");
    }
}

#[rstest]
#[tokio::test]
async fn an_operator_takes_a_copy_and_that_is_an_entry_too(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let place = Workplace::on(engine);
    let program = place.start().await;
    program.client.person("kim@example.com").await;
    let copy = place.run(&["audit", "export", "--format", "ndjson"]);
    assert_eq!((copy.code, copy.err.as_str()), (Some(0), ""), "{copy:?}");
    let events: Vec<String> = copy
        .out
        .lines()
        .map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["event"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(events, ["audit_exported", "logged_in", "user_registered"]);
    let csv = place.run(&["audit", "export", "--format", "csv", "--to", "2020-01-01T00:00:00Z"]);
    assert_eq!(csv.out.lines().count(), 1, "the header alone: {csv:?}");
    let csv = place.run(&["audit", "export", "--format", "csv", "--from", "2020-01-01T00:00:00Z"]);
    assert_eq!(csv.out.lines().count(), 6, "{csv:?}");
    for arguments in [&["--format", "xml"][..], &[], &["--format", "csv", "--from", "yesterday"]] {
        let refused = place.run(&[&["audit", "export"][..], arguments].concat());
        assert_eq!(refused.code, Some(64), "{refused:?}");
    }
}

#[tokio::test]
async fn the_head_goes_to_the_log_and_to_the_metrics() {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    program.client.person("kim@example.com").await;
    program
        .until("the entries are sealed", async || place.run(&["audit", "verify"]).out.contains("entries  2 sealed"))
        .await;
    drop(program);
    // It is told at the start, and then each minute.
    let restarted = place.start().await;
    restarted.until_logged("the audit log is sealed up to here").await;
    assert_eq!(crate::metrics::read(&place, "audit_head_seq").await, Some(2.0));
}

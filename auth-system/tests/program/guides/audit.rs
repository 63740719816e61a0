//! The page on the audit log: its example by hand, its check by a script, and the proof by a head kept elsewhere.

use std::process::Command;

use rstest::rstest;
use test_peers::installation;

use super::reader::Reader;
use crate::support::{Engine, Finished, Workplace};

#[rstest]
#[case("docs/audit.md")]
#[case("docs/ko/audit.md")]
#[tokio::test]
async fn the_chain_is_checked_by_hand_by_a_script_and_by_its_head(#[case] page: &str) {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    program.client.person("kim@example.com").await;
    program
        .until("every entry is sealed", async || place.run(&["audit", "verify"]).out.contains(" 0 not sealed yet"))
        .await;
    let verified = place.run(&["audit", "verify"]);
    let head = verified.out.lines().find_map(|line| line.strip_prefix("head     ")).unwrap();

    let mut reader = Reader::open(page, &place);
    let digests = reader.run(&[]);
    for known in [
        "5248399aa4b67a6a944491697d6c949ea916d12b82f8d8387844bb5eb04a6fba",
        "0c3faa9d96301ee838e3a2104db33f8de212172d9f8465020f95c1865004daf1",
    ] {
        assert!(digests.contains(known), "{digests}");
    }
    if page == "docs/audit.md" {
        check_by_script(&mut reader);
    }
    reader.replace("48213:9c1e0f…", head);
    let proven = reader.run(&[]);
    assert!(proven.contains("everything up to the expected entry is as it was then"), "{proven}");
    reader.close();
}

/// Runs the page's script on a copy, and on one that somebody has changed.
fn check_by_script(reader: &mut Reader) {
    let script = reader.next("python");
    reader.write("check.py", &script);
    let copy = reader.place.run(&["audit", "export", "--format", "ndjson"]).out;
    let changed = copy.replace("logged_in", "logged_on");
    assert_ne!(copy, changed);
    for (text, code, said) in
        [(&copy, 0, "entries hang together up to"), (&changed, 1, "does not follow from the one before it")]
    {
        reader.write("copy.ndjson", text);
        let mut python = Command::new(installation::python_tool("python3").unwrap());
        let finished = Finished::from(
            python.args(["check.py", "copy.ndjson"]).current_dir(reader.place.path("")).output().unwrap(),
        );
        assert_eq!(finished.code, Some(code), "{finished:?}");
        assert!(format!("{}{}", finished.out, finished.err).contains(said), "{finished:?}");
    }
}

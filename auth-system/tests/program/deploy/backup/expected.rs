//! Backups whose audit log must be the one that was noted.

use rstest::rstest;

use super::{Lived, backup, head_in, live, place, restore};
use crate::support::{Engine, Workplace, postgres};

/// The head of the log as it is.
fn head(place: &Workplace) -> String {
    let verified = place.run(&["audit", "verify"]);
    verified.out.lines().find_map(|line| line.strip_prefix("head     ")).unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn only_a_backup_whose_log_holds_what_was_noted_takes_the_place(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let place = place(engine);
    let program = place.start().await;
    let Lived { kim, .. } = live(&place, &program).await;
    // What stands in the log may look like anything.
    let odd = program.client.with_header("user-agent", "back\\slash \"quoted\"\ttab");
    assert_eq!(odd.login("nobody@example.com").await.status, 401);
    let noted_before = head(&place);
    program.until("it is sealed", async || place.run(&["audit", "verify"]).out.contains(" 0 not sealed yet")).await;
    let file = backup(&place);
    program.client.log_in("kim@example.com").await;
    program.until("the log goes on", async || head(&place) != noted_before).await;
    program.until("it is sealed", async || place.run(&["audit", "verify"]).out.contains(" 0 not sealed yet")).await;
    let noted_since = head(&place);
    program.stop().await;

    let another = noted_before.replace(':', ":00").chars().take(noted_before.len()).collect::<String>();
    for (expected, said) in [(&noted_since, "--expect was noted of"), (&another, "--expect was noted of")] {
        let refused = restore(&place, &file, &["--replace", "--expect", expected]);
        assert!(refused.code == Some(1) && refused.err.contains(said), "{refused:?}");
        assert_eq!(refused.err.lines().count(), 1, "{refused:?}");
    }
    assert_eq!(restore(&place, &file, &["--replace", "--expect", "7"]).code, Some(64));
    let program = place.start().await;
    assert_eq!(program.client.me(&kim.access).await.status, 200, "a refused restore has ended sessions");
    program.stop().await;

    let restored = restore(&place, &file, &["--replace", "--expect", &noted_before]);
    assert_eq!((restored.code, restored.err.as_str()), (Some(0), ""), "{restored:?}");
    let exact = head_in(&restored.out).to_owned();
    let restored = restore(&place, &file, &["--replace", "--expect", &exact]);
    assert_eq!((restored.code, restored.err.as_str()), (Some(0), ""), "{restored:?}");
}

#[tokio::test]
async fn a_dump_whose_log_was_rewritten_is_refused_before_a_statement_of_it_runs() {
    let place = place(Engine::Postgres);
    let program = place.start().await;
    live(&place, &program).await;
    program.stop().await;
    let noted = head(&place);
    let ask = |sql: &str| postgres().psql(place.value("DB_PRIMARY_DB_URL"), ["-c", sql]).unwrap();
    ask("UPDATE audit_logs SET outcome = 'refused' WHERE seq = 1");
    let file = backup(&place);
    ask("UPDATE audit_logs SET outcome = 'done' WHERE seq = 1");
    ask("CREATE TABLE hung_on (id UUID REFERENCES users (id))");
    let refused = restore(&place, &file, &["--replace", "--expect", &noted]);
    // Not because of what hangs on the tables, which only their removal would meet.
    assert!(refused.code == Some(1) && refused.err.contains("--expect was noted of"), "{refused:?}");
}

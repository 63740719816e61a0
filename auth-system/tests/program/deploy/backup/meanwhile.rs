//! Instances that start while a database is being restored: on SQLite they are kept out by the folder's lock, on
//! PostgreSQL by looking for one another.

use std::{
    fs,
    path::{Path, PathBuf},
};

use test_peers::installation::postgres_clients;
use tokio::task::JoinHandle;

use super::{backup, live, place, restore};
use crate::{
    deploy::write_program,
    support::{DEADLINE, Engine, Finished, Workplace, comes_within, postgres},
};

/// A place in which this program of PostgreSQL comes to a halt until the file `go` is there, and says so by `halted`.
fn halting(place: &Workplace, program: &str) -> Workplace {
    let clients = postgres_clients().unwrap();
    fs::create_dir_all(place.path("bin")).unwrap();
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" != --version ]; then\n: >halted\nwhile [ ! -e go ]; do /bin/sleep 0.02; done\nfi\nexec {} \"$@\"\n",
        clients.join(program).display()
    );
    write_program(&place.path("bin").join(program), &script);
    let path = format!("{}:{}", place.path("bin").display(), clients.display());
    place.clone().set("PATH", &path)
}

/// Begins to restore, and comes to the halt.
async fn begin(place: &Workplace, file: &Path) -> JoinHandle<Finished> {
    let (busy, file) = (place.clone(), file.to_owned());
    let restoring = tokio::task::spawn_blocking(move || restore(&busy, &file, &["--replace"]));
    assert!(comes_within(DEADLINE, async || place.path("halted").exists()).await, "it never comes to a halt");
    restoring
}

fn go_on(place: &Workplace) {
    fs::write(place.path("go"), "").unwrap();
}

/// A server with a backup of it, stopped again.
async fn with_backup() -> (Workplace, PathBuf) {
    let place = place(Engine::Postgres);
    let program = place.start().await;
    live(&place, &program).await;
    let file = backup(&place);
    program.client.person("later@example.com").await;
    program.stop().await;
    (place, file)
}

fn ask(place: &Workplace, sql: &str) -> String {
    postgres().psql(place.value("DB_PRIMARY_DB_URL"), ["-c", sql]).unwrap().trim().to_owned()
}

#[tokio::test]
async fn an_instance_that_starts_during_a_restore_waits_for_its_end_and_says_so() {
    let (place, file) = with_backup().await;
    let halting = halting(&place, "pg_restore");
    let restoring = begin(&halting, &file).await;
    let locks = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7209035 AND granted";
    assert!(comes_within(DEADLINE, async || ask(&place, locks) == "1").await, "the restore holds no lock");
    let program = place.spawn(&[]);
    program.until_logged("a restore of this database is running").await;
    assert!(!program.client.is_ready().await);
    go_on(&place);
    let restored = restoring.await.unwrap();
    assert_eq!((restored.code, restored.err.as_str()), (Some(0), ""), "{restored:?}");
    program.until_ready().await;
    program.client.log_in("kim@example.com").await;
    assert_eq!(program.client.login("later@example.com").await.status, 401, "who came later was never there");
}

#[tokio::test]
async fn a_restore_leaves_all_as_it_is_when_an_instance_has_started_meanwhile() {
    let (place, file) = with_backup().await;
    let restoring = begin(&halting(&place, "psql"), &file).await;
    let program = place.start().await;
    let later = program.client.log_in("later@example.com").await;
    go_on(&place);
    let refused = restoring.await.unwrap();
    assert_eq!((refused.code, refused.err.lines().count()), (Some(1), 1), "{refused:?}");
    assert!(refused.err.contains("stop every instance first"), "{refused:?}");
    assert_eq!(program.client.me(&later.access).await.status, 200);
    assert_eq!(ask(&place, "SELECT COUNT(*) FROM audit_logs WHERE event = 'database_restored'"), "0");
}

#[tokio::test]
async fn a_restore_that_cannot_be_noted_in_the_audit_log_does_not_happen() {
    let (place, _) = with_backup().await;
    // What is in the backup is restored with it: here, that nobody may note anything.
    ask(&place, "ALTER TABLE audit_logs ADD CONSTRAINT full_up CHECK (event <> 'database_restored')");
    let file = backup(&place);
    let refused = restore(&place, &file, &["--replace"]);
    assert!(refused.code == Some(1) && refused.err.contains("full_up"), "{refused:?}");
    assert_eq!(ask(&place, "SELECT COUNT(*) FROM users WHERE email = 'later@example.com'"), "1");
    assert_eq!(ask(&place, "SELECT COUNT(*) FROM sessions WHERE end_reason = 'restore'"), "0");
}

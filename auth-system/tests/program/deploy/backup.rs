//! Backups: taken while people come and go, brought back after the loss of everything, and refused when they are not whole.

mod expected;
mod leftovers;
mod meanwhile;
mod outstanding;
mod refused;
mod s3;
mod trust;
mod units;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rstest::rstest;
use serde_json::json;
use test_peers::installation::postgres_clients;

use crate::{
    client::Person,
    program::Program,
    support::{Engine, Finished, Workplace, postgres},
};

/// A pair that is nobody's, as `age-keygen` prints it.
const RECIPIENT: &str = "age1dg63u335t3x7fnk2ets30sexpvzap47wf8y43h0glsc5w6auud4s5aalr7";
const IDENTITY: &str = "AGE-SECRET-KEY-1E5XQCJZZYPZ7UN3L8Y9HQPZYXKPA262DTZGE4U8YTPF9QVN8AX6SLT8V20";
const OTHER_IDENTITY: &str = "AGE-SECRET-KEY-1HUUWWATQ4XE8HDW0092P75N6ES3EAYXEPP6JUAEQN0RAYLLGZ4MQHKS8SP";

/// A place with everything that backups need, and an empty folder for them.
fn place(engine: Engine) -> Workplace {
    let place = Workplace::on(engine)
        .set("BACKUP_RECIPIENT", RECIPIENT)
        .set("PATH", postgres_clients().unwrap().to_str().unwrap());
    fs::create_dir(place.path("backups")).unwrap();
    for (name, key) in [("key", IDENTITY), ("other", OTHER_IDENTITY)] {
        fs::write(place.path(name), format!("# a comment\n{key}\n")).unwrap();
    }
    place
}

/// The same with another empty database.
fn elsewhere(place: &Workplace, engine: Engine) -> Workplace {
    match engine {
        Engine::Sqlite => place.clone().set("DATA_DIR", "elsewhere"),
        Engine::Postgres => place.clone().set("DB_PRIMARY_DB_URL", &postgres().create_database().unwrap()),
    }
}

fn backup(place: &Workplace) -> PathBuf {
    let made = place.run(&["backup", "--to", "backups"]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""), "{made:?}");
    place.path(made.out.lines().find_map(|line| line.strip_prefix("wrote    ")).unwrap())
}

fn restore(place: &Workplace, file: &Path, more: &[&str]) -> Finished {
    let file = file.to_str().unwrap();
    place.run(&[&["restore", "--from", file, "--identity", "key"], more].concat())
}

fn files(place: &Workplace) -> Vec<String> {
    let entries = fs::read_dir(place.path("backups")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// People as they are in a system that has been in use: one logged out, one who is an administrator.
struct Lived {
    kim: Person,
    gone: Person,
    root_password: String,
}

async fn live(place: &Workplace, program: &Program) -> Lived {
    let kim = program.client.person("kim@example.com").await;
    let gone = program.client.log_in("kim@example.com").await;
    assert_eq!(program.client.logout(&gone.access).await.status, 204);
    let root = place.run(&["users", "create-admin", "--email", "root@example.com"]);
    let made = root.out.lines().map(str::trim).find(|line| line.len() == 23 && !line.contains(' '));
    let root_password = made.unwrap_or_else(|| panic!("{root:?}")).to_owned();
    program
        .until("every entry is sealed", async || place.run(&["audit", "verify"]).out.contains(" 0 not sealed yet"))
        .await;
    Lived { kim, gone, root_password }
}

/// Whether the audit log is whole, and holds this head.
fn assert_log_is_whole(place: &Workplace, head: &str) {
    let verified = place.run(&["audit", "verify", "--expect", head]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

fn head_in(made: &str) -> &str {
    made.lines().find_map(|line| line.strip_prefix("audit    the log was sealed up to ")).unwrap()
}

#[rstest]
#[tokio::test]
async fn everything_comes_back_after_everything_is_lost_and_everybody_logs_in_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let place = place(engine);
    let program = place.start().await;
    let Lived { kim, gone, root_password } = live(&place, &program).await;
    let file = backup(&place);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let later = program.client.person("later@example.com").await;
    let since = program.client.log_in("kim@example.com").await;
    program.stop().await;

    let place = elsewhere(&place, engine);
    let restored = restore(&place, &file, &[]);
    assert_eq!((restored.code, restored.err.as_str()), (Some(0), ""), "{restored:?}");
    assert!(restored.out.contains("sessions all ended"), "{restored:?}");
    let program = place.start().await;
    assert_log_is_whole(&place, head_in(&restored.out));
    for person in [&kim, &gone, &since, &later] {
        assert_eq!(program.client.me(&person.access).await.status, 401, "a token of before is believed");
        assert_eq!(program.client.refresh(&person.refresh).await.status, 401);
    }
    let kim = program.client.log_in("kim@example.com").await;
    assert_eq!(program.client.me(&kim.access).await.status, 200);
    let root = json!({"email": "root@example.com", "password": root_password});
    let root = program.client.post("/api/v1/auth/login", root).await;
    let me = program.client.me(&root.text("access_token")).await;
    assert!(me.body["roles"].to_string().contains("admin"), "{me:?}");
    assert_eq!(program.client.login("later@example.com").await.status, 401, "who came later was never there");
    program.until("the log goes on", async || place.run(&["audit", "verify"]).out.contains(" 0 not sealed yet")).await;
    assert_log_is_whole(&place, head_in(&restored.out));
    assert!(place.run(&["audit", "export", "--format", "ndjson"]).out.contains("database_restored"));
}

#[rstest]
#[tokio::test]
async fn sessions_that_are_kept_live_and_what_was_revoked_stays_revoked(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let place = place(engine);
    let program = place.start().await;
    let Lived { kim, gone, .. } = live(&place, &program).await;
    let file = backup(&place);
    program.stop().await;
    let restored = restore(&place, &file, &["--replace", "--keep-sessions"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert!(restored.out.contains("WARNING  sessions and tokens that were revoked since"), "{restored:?}");
    let program = place.start().await;
    assert_eq!(program.client.me(&kim.access).await.status, 200);
    assert_eq!(program.client.me(&gone.access).await.status, 401);
    assert_eq!(program.client.refresh(&gone.refresh).await.status, 401);
    assert_eq!(program.client.refresh(&kim.refresh).await.status, 200);
    program.client.logout(&kim.access).await;
    program.until("new revocations are heard of", async || program.client.me(&kim.access).await.status == 401).await;
}

#[rstest]
#[tokio::test]
async fn a_backup_under_load_holds_whole_transactions(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let place = place(engine);
    let program = place.start().await;
    live(&place, &program).await;
    let client = program.client.clone();
    let load = tokio::spawn(async move {
        for n in 0.. {
            let _ = client.try_register(&format!("person{n}@example.com")).await;
        }
    });
    let busy = place.clone();
    let backups = tokio::task::spawn_blocking(move || [backup(&busy), backup(&busy), backup(&busy)]).await.unwrap();
    load.abort();
    program.stop().await;
    for file in backups {
        let other = elsewhere(&place, engine);
        let restored = restore(&other, &file, &["--replace"]);
        assert_eq!(restored.code, Some(0), "{restored:?}");
        assert_log_is_whole(&other, head_in(&restored.out));
    }
}

#[rstest]
#[tokio::test]
async fn nothing_is_touched_while_a_server_runs_or_accounts_would_be_lost(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let place = place(engine);
    let program = place.start().await;
    let Lived { kim, .. } = live(&place, &program).await;
    let file = backup(&place);
    let refused = restore(&place, &file, &["--replace"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("stop "), "{refused:?}");
    assert_eq!(program.client.me(&kim.access).await.status, 200);
    program.stop().await;
    let refused = restore(&place, &file, &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("holds accounts") && refused.err.contains("--replace"), "{refused:?}");
    let program = place.start().await;
    assert_eq!(program.client.me(&kim.access).await.status, 200, "a refused restore has ended sessions");
}

#[test]
fn a_backup_is_asked_for_in_full_and_goes_only_where_there_is_a_place() {
    let place = place(Engine::Sqlite);
    let refuse = |place: &Workplace, arguments: &[&str], reason: &str| {
        let refused = place.run(&[&["backup"], arguments].concat());
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains(reason) && refused.err.lines().count() == 1, "{reason}: {refused:?}");
    };
    refuse(&place, &["--to", "backups"], "no database to back up");
    assert!(!place.path("data/auth.db").exists(), "a backup has made a database");
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    refuse(&place, &[], "--to or BACKUP_TO");
    refuse(&place, &["--to", "absent"], "there is no such folder");
    refuse(&place, &["--to", "absent/a.backup"], "absent/a.backup");
    refuse(&place, &["--to", "one.backup", "--keep", "3"], "is one file");
    refuse(&place, &["--to", "s3://bucket/prefix"], "AWS_REGION");
    refuse(&place.clone().set("AWS_REGION", "ap-northeast-2"), &["--to", "s3://bucket"], "AWS_ACCESS_KEY_ID");
    let open = place.clone().set("BACKUP_RECIPIENT", "");
    refuse(&open, &["--to", "backups"], "--unencrypted");
    assert!(files(&place).is_empty());
    assert_eq!(place.run(&["backup", "--to", "one.backup"]).code, Some(0));
    refuse(&place, &["--to", "one.backup"], "one.backup");
    assert_eq!(place.clone().set("BACKUP_TO", "backups").run(&["backup"]).code, Some(0));
    assert_eq!(place.run(&["backup", "--to", "backups", "--keep", "0"]).code, Some(64));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_under_the_name() {
    let place = place(Engine::Sqlite);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    // Files may not grow past 64 KiB: an end to every write, as of a full disk.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$@\" backup --to backups";
    let mut full = place.spawn_from_shell(script);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(full.ended()), Some(1), "{}{}", full.out(), full.err());
    assert!(files(&place).is_empty(), "{:?}", files(&place));
}

#[test]
fn old_backups_go_and_nothing_else_in_the_folder_does() {
    let place = place(Engine::Sqlite);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    let old = "auth-system-20200101T000000000Z-sqlite.backup.age";
    let others = ["auth-system-20200101T000000000Z-postgres.backup.age", "auth-system-notes.txt", "zebra.backup"];
    for name in [old].into_iter().chain(others) {
        fs::write(place.path("backups").join(name), "").unwrap();
    }
    let first = backup(&place);
    assert_eq!(files(&place).len(), 5, "nothing goes unless it is asked for");
    let pruned = place.run(&["backup", "--to", "backups", "--keep-days", "30"]);
    assert_eq!(pruned.out.lines().last(), Some(format!("removed  {old}").as_str()), "{pruned:?}");
    assert!(first.exists());
    let pruned = place.run(&["backup", "--to", "backups", "--keep", "1"]);
    assert_eq!(pruned.code, Some(0), "{pruned:?}");
    assert!(!first.exists());
    let left = files(&place);
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(others.iter().all(|name| left.iter().any(|left| left == name)), "{left:?}");
}

#[test]
fn a_missing_or_failing_program_of_postgresql_is_named_and_no_password_is_shown() {
    let place = place(Engine::Postgres);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    let refuse = |place: &Workplace, reason: &str| {
        let refused = place.run(&["backup", "--to", "backups"]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains(reason) && refused.err.lines().count() == 1, "{reason}: {refused:?}");
        assert!(files(place).is_empty(), "{:?}", files(place));
    };
    refuse(&place.clone().set("PATH", "/nowhere"), "pg_dump is not in PATH: install the package postgresql-client-");
    let fake = |script: &str| {
        let folder = place.path("bin");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("pg_dump"), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(folder.join("pg_dump"), fs::Permissions::from_mode(0o755)).unwrap();
        place.clone().set("PATH", folder.to_str().unwrap())
    };
    refuse(&fake("echo 'pg_dump (PostgreSQL) 9.6'"), "is version 9, and");
    let half = r#"[ "$1" = --version ] && echo 'pg_dump (PostgreSQL) 99.1' && exit 0
        echo half; echo 'pg_dump: error: the server has gone' >&2; exit 1"#;
    refuse(&fake(half), "pg_dump: error: the server has gone");
    let watched = fake(
        r#"[ "$1" = --version ] && echo 'pg_dump (PostgreSQL) 99.1' && exit 0
        for word in "$@"; do case "$word" in *hunter2*) echo "shown: $word" >&2;; esac; done
        [ "$PGPASSWORD" = hunter2 ] && echo "pg_dump: told by the environment" >&2; exit 1"#,
    );
    let database = watched.value("DB_PRIMARY_DB_URL").replace("postgres@", "postgres:hunter2@");
    refuse(&watched.set("DB_PRIMARY_DB_URL", &database), "pg_dump: told by the environment");
}

#[rstest]
fn a_backup_of_one_engine_is_not_for_the_other(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let made_by = place(engine);
    assert_eq!(made_by.run(&["migrate"]).code, Some(0));
    let file = backup(&made_by);
    let other = place(if engine == Engine::Sqlite { Engine::Postgres } else { Engine::Sqlite });
    let refused = restore(&other, &file, &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("do not move accounts between engines"), "{refused:?}");
}

#[tokio::test]
async fn the_database_that_was_replaced_is_kept_beside_the_new_one() {
    let place = place(Engine::Sqlite);
    let program = place.start().await;
    let file = backup(&place);
    program.client.person("kim@example.com").await;
    program.stop().await;
    let restored = restore(&place, &file, &["--replace"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    let is_old = |name: &str| name.starts_with("auth.db.replaced-");
    let entries = fs::read_dir(place.path("data")).unwrap();
    let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let old = names.iter().find(|name| is_old(name)).unwrap_or_else(|| panic!("{names:?}"));
    assert!(restored.out.contains(old.as_str()), "{restored:?}");
    assert!(!names.iter().any(|name| name.starts_with('.') || name.ends_with("-wal")), "{names:?}");
    fs::create_dir(place.path("old")).unwrap();
    fs::copy(place.path("data").join(old), place.path("old/auth.db")).unwrap();
    let list = place.clone().set("DATA_DIR", "old").run(&["users", "list"]);
    assert!(list.out.contains("kim@example.com"), "{list:?}");
}

#[test]
fn the_contents_can_be_had_without_the_program() {
    let place = place(Engine::Sqlite);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    assert_eq!(place.run(&["backup", "--to", "a.backup", "--unencrypted"]).code, Some(0));
    fs::create_dir(place.path("by-hand")).unwrap();
    let script = "tail -n +3 a.backup | head -c -73 > by-hand/auth.db";
    let done = std::process::Command::new("sh").args(["-c", script]).current_dir(place.path("")).status().unwrap();
    assert!(done.success());
    let checked = place.clone().set("DATA_DIR", "by-hand").run(&["migrate", "--check"]);
    assert_eq!((checked.code, checked.out.trim()), (Some(0), "the schema is current"), "{checked:?}");
}

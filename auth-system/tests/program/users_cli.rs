//! The operator's commands about accounts: administrators, lists, and bringing people in and out.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::support::{Engine, Workplace};

const OLD: &str = "correct horse 🦀";
const BCRYPT: &str = "$2b$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy";

/// The codes of a report's lines.
fn codes(place: &Workplace, report: &str) -> Vec<String> {
    let lines = fs::read_to_string(place.path(report)).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_first_administrator_is_made_on_an_empty_database_and_logs_in() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let place = Workplace::on(engine);
        let made = place.run(&["users", "create-admin", "--email", "Root@Example.com", "--username", "root"]);
        assert_eq!(made.code, Some(0), "{made:?}");
        let password = made.out.lines().map(str::trim).find(|line| line.len() == 23 && !line.contains(' ')).unwrap();
        let program = place.start().await;
        let body = json!({"username": "ROOT", "password": password});
        assert_eq!(program.client.post("/api/v1/auth/login", body).await.status, 200);
        let again = place.run(&["users", "create-admin", "--email", "root@example.com"]);
        assert_eq!((again.code, again.out.contains("nothing was changed")), (Some(0), true), "{again:?}");
        let last = place.run(&["users", "disable", "root@example.com"]);
        assert_eq!((last.code, last.err.contains("last active administrator")), (Some(1), true), "{last:?}");
    }
}

#[tokio::test]
async fn a_claimed_address_is_taken_over_and_a_disabled_person_is_out_within_a_second() {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    let promoted = place.run(&["users", "create-admin", "--email", "kim@example.com"]);
    assert!(promoted.out.contains("nobody had proven the address"), "{promoted:?}");
    program.until("old tokens are refused", async || program.client.me(&person.access).await.status == 401).await;
    assert_eq!(program.client.refresh(&person.refresh).await.status, 401);
    let password = promoted.out.lines().map(str::trim).find(|line| line.len() == 23 && !line.contains(' ')).unwrap();
    let body = json!({"email": "kim@example.com", "password": password});
    let login = program.client.post("/api/v1/auth/login", body).await;
    assert_eq!(login.status, 200);
    assert_eq!(place.run(&["users", "create-admin", "--email", "root@example.com"]).code, Some(0));
    let listed = place.run(&["users", "list", "--role", "admin"]);
    assert_eq!(listed.out.lines().count(), 2, "{listed:?}");
    assert!(listed.out.contains("kim@example.com") && listed.out.contains("admin,user"), "{listed:?}");
    let id = listed.out.lines().find(|line| line.contains("kim@")).unwrap().split(' ').next().unwrap();
    assert_eq!(place.run(&["users", "disable", id]).code, Some(0));
    let access = login.body["access_token"].as_str().unwrap();
    program.until("a closed account is refused", async || program.client.me(access).await.status == 401).await;
    assert!(place.run(&["users", "list", "--status", "disabled"]).out.contains("kim@example.com"));
}

#[test]
fn a_weak_password_and_a_line_that_cannot_be_read_are_refused() {
    let place = Workplace::on(Engine::Sqlite);
    // Nothing is on standard input.
    let none = place.run(&["users", "create-admin", "--email", "root@example.com", "--password-stdin"]);
    assert_eq!((none.code, none.err.contains("no password on standard input")), (Some(1), true), "{none:?}");
    let nobody = place.run(&["users", "create-admin", "--email", "nobody"]);
    assert_eq!((nobody.code, nobody.err.contains("not an e-mail address")), (Some(1), true), "{nobody:?}");
    for wrong in [
        &["users", "create-admin"][..],
        &["users", "import", "people.csv"],
        &["users", "import", "people.csv", "--format", "ldif"],
        &["users", "import", "people.csv", "--format", "csv", "--dry-run", "--resume"],
        &["users", "list", "--status", "tired"],
        &["users", "list", "--limit", "0"],
        &["users"],
    ] {
        assert_eq!(place.run(wrong).code, Some(64), "{wrong:?}");
    }
}

#[tokio::test]
async fn an_import_says_by_its_exit_code_what_became_of_the_records() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let place = Workplace::on(engine);
        let header = "email,username,password_hash\n";
        fs::write(place.path("good.csv"), format!("{header}kim@example.com,kim,{BCRYPT}\n")).unwrap();
        fs::write(
            place.path("half.csv"),
            format!("{header}lee@example.com,lee,{BCRYPT}\nnobody,,\nKIM@example.com,,\n"),
        )
        .unwrap();
        fs::write(place.path("semicolons.csv"), "email;username\na@example.com;a\n").unwrap();
        let import =
            |file: &str, more: &[&str]| place.run(&[&["users", "import", file, "--format", "csv"], more].concat());
        let foretold = import("good.csv", &["--dry-run"]);
        assert_eq!(foretold.code, Some(0), "{foretold:?}");
        assert!(
            foretold.out.contains("1 would be added") && foretold.out.contains("nothing was changed"),
            "{foretold:?}"
        );
        assert_eq!(import("good.csv", &[]).code, Some(0));
        let half = import("half.csv", &["--report", "report.ndjson"]);
        assert_eq!(half.code, Some(2), "{half:?}");
        assert!(half.out.contains("3 records: 1 added, 2 refused"), "{half:?}");
        assert_eq!(codes(&place, "report.ndjson"), ["invalid_email", "email_taken"]);
        assert_eq!(fs::metadata(place.path("report.ndjson")).unwrap().permissions().mode() & 0o777, 0o600);
        let wrong = import("semicolons.csv", &[]);
        assert_eq!((wrong.code, wrong.err.contains("separated by commas")), (Some(1), true), "{wrong:?}");
        let missing = import("nowhere.csv", &[]);
        assert_eq!((missing.code, missing.err.contains("nowhere.csv")), (Some(1), true), "{missing:?}");
        let program = place.start().await;
        for email in ["kim@example.com", "lee@example.com"] {
            let body = json!({"email": email, "password": OLD});
            assert_eq!(program.client.post("/api/v1/auth/login", body).await.status, 200, "{email}");
        }
    }
}

/// Killed in its midst, an import goes on: no account is left out, none is made twice, no refusal is told twice.
#[tokio::test]
async fn a_killed_import_goes_on_where_it_was_killed() {
    const ROWS: usize = 60_000;
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let place = Workplace::on(engine);
        let rows = (0..ROWS).map(|n| if n % 10 == 0 { "nobody\n".to_owned() } else { format!("p{n}@example.com\n") });
        fs::write(place.path("people.csv"), format!("email\n{}", rows.collect::<String>())).unwrap();
        let arguments = ["users", "import", "people.csv", "--format", "csv", "--report", "report.ndjson"];
        let mut running = place.spawn(&arguments);
        let length = || fs::metadata(place.path("report.ndjson")).map_or(0, |file| file.len());
        running.until("some of it is stored", async || length() > 100_000).await;
        running.kill();
        let again = place.run(&arguments);
        assert_eq!((again.code, again.err.contains("--resume")), (Some(1), true), "{again:?}");
        let resumed = place.run(&[&arguments[..], &["--resume"]].concat());
        assert_eq!(resumed.code, Some(2), "{resumed:?}");
        assert!(resumed.out.contains("60000 records: 54000 added, 6000 refused"), "{resumed:?}");
        assert!(resumed.out.contains("were done by an earlier run"), "{resumed:?}");
        assert_eq!(codes(&place, "report.ndjson").len(), 6_000);
        let exported = place.run(&["users", "export", "all.ndjson"]);
        assert!(exported.out.contains("wrote 54000 accounts"), "{exported:?}");
        let lines = fs::read_to_string(place.path("all.ndjson")).unwrap();
        assert!(lines.lines().all(|line| line.contains(r#""roles":["user"]"#)));
    }
}

#[test]
fn a_line_of_a_hundred_megabytes_costs_itself_alone_and_little_memory() {
    let place = Workplace::on(Engine::Sqlite);
    let long = "x".repeat(100 << 20);
    fs::write(
        place.path("people.csv"),
        format!("email,display_name\na@example.com,{long}\nb@example.com,\"Kim\nDal\"\nc@example.com,Kim\n"),
    )
    .unwrap();
    fs::write(place.path("people.ndjson"), format!("{{\"email\":\"{long}\"}}\n{{\"email\":\"d@example.com\"}}\n"))
        .unwrap();
    for (file, format, added) in [("people.csv", "csv", 1), ("people.ndjson", "ndjson", 1)] {
        let done = place.run(&["users", "import", file, "--format", format]);
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.out.contains(&format!(" {added} added")) && done.out.contains("too_long"), "{done:?}");
    }
}

#[test]
fn an_export_is_its_owners_alone_and_replaces_nothing() {
    let place = Workplace::on(Engine::Sqlite);
    assert_eq!(place.run(&["users", "create-admin", "--email", "root@example.com"]).code, Some(0));
    let exported = place.run(&["users", "export", "all.csv", "--format", "csv"]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    assert_eq!(fs::metadata(place.path("all.csv")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(place.path("all.csv")).unwrap().contains("argon2"));
    let again = place.run(&["users", "export", "all.csv", "--format", "csv"]);
    assert_eq!((again.code, again.err.contains("all.csv")), (Some(1), true), "{again:?}");
    let printed = place.run(&["users", "export", "--with-hashes"]);
    assert!(printed.out.contains("$argon2id$"), "{printed:?}");
}

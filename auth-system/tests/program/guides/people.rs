//! The pages on people: administration, sessions, personal data, passwords, and bringing accounts in.

use std::fs;

use rstest::rstest;
use serde_json::{Value, json};

use super::reader::Reader;
use crate::{
    client::{Client, PASSWORD},
    program::Program,
    support::{Engine, Workplace},
};

/// Not on any list of common passwords, and not easy to guess.
const BREACHED: [&str; 2] = ["Qm7!vulture-lantern", "Zx4?marble-otter"];
/// Of the second, as Have I Been Pwned publishes it.
const SHA1: &str = "1DEE2B58AC8EDE2EAF230EAFC30DC8A9351DCE77";
/// The example of github.com/firebase/scrypt, whose password is `user1password`.
const FIREBASE_KEY: &str = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
const FIREBASE_USERS: &str = r#"{"users":[{"localId":"one","email":"fire@example.com","salt":"42xEC+ixf3L2lw==","passwordHash":
"lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="}]}"#;
/// `correct horse 🦀`.
const BCRYPT: &str = "$2b$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy";

async fn log_in(client: &Client, email: &str, password: &str) -> u16 {
    client.post("/api/v1/auth/login", json!({"email": email, "password": password})).await.status
}

#[rstest]
#[case("docs/guides/administration.md")]
#[case("docs/ko/guides/administration.md")]
#[tokio::test]
async fn an_administrator_gives_rights_finds_people_and_makes_a_key(#[case] page: &str) {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    program.client.person("kim@example.com").await;
    let mut reader = Reader::open(page, &place);
    reader.run(&[200]);
    reader.run(&[201, 200]);
    assert!(reader.run(&[200]).contains(r#""email":"kim@example.com""#));
    // A demonstration wants a database of its own, and a large one has nothing more to prove.
    reader.replace("--users 100000", "--users 100");
    reader.set("DATA_DIR", "demonstration");
    assert!(reader.run(&[]).contains("log in as admin@demo.example.com with this password"));
    let people = reader.run(&[201, 200]);
    assert!(people.contains(r#""items":[{"#), "{people}");
    reader.close();
}

#[rstest]
#[case("docs/guides/sessions.md")]
#[case("docs/ko/guides/sessions.md")]
#[tokio::test]
async fn a_client_refreshes_lists_and_ends_sessions(#[case] page: &str) {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    assert_eq!(program.client.register("test@example.com").await.status, 201);
    let other = program.client.log_in("test@example.com").await;
    let listed = program.client.bearing(&other.access).get("/api/v1/auth/sessions").await;
    let mut reader = Reader::open(page, &place);
    reader.run(&[200]);
    assert!(reader.run(&[200]).contains("refresh_token"));
    reader.replace("SESSION_ID", listed.body["items"][0]["id"].as_str().unwrap_or_else(|| panic!("{listed:?}")));
    assert!(reader.run(&[200, 204, 204, 204]).contains("Kim laptop"));
    assert_eq!(program.client.me(&other.access).await.status, 401);
    let device = reader.run(&[200]);
    assert!(device.contains("x-device-token: ") && device.contains("set-cookie: __Host-device="), "{device}");
    reader.run(&[200, 204, 204]);
    assert_eq!(log_in(&program.client, "test@example.com", PASSWORD).await, 401, "the account was deleted");
    reader.close();
}

#[rstest]
#[case("docs/guides/personal-data.md")]
#[case("docs/ko/guides/personal-data.md")]
#[tokio::test]
async fn a_person_is_handed_out_what_is_held(#[case] page: &str) {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    let mut reader = Reader::open(page, &place);
    reader.set("AUTH", &format!("http://localhost:{}", place.port));
    reader.set("TOKEN", &person.access);
    reader.run(&[200]);
    let document: Value = serde_json::from_slice(&fs::read(place.path("personal-data.json")).unwrap()).unwrap();
    assert!(document.to_string().contains("kim@example.com"), "{document}");
    reader.close();
}

#[rstest]
#[case("docs/guides/passwords.md")]
#[case("docs/ko/guides/passwords.md")]
#[tokio::test]
async fn breached_passwords_are_refused_from_either_list(#[case] page: &str) {
    let place = Workplace::on(Engine::Sqlite).set("PASSWORD_BREACHED_FILE", "breached.txt");
    let mut reader = Reader::open(page, &place);
    reader.write("words.txt", &format!("{}\n", BREACHED[0]));
    // SHA-1 of the second, as Have I Been Pwned publishes it; its file is sorted.
    let published = format!("{}:1\n{SHA1}:42\n{}:7\n", "0".repeat(40), "F".repeat(40));
    reader.write("pwned-passwords-sha1-ordered-by-hash.txt", &published);
    for password in [BREACHED[1], BREACHED[0]] {
        reader.run(&[]);
        let program = place.start().await;
        for (password, code) in [(password, Some("breached")), ("Wk9.anvil-thimble", None)] {
            let body = json!({"email": "kim@example.com", "password": password});
            let answer = program.client.post("/api/v1/auth/register", body).await;
            let expected = if code.is_some() { 422 } else { 201 };
            assert_eq!(answer.status, expected, "{password}: {answer:?}");
            assert!(code.is_none_or(|code| answer.body.to_string().contains(code)), "{answer:?}");
        }
        program.stop().await;
        fs::remove_file(place.path("data/auth.db")).unwrap();
    }
    reader.close();
}

#[rstest]
#[case("docs/guides/import.md")]
#[case("docs/ko/guides/import.md")]
#[tokio::test]
async fn accounts_are_brought_in_with_their_passwords_and_copied_out(#[case] page: &str) {
    let place = Workplace::on(Engine::Sqlite);
    let mut reader = Reader::open(page, &place);
    reader.write("people.csv", &format!("email,password_hash,roles\nkim@example.com,{BCRYPT},admin\n"));
    let told = reader.run(&[]);
    assert!(told.contains("1 would be added") && told.contains("1 added, 0 refused"), "{told}");
    reader.write("users.json", FIREBASE_USERS);
    reader.replace("jxspr8…", FIREBASE_KEY);
    reader.run(&[]);
    interrupt(&place).await;
    assert!(reader.run_to(2).contains("records were done by an earlier run"));

    let exported = reader.run(&[]);
    assert_eq!(exported.matches("accounts to").count(), 2, "{exported}");
    let with_hashes = fs::read_to_string(place.path("everybody.csv")).unwrap();
    assert!(with_hashes.contains(BCRYPT), "an export with hashes has none");
    assert!(!fs::read_to_string(place.path("everybody.ndjson")).unwrap().contains("$2b$"));

    let program = place.start().await;
    assert_eq!(log_in(&program.client, "kim@example.com", "correct horse 🦀").await, 200);
    assert_eq!(log_in(&program.client, "fire@example.com", "user1password").await, 200);
    reader.write("password.txt", "correct horse battery staple\n");
    let told = reader.run(&[]);
    for said in ["with this password, which is shown only now", "made second@example.com", "disabled kim@example.com"] {
        assert!(told.contains(said), "{said} is not in\n{told}");
    }
    let listed = told.lines().find(|line| line.contains("last login")).unwrap_or_else(|| panic!("{told}"));
    assert!(listed.contains("kim@example.com") && listed.contains("admin"), "{listed}");
    assert_eq!(log_in(&program.client, "second@example.com", "correct horse battery staple").await, 200);
    assert_eq!(log_in(&program.client, "kim@example.com", "correct horse 🦀").await, 401);
    reader.close();
}

/// Begins an import of many and kills it in its midst, in place of the one that was done.
async fn interrupt(place: &Workplace) {
    let rows = (0..20_000).map(|n| if n % 10 == 0 { "nobody\n".to_owned() } else { format!("p{n}@example.com\n") });
    fs::write(place.path("people.csv"), format!("email\n{}", rows.collect::<String>())).unwrap();
    fs::remove_file(place.path("refused.ndjson")).unwrap();
    let import = ["users", "import", "people.csv", "--format", "csv", "--report", "refused.ndjson"];
    let mut running: Program = place.spawn(&import);
    let length = || fs::metadata(place.path("refused.ndjson")).map_or(0, |file| file.len());
    running.until("some of it is stored", async || length() > 70_000).await;
    running.kill();
}

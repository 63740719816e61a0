//! The pages on the console, and on backups.

use std::fs;

use rstest::rstest;
use test_peers::free_port;

use super::reader::Reader;
use crate::{
    client::{Answer, Client},
    support::{Engine, Workplace},
};

const SECRET: &str = "3f0c8a5d4b1e9672a8c4e0f1b3d5972640a1c9e8f7b6d5c43f0c8a5d4b1e9672";

#[rstest]
#[case("docs/guides/console.md")]
#[case("docs/ko/guides/console.md")]
#[tokio::test]
async fn the_console_has_a_first_administrator_a_process_and_something_to_show(#[case] page: &str) {
    let metrics = format!("127.0.0.1:{}", free_port().unwrap());
    let place = Workplace::on(Engine::Sqlite).set("ADMIN_CLIENT_SECRET", SECRET).set("ADMIN_METRICS_ADDR", &metrics);
    let program = place.spawn(&["service"]);
    program.until_ready().await;
    let mut reader = Reader::open(page, &place);
    let token = reader.run(&[]);
    assert_eq!(token.trim().len(), 43, "{token}");
    reader.replace("ADMIN_CLIENT_SECRET=…", &format!("ADMIN_CLIENT_SECRET={SECRET}"));
    reader.replace("http://10.0.0.5:8000,http://10.0.0.6:8000", &format!("http://127.0.0.1:{}", place.port));
    reader.settings();
    let console = reader.serve();
    let client = Client::new(place.admin_port);
    let health = async || {
        Answer::of(client.request(reqwest::Method::GET, "/admin/health")).await.is_ok_and(|it| it.status == 204)
    };
    console.until("the console answers", health).await;
    let setup = client.get(&format!("/admin/setup?token={}", token.trim())).await;
    assert_eq!(setup.status, 200, "{setup:?}");
    reader.replace("--users 10000", "--users 100");
    assert!(reader.run(&[]).contains("log in as admin@demo.example.com with this password"));
    reader.close();
}

#[rstest]
#[case("docs/guides/backup.md")]
#[case("docs/ko/guides/backup.md")]
#[tokio::test]
async fn a_backup_is_made_with_a_key_of_its_own_and_comes_back_in_a_drill_with_age(#[case] page: &str) {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    program.client.person("kim@example.com").await;
    program
        .until("every entry is sealed", async || place.run(&["audit", "verify"]).out.contains(" 0 not sealed yet"))
        .await;
    let folder = place.path("backups");
    fs::create_dir(&folder).unwrap();

    let mut reader = Reader::open(page, &place);
    let made = reader.run(&[]);
    let recipient = made.split_whitespace().find(|word| word.starts_with("age1")).unwrap();
    reader.replace("BACKUP_RECIPIENT=age1…", &format!("BACKUP_RECIPIENT={recipient}"));
    reader.replace("/var/backups/auth-system", folder.to_str().unwrap());
    reader.settings();
    let backup = reader.run(&[]);
    for (said, what) in
        [("wrote    ", "-sqlite.backup.age"), ("holds    1 users, 1 sessions, ", "audit entries"), ("audit    ", ":")]
    {
        assert!(backup.lines().any(|line| line.starts_with(said) && line.contains(what)), "{said}{what}: {backup}");
    }
    let head = backup.lines().find_map(|line| line.strip_prefix("audit    ")).unwrap();
    program.stop().await;

    // What goes to a store and comes back is the matter of deploy::backup: these settings lead to one that is away.
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        reader.replace(&format!("{name}=…"), &format!("{name}=EXAMPLE"));
    }
    reader.settings();
    let nowhere = format!("http://127.0.0.1:{}", free_port().unwrap());
    let refused = reader.place.clone().set("BACKUP_S3_ENDPOINT", &nowhere).run(&["backup"]);
    assert!(refused.code == Some(1) && refused.err.contains("the store of s3://example-auth-backups"), "{refused:?}");
    reader.replace("98113:5f2c…", head);
    fs::create_dir(place.path("drills")).unwrap();
    reader.set("TMPDIR", place.path("drills").to_str().unwrap());
    let drill = reader.run(&[]);
    for said in ["restored ", "kim@example.com"] {
        assert!(drill.contains(said), "{said} is not in\n{drill}");
    }
    assert_eq!(fs::read_dir(place.path("drills")).unwrap().count(), 0, "a readable database is left");
    reader.close();
}

//! The pages on what the program is given: databases, signing keys, mail, and what watches it.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
};

use rstest::rstest;
use test_peers::{Certified, Postgres, Redis, Security, Smtp};

use super::{page, reader::Reader};
use crate::{
    client::Client,
    support::{DEADLINE, Engine, Workplace, comes_within, postgres},
    wire::Collector,
};

const PASSWORD: &str = "9d2f7c1e5a8b3046f1d7e9c2b4a65830";

#[rstest]
#[case("docs/guides/databases.md")]
#[case("docs/ko/guides/databases.md")]
#[tokio::test]
async fn a_database_is_named_brought_up_to_date_and_reached_by_tls(#[case] page: &str) {
    let postgres = Postgres::start().unwrap();
    let authority = turn_on_tls(&postgres).await;
    let admin = postgres.url("postgres");
    postgres.psql(&admin, ["-c", "CREATE ROLE authadmin LOGIN"]).unwrap();
    postgres.psql(&admin, ["-c", "CREATE DATABASE authdb OWNER authadmin"]).unwrap();
    let place = Workplace::on(Engine::Sqlite).set("PGPORT", &postgres.port().to_string());
    symlink(page::path("auth-service"), place.path("auth-service")).unwrap();

    let mut reader = Reader::open(page, &place);
    reader.replace("PASSWORD", PASSWORD);
    reader.replace("db.internal:5432", &format!("127.0.0.1:{}", postgres.port()));
    reader.replace("/etc/ssl/db-ca.pem", &authority);
    reader.settings();
    reader.set("DB_HOST", "127.0.0.1");
    reader.run(&[]);
    let migrated = reader.run(&[]);
    // The two scripts above have left nothing to apply.
    assert_eq!(migrated.lines().filter(|line| *line == "the schema is current").count(), 2, "{migrated}");
    reader.settings();
    let program = reader.place.start().await;
    program.client.person("kim@example.com").await;
    let encrypted =
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'authadmin'";
    assert_eq!(postgres.psql(&admin, ["-c", encrypted]).unwrap().trim(), "t");
    reader.close();
}

/// Gives a server a certificate; the path of its authority's.
async fn turn_on_tls(postgres: &Postgres) -> String {
    let admin = postgres.url("postgres");
    let psql = |sql: &str| postgres.psql(&admin, ["-c", sql]).unwrap().trim().to_owned();
    let folder = psql("SHOW data_directory");
    let folder = Path::new(&folder);
    let (owner, certified) = (fs::metadata(folder).unwrap(), Certified::issue().unwrap());
    for (name, text) in
        [("server.crt", &certified.certificate), ("server.key", &certified.key), ("ca.pem", &certified.authority)]
    {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        chown(folder.join(name), Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    psql("ALTER SYSTEM SET ssl = on");
    psql("SELECT pg_reload_conf()");
    assert!(comes_within(DEADLINE, async || psql("SHOW ssl") == "on").await, "TLS is not turned on");
    folder.join("ca.pem").to_str().unwrap().to_owned()
}

#[rstest]
#[case("README.md")]
#[case("README.ko.md")]
#[tokio::test]
async fn production_starts_with_the_variables_of_the_readme(#[case] page: &str) {
    let (postgres, redis) = (Postgres::start().unwrap(), Redis::start_tls().unwrap());
    redis.require_password(PASSWORD).unwrap();
    let admin = postgres.url("postgres");
    postgres.psql(&admin, ["-c", "CREATE ROLE authadmin LOGIN"]).unwrap();
    postgres.psql(&admin, ["-c", "CREATE DATABASE authdb OWNER authadmin"]).unwrap();
    let place = Workplace::bare().set("PGPORT", &postgres.port().to_string()).set("DB_HOST", "127.0.0.1");
    let place = place.set("SSL_CERT_FILE", redis.ca_path().to_str().unwrap());
    symlink(page::path("auth-service"), place.path("auth-service")).unwrap();

    let mut reader = Reader::open(page, &place);
    // The first session is followed by the tests of the READMEs.
    while reader.upcoming().is_some_and(|block| block.fence == "sh") {
        reader.next("sh");
    }
    reader.replace("PASSWORD@db.internal:5432", &format!("{PASSWORD}@127.0.0.1:{}", postgres.port()));
    reader.replace("TOKEN@redis.internal:6379", &format!("{PASSWORD}@localhost:{}", redis.port()));
    let settings = reader.settings();
    reader.write(".env.production", &settings);
    let prepared = reader.run(&[]);
    assert!(prepared.contains("ok       redis: ") && !prepared.contains("FAILED"), "{prepared}");
    let program = reader.serve();
    program.until_ready().await;
    let client = program.client.with_header("host", "auth.example.com");
    assert_eq!(client.register("kim@example.com").await.status, 201);
    program.stop().await;
    reader.close();
}

#[rstest]
#[case("docs/guides/keys.md")]
#[case("docs/ko/guides/keys.md")]
#[tokio::test]
async fn keys_are_made_rotated_and_withdrawn(#[case] page: &str) {
    let place = Workplace::bare();
    let mut reader = Reader::open(page, &place);
    let made = reader.run(&[]);
    assert!(made.contains("wrote keys/private.pem and keys/public.pem (kid "), "{made}");
    let (_, kid) = made.trim().trim_end_matches(')').rsplit_once(' ').unwrap();
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    let rotated = reader.run(&[]);
    assert!(rotated.lines().any(|line| line.len() == 44 && line.ends_with('=')), "{rotated}");
    assert!(rotated.contains(&format!("{kid}  RS256  signs ")) && rotated.contains("  published "), "{rotated}");
    program.until("both keys are published", async || published(&program.client).await == 2).await;
    reader.replace("JkzkwcBkLZkMeQA2k5l9WpFvhjrzOQSu7zj9-N_jm0A", kid);
    assert!(reader.run(&[]).contains(&format!("withdrew {kid}")));
    program.until("its tokens are refused", async || program.client.me(&person.access).await.status == 401).await;
    assert_eq!(program.client.refresh(&person.refresh).await.status, 200, "a session has ended with the key");
    reader.close();
}

async fn published(client: &Client) -> usize {
    client.get("/.well-known/jwks.json").await.body["keys"].as_array().unwrap().len()
}

#[rstest]
#[case("docs/guides/mail.md")]
#[case("docs/ko/guides/mail.md")]
#[tokio::test]
async fn mail_goes_out_and_what_waits_can_be_looked_at(#[case] page: &str) {
    let relay = Smtp::start(Security::StartTls).unwrap();
    let place = Workplace::on(Engine::Postgres);
    let mut reader = Reader::open(page, &place);
    fs::write(place.path("ca.pem"), relay.ca_pem()).unwrap();
    reader.set("SSL_CERT_FILE", place.path("ca.pem").to_str().unwrap());
    reader.replace("smtp://user:password@smtp.example.com:587", &relay.url());
    reader.settings();
    assert_eq!(reader.place.run(&["migrate"]).code, Some(0));
    let found = reader.run(&[]);
    assert!(found.lines().any(|line| line.starts_with("ok       mail: ")), "{found}");
    assert!(relay.mails().is_empty(), "the doctor has sent something");

    let program = reader.place.start().await;
    program.client.person("kim@example.com").await;
    program.until("a mail has arrived", async || !relay.mails().is_empty()).await;
    let mail = &relay.mails()[0];
    assert!(
        mail.raw.contains("From: Example <no-reply@example.com>") || mail.raw.contains("From: \"Example\" <"),
        "{mail:?}"
    );
    assert!(mail.raw.contains("https://auth.example.com/verify-email"), "{mail:?}");
    let waiting = reader.next("sql");
    postgres().psql(reader.place.value("DB_PRIMARY_DB_URL"), ["-c", &waiting]).unwrap();
    reader.close();
}

#[rstest]
#[case("docs/guides/monitoring.md")]
#[case("docs/ko/guides/monitoring.md")]
#[tokio::test(flavor = "multi_thread")]
async fn errors_and_traces_go_where_they_are_told_to(#[case] page: &str) {
    let (sentry, traces) = (Collector::start().await, Collector::start().await);
    let mut reader = Reader::open(page, &Workplace::on(Engine::Postgres));
    // What is reached by HTTPS in production is a listener of this test.
    reader.replace(
        "https://PUBLIC_KEY@sentry.example.com/PROJECT",
        &format!("http://public@127.0.0.1:{}/7", sentry.port),
    );
    reader.replace("http://collector:4318", &format!("http://127.0.0.1:{}", traces.port));
    reader.settings();
    reader.settings();
    let program = reader.place.start().await;
    let rename = "ALTER TABLE users RENAME COLUMN email TO mail";
    postgres().psql(reader.place.value("DB_PRIMARY_DB_URL"), ["-c", rename]).unwrap();
    assert_eq!(program.client.login("kim@example.com").await.status, 500);
    program.until("the error has arrived", async || sentry.taken().concat().contains("/envelope/")).await;
    program.stop().await;
    assert!(traces.taken().concat().contains("POST /v1/traces "), "{:?}", traces.taken());
    reader.close();
}

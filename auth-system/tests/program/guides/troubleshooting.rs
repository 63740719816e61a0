//! The page on faults: what it has one run, while the fault is there or just after it.

use std::os::unix::fs::symlink;

use rstest::rstest;
use test_peers::{Postgres, Redis};

use super::reader::Reader;
use crate::support::{Engine, Workplace};

const REDIS_TOKEN: &str = "3f0c8a5d4b1e9672a8c4e0f1b3d5972640a1c9e8f7b6d5c4";

/// A service on servers of its own, as the page's readers have them.
fn place(postgres: &Postgres, redis: &Redis) -> Workplace {
    redis.require_password(REDIS_TOKEN).unwrap();
    let place = Workplace::on(Engine::Sqlite)
        .set("DB_PRIMARY_DB_URL", &postgres.create_database().unwrap())
        .set("REDIS_URL", &redis.url().replace("rediss://", &format!("rediss://:{REDIS_TOKEN}@")))
        .set("SSL_CERT_FILE", redis.ca_path().to_str().unwrap())
        .set("CORS_ALLOWED_ORIGINS", "https://app.example.com")
        .set("ALLOWED_HOSTS", "auth.example.com,localhost");
    // The log is what the program prints.
    symlink("stdout", place.path("auth.log")).unwrap();
    place
}

#[rstest]
#[case("docs/guides/troubleshooting.md")]
#[case("docs/ko/guides/troubleshooting.md")]
#[tokio::test]
async fn each_fault_is_found_by_the_commands_for_it(#[case] page: &str) {
    let (postgres, redis) = (Postgres::start().unwrap(), Redis::start_tls().unwrap());
    let place = place(&postgres, &redis);
    let program = place.start().await;
    let mut reader = Reader::open(page, &place);
    let found = reader.run(&[]);
    assert!(found.contains("ok       signing key: ") && !found.contains("FAILED"), "{found}");

    postgres.stop().unwrap();
    program.until_logged("the database does not answer: could not connect to server").await;
    postgres.start_again().unwrap();
    program.until_logged("the database answers").await;
    let found = reader.run(&[]);
    assert!(
        found.contains("could not connect to server")
            && found.contains("ok       database: ")
            && found.contains("(1 row)"),
        "{found}"
    );

    let ca = redis.ca_path();
    reader.replace("REDIS_HOST", &format!("localhost -p {} --cacert {}", redis.port(), ca.display()));
    reader.replace("-a TOKEN", &format!("-a {REDIS_TOKEN}"));
    assert!(reader.run(&[200]).contains("PONG"));
    assert_eq!(program.client.with_header("host", "localhost").me("no token at all").await.status, 401);
    program.until_logged("Token validation failed").await;
    assert!(reader.run(&[]).contains("Token validation failed"));
    let here = format!("http://localhost:{}/", place.port);
    reader.replace("https://auth.example.com/", &here);
    assert!(reader.run(&[200]).contains("access-control-allow-origin: https://app.example.com"));
    reader.replace("http://10.0.0.5:8000/", &here);
    assert!(reader.run(&[]).lines().any(|line| line == "200"));
    program.stop().await;

    reader.set("DB_PRIMARY_DB_URL", &postgres.create_database().unwrap());
    reader.set("AUTO_MIGRATE", "false");
    let program = reader.place.spawn(&[]);
    program.until_logged("not ready: the schema is behind").await;
    let behind = reader.run_to(1);
    assert!(behind.lines().any(|line| line == "503"), "{behind}");
    reader.close();
}

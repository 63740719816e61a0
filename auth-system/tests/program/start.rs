//! The first minute: an empty folder, and the calls of the README.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path, time::Instant};

use reqwest::Method;
use serde_json::json;

use crate::{
    client::{Answer, PASSWORD},
    support::{Engine, Workplace},
};

/// What the guide's `curl -I` must show.
const SECURITY_HEADERS: [(&str, &str); 4] = [
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "1; mode=block"),
];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn an_empty_folder_becomes_a_service_that_says_where_everything_is() {
    let place = Workplace::bare();
    let began = Instant::now();
    let program = place.start().await;
    println!("exec -> ready with a new key and a new database: {} ms", began.elapsed().as_millis());
    assert_eq!((mode(&place.path("keys/private.pem")), mode(&place.path("keys/public.pem"))), (0o600, 0o600));
    program.until_logged("Press Ctrl-C to stop").await;
    let out = program.out();
    let [api, docs] = ["", "/docs"].map(|path| format!("http://localhost:{}{path}", place.port));
    let metrics = format!("http://127.0.0.1:{}/metrics", place.metrics_port);
    for said in [&api, &docs, &metrics, "data/auth.db", "keys/private.pem, keys/public.pem"] {
        assert!(out.contains(said), "{said} is not in\n{out}");
    }
    assert!(place.path("data/auth.db").exists());
    program.stop().await;
}

#[tokio::test]
async fn the_calls_of_the_readme_do_what_they_say() {
    let program = Workplace::on(Engine::Sqlite).start().await;
    let client = &program.client;
    let health = client.health().await;
    assert_eq!(health.body, json!({"status": "healthy", "version": "1.0.0", "environment": "development"}));
    let person = json!({"email": "test@example.com", "password": PASSWORD, "username": "testuser"});
    assert_eq!(client.post("/api/v1/auth/register", person).await.status, 201);
    let person = client.log_in("test@example.com").await;
    assert_eq!(client.me(&person.access).await.text("username"), "testuser");
    let head = Answer::of(client.request(Method::HEAD, "/api/v1/health")).await.unwrap();
    assert_eq!(head.status, 200);
    for (name, value) in SECURITY_HEADERS {
        assert_eq!(head.header(name), value, "{name}");
    }
    assert_eq!(client.logout(&person.access).await.status, 204);
    assert_eq!(client.me(&person.access).await.status, 401);
}

#[tokio::test]
async fn a_second_start_keeps_keys_accounts_and_sessions() {
    let place = Workplace::bare();
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    let revoked = program.client.log_in("kim@example.com").await;
    assert_eq!(program.client.logout(&revoked.access).await.status, 204);
    let key = fs::read(place.path("keys/private.pem")).unwrap();
    program.stop().await;
    let began = Instant::now();
    let program = place.start().await;
    println!("exec -> ready, the second time: {} ms", began.elapsed().as_millis());
    assert_eq!(fs::read(place.path("keys/private.pem")).unwrap(), key);
    assert_eq!(program.client.me(&person.access).await.status, 200);
    assert_eq!(program.client.refresh(&person.refresh).await.status, 200);
    assert_eq!(program.client.login("kim@example.com").await.status, 200);
    assert_eq!(program.client.me(&revoked.access).await.status, 401, "what was revoked came back");
}

#[tokio::test]
async fn a_taken_port_is_one_clear_message() {
    for variable in ["SERVICE_ADDR", "METRICS_ADDR", "GATEWAY_ADDR", "ADMIN_ADDR"] {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let mut program = Workplace::on(Engine::Sqlite).set(variable, &address).spawn(&[]);
        assert_eq!(program.ended().await, Some(1));
        let err = program.err();
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.contains(variable) && err.contains(&address) && err.contains("another instance"), "{err}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let place = Workplace::on(Engine::Sqlite).set("DATA_DIR", "occupied");
    fs::write(place.path("occupied"), "a file, where a folder is wanted").unwrap();
    let mut program = place.spawn(&[]);
    assert_eq!(program.ended().await, Some(1));
    let err = program.err();
    assert!(err.lines().count() == 1 && err.contains("occupied"), "{err}");
}

#[test]
fn usage_is_explained() {
    let place = Workplace::bare();
    for wrong in [&["upp"][..], &["--no-such-flag"], &["keys"], &["keys", "generate", "--bits", "1024"], &["docs", "x"]]
    {
        let finished = place.run(wrong);
        assert_eq!((finished.code, finished.out.as_str()), (Some(64), ""), "{wrong:?}: {finished:?}");
        assert!(finished.err.contains("Usage") || finished.err.contains("--help"), "{wrong:?}: {finished:?}");
    }
    let version = place.run(&["--version"]);
    assert_eq!((version.code, version.out.as_str()), (Some(0), "auth-system 1.0.0\n"));
    let help = place.run(&["--help"]);
    assert_eq!(help.code, Some(0));
    for command in ["up", "service", "migrate", "doctor", "healthcheck", "keys", "openapi", "docs"] {
        assert!(help.out.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {}", help.out);
    }
    assert!(help.out.contains("docs/configuration.md"), "{}", help.out);
}

#[tokio::test]
async fn an_env_file_is_read_in_development_and_what_is_set_comes_before_it() {
    let place = Workplace::on(Engine::Sqlite).set("DATA_DIR", "chosen");
    fs::write(place.path(".env"), "DATA_DIR=other\nPASSWORD_MIN_LENGTH=30\n").unwrap();
    let program = place.start().await;
    assert!(place.path("chosen/auth.db").exists() && !place.path("other").exists());
    let answer = program.client.register("kim@example.com").await;
    assert_eq!(answer.status, 422, "PASSWORD_MIN_LENGTH was not read: {answer:?}");
}

#[tokio::test]
async fn an_env_file_is_not_read_in_production() {
    let place = Workplace::on(Engine::Sqlite).set("ENV", "production").set("AUTO_MIGRATE", "true");
    fs::write(place.path(".env"), "ALLOWED_HOSTS=example.com\n").unwrap();
    let mut program = place.spawn(&[]);
    assert_eq!(program.ended().await, Some(1));
    assert!(program.err().contains("ALLOWED_HOSTS"), "{}", program.err());
}

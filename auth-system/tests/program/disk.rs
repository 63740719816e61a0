//! A full disk, as a limit on the size of files: it needs no rights, so it is tested wherever Linux is.

use std::{process::Command, time::Duration};

use crate::{
    program::Program,
    support::{DEADLINE, Engine, Workplace, comes_within, timed},
};

const RECOVERS_WITHIN: Duration = Duration::from_secs(5);
/// Without this the first write past the limit would end the program instead of failing.
const AS_A_FULL_DISK: &str = r#"trap '' XFSZ && exec "$@""#;

/// Files may have so many bytes from now on.
fn limit_files(program: &Program, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let status = Command::new("prlimit").args(["--pid", &program.id().to_string(), &limit]).status().unwrap();
    assert!(status.success(), "prlimit failed");
}

#[tokio::test]
async fn a_full_disk_refuses_writes_goes_on_reading_and_recovers() {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.spawn_from_shell(AS_A_FULL_DISK);
    program.until_ready().await;
    let person = program.client.person("kim@example.com").await;
    // Neither the database nor its write-ahead log can grow; nor can the log file, so lines are lost.
    limit_files(&program, "4096");
    for _ in 0..3 {
        program.client.register("lee@example.com").await.assert_unavailable();
        program.client.login("kim@example.com").await.assert_unavailable();
        program.client.refresh(&person.refresh).await.assert_unavailable();
        assert_eq!(program.client.me(&person.access).await.status, 200);
        assert_eq!(program.client.bearing(&person.access).get("/api/v1/auth/sessions").await.status, 200);
        assert_eq!(program.client.get("/.well-known/jwks.json").await.status, 200);
        assert_eq!(program.client.health().await.status, 200);
    }
    limit_files(&program, "unlimited");
    let works = async || program.client.register("lee@example.com").await.status == 201;
    let (recovered, took) = timed(comes_within(DEADLINE, works)).await;
    println!("recovered {took:?} after there was room");
    assert!(recovered && took <= RECOVERS_WITHIN, "took {took:?}");
    assert_eq!(program.client.refresh(&person.refresh).await.status, 200);
    assert_eq!(program.client.login("lee@example.com").await.status, 200);
}

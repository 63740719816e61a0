//! Traces and error reports leave for where they were configured to go.

use serde_json::json;

use crate::{
    client::PASSWORD,
    support::{Engine, Workplace, postgres},
    wire::Collector,
};

#[tokio::test]
async fn traces_reach_the_collector_and_hold_no_secret() {
    let collector = Collector::start().await;
    let endpoint = format!("http://127.0.0.1:{}", collector.port);
    let program = Workplace::on(Engine::Sqlite).set("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint).start().await;
    let person = program.client.person("kim@example.com").await;
    let client = program.client.with_header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    assert_eq!(client.me(&person.access).await.status, 200);
    program.stop().await;
    let taken = collector.taken().concat();
    for sent in ["POST /v1/traces ", "auth-system", "POST /api/v1/auth/login", "GET /api/v1/users/me"] {
        assert!(taken.contains(sent), "{sent} is not in\n{taken}");
    }
    for secret in [PASSWORD, &person.access, &person.refresh, "kim@example.com"] {
        assert!(!taken.contains(secret), "{secret} is in\n{taken}");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_harms_nobody() {
    let nobody = format!("http://127.0.0.1:{}", test_peers::free_port().unwrap());
    let program = Workplace::on(Engine::Sqlite).set("OTEL_EXPORTER_OTLP_ENDPOINT", &nobody).start().await;
    program.client.person("kim@example.com").await;
    program.stop().await;
}

#[tokio::test]
async fn an_internal_error_reaches_sentry_and_its_cause_reaches_no_caller() {
    let sentry = Collector::start().await;
    let dsn = format!("http://public@127.0.0.1:{}/7", sentry.port);
    let database = postgres().create_database().unwrap();
    let place = Workplace::on(Engine::Sqlite).set("DB_PRIMARY_DB_URL", &database).set("SENTRY_DSN", &dsn);
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    // What no outage is: a schema that somebody broke.
    postgres().psql(&database, ["-c", "ALTER TABLE users RENAME COLUMN email TO mail"]).unwrap();
    let login = json!({"email": "kim@example.com", "password": PASSWORD});
    let answer = program.client.with_header("x-request-id", "request-7").post("/api/v1/auth/login", login).await;
    assert_eq!((answer.status, answer.text("code").as_str()), (500, "internal_error"), "{answer:?}");
    assert!(!answer.body.to_string().contains("column"), "{answer:?}");
    assert!(program.client.is_ready().await, "one broken statement is no outage");
    program.until_logged("internal error").await;
    let out = program.out();
    let line = out.lines().find(|line| line.contains("internal error")).unwrap();
    assert!(line.contains("request-7") && line.contains("column"), "{line}");
    program.until("the report has arrived", async || !sentry.taken().is_empty()).await;
    let taken = sentry.taken().concat();
    assert!(taken.starts_with("POST /api/7/envelope/ ") && taken.contains("internal error"), "{taken}");
    for secret in [PASSWORD, &person.access, &person.refresh, "kim@example.com"] {
        assert!(!taken.contains(secret), "{secret} is in\n{taken}");
    }
}

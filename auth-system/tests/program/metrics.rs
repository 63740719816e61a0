//! The metrics page.

use serde_json::json;

use crate::{
    client::{Client, PASSWORD},
    support::{Engine, Workplace},
};

/// The sum of a metric's samples, whatever their labels; nothing when it is not on the page.
pub async fn read(place: &Workplace, name: &str) -> Option<f64> {
    let page = Client::new(place.metrics_port).get("/metrics").await;
    assert_eq!(page.status, 200, "{page:?}");
    let samples = page.body.as_str().unwrap().lines().filter_map(|line| {
        let (sample, value) = line.rsplit_once(' ')?;
        let labels = sample.strip_prefix(name)?;
        (labels.is_empty() || labels.starts_with('{')).then(|| value.parse::<f64>().unwrap())
    });
    samples.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

#[tokio::test]
async fn the_metrics_page_has_what_operators_watch() {
    let place = Workplace::on(Engine::Postgres);
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    let wrong = json!({"email": "kim@example.com", "password": format!("{PASSWORD}?")});
    assert_eq!(program.client.post("/api/v1/auth/login", wrong).await.status, 401);
    for _ in 0..3 {
        assert_eq!(program.client.me(&person.access).await.status, 200);
    }
    let mail = r#"mails_total{outcome="sent"}"#;
    program.until("the mail is out", async || read(&place, mail).await.is_some()).await;
    for (name, least) in [
        ("http_requests_total", 6.0),
        ("http_request_duration_seconds_count", 6.0),
        (r#"logins_total{outcome="logged_in"}"#, 1.0),
        (r#"logins_total{outcome="refused"}"#, 1.0),
        (mail, 1.0),
        ("mail_outbox_depth", 0.0),
        ("hash_queue_depth", 0.0),
        ("hash_duration_seconds_count", 3.0),
        ("db_connections_open", 1.0),
        ("db_connections_idle", 0.0),
        (r#"profile_cache_total{outcome="hit"}"#, 1.0),
        ("revocation_lag_seconds", 0.0),
    ] {
        let value = read(&place, name).await;
        assert!(value.is_some_and(|value| value >= least), "{name}: {value:?}");
    }
    assert!(read(&place, "revocation_lag_seconds").await < Some(5.0));
}

#[tokio::test]
async fn the_metrics_page_is_not_on_the_public_port() {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    assert_eq!(program.client.get("/metrics").await.status, 404);
    let operators = Client::new(place.metrics_port);
    assert_eq!(operators.get("/api/v1/health").await.status, 404);
    assert_eq!(operators.get("/metrics").await.header("x-content-type-options"), "nosniff");
}

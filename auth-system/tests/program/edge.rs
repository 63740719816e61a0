//! The limits of a connection, as the program sets them.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::{
    client::Answer,
    support::{Engine, Workplace, timed},
    wire::Wire,
};

#[tokio::test]
async fn what_is_too_large_or_no_json_is_refused_with_a_problem() {
    let place = Workplace::on(Engine::Sqlite);
    let documented = place.run(&["docs", "errors"]).out;
    let program = place.start().await;
    let client = &program.client;
    let login = |body: String| client.request(Method::POST, "/api/v1/auth/login").body(body);
    let large = json!({"email": "x".repeat(65 * 1024)}).to_string();
    let large = Answer::of(login(large).header("content-type", "application/json")).await.unwrap();
    let form = Answer::of(login("email=kim".into()).header("content-type", "application/x-www-form-urlencoded")).await;
    let packed = login("{}".into()).header("content-type", "application/json").header("content-encoding", "gzip");
    let packed = Answer::of(packed).await.unwrap();
    let header = client.with_header("x-long", &"x".repeat(17 * 1024)).health().await;
    for (status, answer) in [(413, large), (415, form.unwrap()), (415, packed), (431, header)] {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
        assert!(documented.contains(&format!("| `{}` | {status} |", answer.text("code"))), "{answer:?}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{answer:?}");
        assert!(!answer.header("x-request-id").is_empty(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off_after_ten_seconds() {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    let mut slow = Wire::connect(place.port).await;
    slow.send("GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    let (answer, took) = timed(tokio::time::timeout(Duration::from_secs(20), slow.rest())).await;
    assert!(answer.is_ok() && took >= Duration::from_secs(9), "{took:?} {answer:?}");
    assert_eq!(program.client.health().await.status, 200);
}

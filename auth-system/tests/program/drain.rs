//! SIGTERM: what is in flight is answered, and nothing is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    client::{Client, PASSWORD},
    support::{Engine, Workplace},
    wire::Wire,
};

const CLIENTS: usize = 12;
const STOPS_WITHIN: Duration = Duration::from_secs(15);

/// Calls on a kept-alive connection until the server takes leave of it; every answer that is not the expected one.
async fn call_until_farewell(client: Client, answered: Arc<AtomicUsize>) -> Vec<String> {
    loop {
        match client.try_post("/api/v1/auth/login", json!({})).await {
            Ok(answer) if answer.status != 422 => return vec![format!("{answer:?}")],
            Ok(answer) if answer.header("connection") == "close" => return Vec::new(),
            Ok(_) => answered.fetch_add(1, Ordering::Relaxed),
            Err(cause) => return vec![format!("{cause:?}")],
        };
    }
}

#[rstest]
#[tokio::test]
async fn a_stopping_program_drops_no_request(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let place = Workplace::on(engine);
    let mut program = place.start().await;
    assert_eq!(program.client.register("kim@example.com").await.status, 201);
    let (answered, mut callers) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for _ in 0..CLIENTS {
        callers.spawn(call_until_farewell(Client::new(place.port), Arc::clone(&answered)));
    }
    let login = json!({"email": "kim@example.com", "password": PASSWORD}).to_string();
    let (begun, rest) = login.split_at(10);
    let mut wire = Wire::connect(place.port).await;
    wire.send(&format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{begun}",
        login.len()
    ))
    .await;
    program.until("all are answered", async || answered.load(Ordering::Relaxed) >= 5 * CLIENTS).await;
    let began = Instant::now();
    program.signal("TERM");
    program.until_logged("shutdown requested").await;
    wire.send(rest).await;
    let answer = wire.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("access_token"), "{answer}");
    assert_eq!(program.ended().await, Some(0), "{}", program.err());
    assert!(began.elapsed() <= STOPS_WITHIN, "took {:?}", began.elapsed());
    println!("{engine:?}: stopped after {:?}, {answered:?} answers to others", began.elapsed());
    assert_eq!(callers.join_all().await.concat(), Vec::<String>::new());
}

#[tokio::test]
async fn a_stopping_program_says_not_ready_before_it_stops_listening() {
    // The API alone, as it stands behind a load balancer: in one process it goes on until the gateway has left.
    let mut program = Workplace::on(Engine::Sqlite).spawn(&["service"]);
    // A connection that is open already, as a load balancer keeps them.
    program.until_ready().await;
    program.signal("TERM");
    program.until_logged("shutdown requested").await;
    let answer = program.client.get("/api/v1/health/ready").await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.header("connection"), "close");
    assert_eq!(program.ended().await, Some(0));
}

#[tokio::test]
async fn the_service_role_alone_serves_and_stops_like_all() {
    let place = Workplace::on(Engine::Sqlite);
    let mut program = place.spawn(&["service"]);
    program.until_ready().await;
    let person = json!({"email": "kim@example.com", "password": PASSWORD});
    assert_eq!(program.client.post("/api/v1/auth/register", person).await.status, 201);
    program.signal("INT");
    assert_eq!(program.ended().await, Some(0));
}

//! Fewer connections than callers, and callers that go away.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use test_peers::Redis;

use crate::{
    client::PASSWORD,
    metrics,
    support::{Engine, Workplace, postgres, timed},
    wire::Wire,
};

const POOL: usize = 2;
const CALLERS: usize = 50;
const ABORTS: usize = 200;
/// Takes the sessions away for longer than anybody waits for a connection.
const HOLD: &str = "BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT";

fn narrow() -> (Workplace, String) {
    let database = postgres().create_database().unwrap();
    let place = Workplace::on(Engine::Sqlite)
        .set("DB_PRIMARY_DB_URL", &database)
        .set("REDIS_URL", Redis::shared().unwrap().url())
        .set("DB_POOL_MAX_SIZE", &POOL.to_string());
    (place, database)
}

/// Connections that the server counts to a database.
fn connections(database: &str) -> usize {
    let (_, name) = database.rsplit_once('/').unwrap();
    let count = format!("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{name}'");
    postgres().psql(&postgres().url("postgres"), ["-c", &count]).unwrap().parse().unwrap()
}

#[tokio::test]
async fn more_callers_than_connections_are_answered_or_told_to_come_back() {
    let (place, database) = narrow();
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    let client = program.client.bearing(&person.access);
    let holder = std::thread::spawn({
        let database = database.clone();
        move || postgres().psql(&database, ["-c", HOLD]).unwrap()
    });
    let is_held = async || {
        let locks = "SELECT COUNT(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'sessions'::regclass";
        postgres().psql(&database, ["-c", locks]).unwrap() == "1"
    };
    program.until("the table is held", is_held).await;
    let calls = join_all((0..CALLERS).map(|_| timed(client.get("/api/v1/auth/sessions")))).await;
    let most = connections(&database);
    for (answer, took) in &calls {
        assert!(*took < Duration::from_secs(5), "a call took {took:?}");
        if answer.status != 200 {
            answer.assert_unavailable();
        }
    }
    let refused = calls.iter().filter(|(answer, _)| answer.status == 503).count();
    println!("{refused} of {CALLERS} were told to come back");
    assert!(refused > 0, "nothing was exhausted");
    // The holder, and those that were given up and that the server has not seen end.
    assert!(most <= 2 * POOL + 1, "{most} connections");
    holder.join().unwrap();
    program
        .until("everybody is answered again", async || client.get("/api/v1/auth/sessions").await.status == 200)
        .await;
    let calls = join_all((0..CALLERS).map(|_| client.get("/api/v1/auth/sessions"))).await;
    assert!(calls.iter().all(|answer| answer.status == 200), "a free pool refuses");
    assert!(connections(&database) <= POOL);
}

#[tokio::test]
async fn callers_that_go_away_leave_nothing_behind() {
    let (place, database) = narrow();
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    let login = json!({"email": "kim@example.com", "password": PASSWORD}).to_string();
    let refresh = json!({"refresh_token": person.refresh}).to_string();
    for abort in 0..ABORTS {
        let (path, body) = if abort % 10 == 0 { ("login", &login) } else { ("refresh", &refresh) };
        let mut wire = Wire::connect(place.port).await;
        let length = body.len();
        wire.send(&format!(
            "POST /api/v1/auth/{path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await;
        if abort % 2 == 0 {
            // Somewhere amid the work, and not always at its beginning.
            tokio::task::yield_now().await;
        }
        drop(wire);
    }
    // The reader of the page is the one request in flight.
    program
        .until("nothing is in flight", async || metrics::read(&place, "http_requests_in_flight").await == Some(1.0))
        .await;
    assert!(connections(&database) <= POOL);
    let client = program.client.bearing(&program.client.log_in("kim@example.com").await.access);
    let calls = join_all((0..CALLERS).map(|_| client.get("/api/v1/auth/sessions"))).await;
    assert!(calls.iter().all(|answer| answer.status == 200), "connections were lost");
    assert!(connections(&database) <= POOL);
}

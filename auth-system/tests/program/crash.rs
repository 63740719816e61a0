//! `kill -9` under load: whatever was acknowledged is still there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rstest::rstest;

use crate::{
    client::Client,
    support::{Engine, Workplace},
};

const ROUNDS: usize = 3;
const REGISTERING: usize = 10;
const REFRESHING: usize = 10;
/// What is acknowledged of each kind before a crash, which comes amid the next.
const ACKNOWLEDGED: usize = 6;
const READY_WITHIN: Duration = Duration::from_secs(2);
/// How long one who is told that the service is busy waits.
const POLITENESS: Duration = Duration::from_millis(20);

/// Registers one person after another until the server is gone; everybody whose account was acknowledged.
async fn register_until_gone(client: Client, name: String, count: Arc<AtomicUsize>) -> Vec<String> {
    let mut people = Vec::new();
    loop {
        let email = format!("{name}-{}@example.com", people.len());
        match client.try_register(&email).await {
            Ok(answer) if answer.status == 201 => {
                people.push(email);
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) => {
                answer.assert_unavailable();
                tokio::time::sleep(POLITENESS).await;
            }
            Err(_) => return people,
        }
    }
}

/// Refreshes one session again and again until the server is gone; the last token that was acknowledged.
async fn refresh_until_gone(client: Client, mut token: String, count: Arc<AtomicUsize>) -> String {
    while let Ok(answer) = client.try_refresh(&token).await {
        assert_eq!(answer.status, 200, "{answer:?}");
        token = answer.text("refresh_token");
        count.fetch_add(1, Ordering::Relaxed);
    }
    token
}

#[rstest]
#[tokio::test]
async fn no_acknowledged_write_is_lost_by_a_crash(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let place = Workplace::on(engine).set("RATE_LIMIT_REFRESH_PER_SESSION", "off");
    let mut program = place.start().await;
    let mut tokens = Vec::new();
    program.client.person("kim@example.com").await;
    for _ in 0..REFRESHING {
        tokens.push(program.client.log_in("kim@example.com").await.refresh);
    }
    let mut people = Vec::new();
    for round in 1..=ROUNDS {
        let (registered, refreshed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let client = || Client::new(place.port);
        let registering = (0..REGISTERING).map(|number| {
            let name = format!("person-{round}-{number}");
            tokio::spawn(register_until_gone(client(), name, Arc::clone(&registered)))
        });
        let registering = join_all(registering.collect::<Vec<_>>());
        let refreshing =
            tokens.drain(..).map(|token| tokio::spawn(refresh_until_gone(client(), token, Arc::clone(&refreshed))));
        let refreshing = join_all(refreshing.collect::<Vec<_>>());
        let enough = |count: &AtomicUsize| count.load(Ordering::Relaxed) >= ACKNOWLEDGED;
        program.until("enough is acknowledged", async || enough(&registered) && enough(&refreshed)).await;
        program.kill();
        people.extend(registering.await.into_iter().flat_map(Result::unwrap));
        tokens = refreshing.await.into_iter().map(Result::unwrap).collect();
        let began = Instant::now();
        program = place.start().await;
        let took = began.elapsed();
        println!("{engine:?}: ready {took:?} after a crash; {refreshed:?} refreshes in this round");
        assert!(took <= READY_WITHIN, "ready after {took:?}");
    }
    for token in &tokens {
        let answer = program.client.refresh(token).await;
        assert_eq!(answer.status, 200, "a session is lost: {answer:?}");
    }
    for email in &people {
        let answer = program.client.login(email).await;
        assert_eq!(answer.status, 200, "{email} is lost: {answer:?}");
    }
    println!("{engine:?}: {} registrations and {} sessions survived", people.len(), tokens.len());
}

//! The database away, hanging or slow: honest refusals in time, and recovery without a restart.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde_json::json;
use test_peers::{Fault, FaultProxy, Postgres, Redis};

use crate::{
    client::{Answer, Client, Person},
    program::Program,
    support::{DEADLINE, Engine, Workplace, comes_within, postgres, timed},
};

/// No call waits longer for a database that is away or hangs.
const REFUSED_WITHIN: Duration = Duration::from_secs(2);
/// After the database is back.
const RECOVERS_WITHIN: Duration = Duration::from_secs(5);
/// What a busy machine may add to a promise: what waits for time-outs hardly needs CPU, so it is little.
const SLACK: Duration = Duration::from_millis(500);

/// The program with a proxy between it and its database.
struct Distant {
    program: Program,
    proxy: FaultProxy,
    person: Person,
}

async fn start_distant() -> Distant {
    let proxy = FaultProxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, postgres().port()))).unwrap();
    let program = through(&proxy).start().await;
    let person = program.client.person("kim@example.com").await;
    Distant { program, proxy, person }
}

fn through(proxy: &FaultProxy) -> Workplace {
    let database = postgres().create_database().unwrap();
    let place = Workplace::on(Engine::Sqlite).set("REDIS_URL", Redis::shared().unwrap().url());
    let (_, name) = database.rsplit_once('/').unwrap();
    place.set("DB_PRIMARY_DB_URL", &format!("postgresql://postgres@{}/{name}", proxy.address()))
}

/// Every kind of call that needs the database, each timed from its own start.
async fn call_all(client: &Client, person: &Person) -> Vec<(&'static str, Answer, Duration)> {
    let me = timed(client.me(&person.access));
    let sessions = client.bearing(&person.access);
    let sessions = timed(sessions.get("/api/v1/auth/sessions"));
    let (register, login) = (timed(client.register("lee@example.com")), timed(client.login("kim@example.com")));
    let unknown = timed(client.login("nobody@example.com"));
    let refresh = timed(client.refresh(&person.refresh));
    let all = tokio::join!(me, sessions, register, login, unknown, refresh);
    let named = [
        ("me", all.0),
        ("sessions", all.1),
        ("register", all.2),
        ("login", all.3),
        ("unknown", all.4),
        ("refresh", all.5),
    ];
    named.into_iter().map(|(name, (answer, took))| (name, answer, took)).collect()
}

async fn assert_refuses_in_time(program: &Program, person: &Person) {
    for (name, answer, took) in call_all(&program.client, person).await {
        println!("{name}: {} after {took:?}", answer.status);
        // A profile is believed for a second, so `me` may still be answered.
        assert!(answer.status == 503 || name == "me", "{name}: {answer:?}");
        if answer.status == 503 {
            answer.assert_unavailable();
        }
        assert!(took <= REFUSED_WITHIN + SLACK, "{name} took {took:?}");
    }
}

async fn assert_degraded(program: &Program) {
    program.until("it is not ready", async || !program.client.is_ready().await).await;
    program.client.get("/api/v1/health/ready").await.assert_unavailable();
    let health = program.client.health().await;
    assert_eq!((health.status, health.text("status")), (200, "degraded".to_owned()));
    assert_eq!(health.body["checks"]["database"], json!("down"), "{health:?}");
    program.until_logged("could not connect to server").await;
}

/// Waits for the first success of each kind, none of which may take longer than promised.
async fn assert_recovers(program: &Program, person: &Person) {
    let works = async || program.client.me(&person.access).await.status == 200 && program.client.is_ready().await;
    let (recovered, took) = timed(comes_within(DEADLINE, works)).await;
    println!("recovered after {took:?}");
    assert!(recovered && took <= RECOVERS_WITHIN + SLACK, "took {took:?}");
    assert_eq!(program.client.login("kim@example.com").await.status, 200);
    assert_eq!(program.client.refresh(&person.refresh).await.status, 200);
    assert_eq!(program.client.health().await.text("status"), "healthy");
}

#[tokio::test]
async fn a_stopped_database_is_refused_in_time_and_recovered_from() {
    let server = Postgres::start().unwrap();
    let place = Workplace::on(Engine::Sqlite).set("DB_PRIMARY_DB_URL", &server.create_database().unwrap());
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    server.stop().unwrap();
    assert_refuses_in_time(&program, &person).await;
    assert_degraded(&program).await;
    assert_refuses_in_time(&program, &person).await;
    server.start_again().unwrap();
    assert_recovers(&program, &person).await;
    assert_eq!(program.client.register("lee@example.com").await.status, 201);
}

#[tokio::test]
async fn a_hanging_database_is_refused_in_time_and_recovered_from() {
    let Distant { program, proxy, person } = start_distant().await;
    proxy.set(Fault::Blackhole);
    assert_refuses_in_time(&program, &person).await;
    assert_degraded(&program).await;
    assert_refuses_in_time(&program, &person).await;
    // Nothing but the database: what needs none is answered at once.
    let (jwks, took) = timed(program.client.get("/.well-known/jwks.json")).await;
    assert!(jwks.status == 200 && took < SLACK, "{took:?}");
    proxy.set(Fault::Pass);
    assert_recovers(&program, &person).await;
}

#[tokio::test]
async fn connections_that_are_reset_are_replaced() {
    let Distant { program, proxy, person } = start_distant().await;
    for fault in [Fault::Reset, Fault::Refuse] {
        proxy.set(fault);
        assert_refuses_in_time(&program, &person).await;
        assert_degraded(&program).await;
        proxy.set(Fault::Pass);
        assert_recovers(&program, &program.client.log_in_when_ready("kim@example.com").await).await;
    }
}

#[tokio::test]
async fn a_slow_database_is_waited_for() {
    let Distant { program, proxy, person } = start_distant().await;
    proxy.set(Fault::Latency(Duration::from_millis(200)));
    for (name, answer, took) in call_all(&program.client, &person).await {
        println!("with 200 ms a round trip, {name}: {} after {took:?}", answer.status);
        let expected = match name {
            "register" => 201,
            "unknown" => 401,
            _ => 200,
        };
        assert_eq!(answer.status, expected, "{name}: {answer:?}");
    }
    assert!(program.client.is_ready().await);
}

#[tokio::test]
async fn a_start_without_its_database_serves_and_becomes_ready_when_it_comes() {
    let proxy = FaultProxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, postgres().port()))).unwrap();
    let place = through(&proxy);
    proxy.set(Fault::Refuse);
    let program = place.spawn(&[]);
    program.until_logged("could not connect to server").await;
    program.until_logged("the Auth API listens").await;
    assert_degraded(&program).await;
    program.client.login("kim@example.com").await.assert_unavailable();
    proxy.set(Fault::Pass);
    let (ready, took) = timed(comes_within(DEADLINE, async || program.client.is_ready().await)).await;
    assert!(ready && took <= RECOVERS_WITHIN + SLACK, "took {took:?}");
    program.client.person("kim@example.com").await;
}

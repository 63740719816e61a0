//! Redis away, hanging or emptied: logins go on, and nothing revoked comes back.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde_json::json;
use test_peers::{Fault, FaultProxy, Redis};

use crate::{
    client::Person,
    program::Program,
    support::{Engine, Workplace, timed},
};

/// What a login may take longer, once, when Redis has begun to hang.
const ADDED_ONCE: Duration = Duration::from_secs(1);
/// What a login and its hash take on a busy machine without any outage.
const ORDINARY: Duration = Duration::from_secs(2);

/// The program on PostgreSQL, connected to this Redis.
async fn start_with(redis: &str) -> Program {
    let program = Workplace::on(Engine::Postgres).set("REDIS_URL", redis).start().await;
    program.until_logged("Connected to Redis").await;
    program
}

/// Two sessions of one person: one that lives, one that was ended.
async fn live_and_ended(program: &Program) -> (Person, Person) {
    let ended = program.client.person("kim@example.com").await;
    let live = program.client.log_in("kim@example.com").await;
    assert_eq!(program.client.logout(&ended.access).await.status, 204);
    (live, ended)
}

/// Everything that people do goes on, and quickly.
async fn assert_goes_on(program: &Program, live: Person, ended: &Person) -> Person {
    let (login, took) = timed(program.client.login("kim@example.com")).await;
    assert_eq!(login.status, 200, "{login:?}");
    assert!(took < ORDINARY + ADDED_ONCE, "the login took {took:?}");
    let (refreshed, took) = timed(program.client.refresh(&live.refresh)).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    assert!(took < ORDINARY, "the refresh took {took:?}");
    assert_eq!(program.client.me(&live.access).await.status, 200);
    assert_eq!(program.client.me(&ended.access).await.status, 401, "an ended session came back");
    assert_eq!(program.client.refresh(&ended.refresh).await.status, 401, "an ended session came back");
    assert!(program.client.is_ready().await);
    Person { access: refreshed.text("access_token"), refresh: refreshed.text("refresh_token") }
}

async fn until_redis_is(program: &Program, state: &str) {
    let is_so = async || program.client.health().await.body["checks"]["redis"] == json!(state);
    program.until(state, is_so).await;
}

async fn until_healthy(program: &Program) {
    program.until("healthy", async || program.client.health().await.body["status"] == json!("healthy")).await;
}

#[tokio::test]
async fn a_stopped_redis_stops_nobody() {
    let redis = Redis::start().unwrap();
    let program = start_with(redis.url()).await;
    let (live, ended) = live_and_ended(&program).await;
    redis.stop().unwrap();
    let live = assert_goes_on(&program, live, &ended).await;
    until_redis_is(&program, "down").await;
    program.until_logged("Error connecting to Redis").await;
    let live = assert_goes_on(&program, live, &ended).await;
    redis.start_again().unwrap();
    until_healthy(&program).await;
    assert_goes_on(&program, live, &ended).await;
}

#[tokio::test]
async fn a_hanging_redis_slows_one_call_and_no_second() {
    let redis = Redis::shared().unwrap();
    let proxy = FaultProxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, redis.port()))).unwrap();
    let program = start_with(&format!("redis://{}/0", proxy.address())).await;
    let (live, ended) = live_and_ended(&program).await;
    proxy.set(Fault::Blackhole);
    let live = assert_goes_on(&program, live, &ended).await;
    program.until_logged("Error connecting to Redis").await;
    let (ended_now, took) = timed(program.client.logout(&live.access)).await;
    assert!(ended_now.status == 204 && took < ADDED_ONCE, "{took:?} {ended_now:?}");
    assert_eq!(program.client.me(&live.access).await.status, 401, "a logout waits for no Redis");
    proxy.set(Fault::Pass);
    until_healthy(&program).await;
    assert_eq!(program.client.me(&live.access).await.status, 401);
}

#[tokio::test]
async fn an_emptied_redis_logs_nobody_out_and_revives_nothing() {
    let redis = Redis::start().unwrap();
    let program = start_with(redis.url()).await;
    let (live, ended) = live_and_ended(&program).await;
    redis.flush_all().unwrap();
    assert_goes_on(&program, live, &ended).await;
    assert_eq!(program.client.health().await.text("status"), "healthy");
}

#[tokio::test]
async fn a_start_without_redis_serves() {
    let nobody = format!("redis://127.0.0.1:{}/0", test_peers::free_port().unwrap());
    let program = Workplace::on(Engine::Postgres).set("REDIS_URL", &nobody).start().await;
    program.until_logged("Error connecting to Redis").await;
    program.client.person("kim@example.com").await;
    let health = program.client.health().await;
    assert_eq!(health.body["checks"], json!({"database": "up", "redis": "down"}), "{health:?}");
}

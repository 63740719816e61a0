//! GET /internal/v1/revocations

use std::time::{Duration, Instant};

use reqwest::{Client, Response};
use serde_json::{Value, json};
use test_peers::Fault;
use tokio::time::timeout;

use crate::{
    staleness::behind_a_proxy,
    support::{Deployment, Engine, FEED_TOKEN, Instance, Person},
    waiting::A_SECOND,
};

const PATH: &str = "/internal/v1/revocations";
/// Heartbeats come every two seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open feed (server-sent events).
struct Feed {
    response: Response,
    read: String,
}

impl Feed {
    async fn open(api: &Instance) -> Self {
        let request = Client::new().get(format!("http://{}{PATH}", api.address)).bearer_auth(FEED_TOKEN);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, read: String::new() }
    }

    /// The next event, and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let member = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let found = (member("event:"), member("data:"));
                let found = found.0.zip(found.1).map(|(name, data)| (name.to_owned(), data.to_owned()));
                self.read = rest.to_owned();
                if let Some((name, data)) = found {
                    return (name, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("an event in time").unwrap();
            self.read += str::from_utf8(&chunk.expect("the feed goes on")).unwrap();
        }
    }

    /// The data of the next event of this name.
    async fn next_of(&mut self, name: &str) -> Value {
        loop {
            let (found, data) = self.next().await;
            if found == name {
                return data;
            }
        }
    }
}

async fn log_out(api: &Instance, person: &Person) {
    assert_eq!(api.bearing(&person.access).post("/api/v1/auth/logout", json!({})).await.status, 204);
}

fn subjects(snapshot: &Value) -> Vec<&str> {
    snapshot["revocations"].as_array().unwrap().iter().map(|row| row["subject"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn without_a_token_in_the_configuration_there_is_no_feed() {
    let api = Deployment::new(Engine::Sqlite).set("GATEWAY_FEED_TOKEN", "").start().await;
    assert_eq!(api.get(PATH).await.status, 404);
    assert_eq!(api.bearing("").get(PATH).await.status, 404);
}

#[tokio::test]
async fn a_gateway_with_another_token_is_refused() {
    let api = Deployment::new(Engine::Sqlite).start().await;
    let person = api.person("kim@example.com").await;
    let longer = format!("{FEED_TOKEN}x");
    for token in ["", "wrong", &FEED_TOKEN[1..], longer.as_str(), person.access.as_str()] {
        let answer = api.bearing(token).get(PATH).await;
        assert_eq!((answer.status, answer.code()), (401, "invalid_token"), "{token}");
    }
    assert_eq!(api.get(PATH).await.status, 401);
}

#[tokio::test]
async fn every_connection_begins_with_a_snapshot() {
    let api = Deployment::new(Engine::Sqlite).start().await;
    let (name, first) = Feed::open(&api).await.next().await;
    assert_eq!((name.as_str(), subjects(&first).len()), ("snapshot", 0));
    let person = api.person("kim@example.com").await;
    log_out(&api, &person).await;
    let (name, second) = Feed::open(&api).await.next().await;
    assert_eq!((name.as_str(), subjects(&second)), ("snapshot", vec![person.session.as_str()]));
    assert!(second["as_of"].as_u64().unwrap() < 5_000, "{second}");
    let row = &second["revocations"][0];
    assert_eq!(row["kind"], "session");
    assert!(row["expires_at"].as_i64().unwrap() > row["revoked_at"].as_i64().unwrap());
}

#[tokio::test]
async fn a_logout_on_another_instance_is_fed_in_time() {
    let deployment = Deployment::new(Engine::Postgres).set("REDIS_URL", "");
    let (a, b) = (deployment.start().await, deployment.start().await);
    let mut feed = Feed::open(&b).await;
    assert_eq!(feed.next().await.0, "snapshot");
    for email in ["kim@example.com", "lee@example.com"] {
        let person = a.person(email).await;
        log_out(&a, &person).await;
        let began = Instant::now();
        let revocation = feed.next_of("revocation").await;
        assert!(began.elapsed() < A_SECOND, "{:?}", began.elapsed());
        assert_eq!((&revocation["kind"], &revocation["subject"]), (&json!("session"), &json!(person.session)));
    }
}

#[tokio::test]
async fn heartbeats_of_a_blind_instance_grow_old() {
    let (deployment, proxy) = behind_a_proxy();
    let api = deployment.start().await;
    let mut feed = Feed::open(&api).await;
    let age = async |feed: &mut Feed| feed.next_of("heartbeat").await["as_of"].as_u64().unwrap();
    assert!(age(&mut feed).await < 2_000);
    proxy.set(Fault::Blackhole);
    while age(&mut feed).await < 4_000 {}
    let (name, snapshot) = Feed::open(&api).await.next().await;
    assert_eq!(name, "snapshot");
    assert!(snapshot["as_of"].as_u64().unwrap() >= 4_000, "a new connection is told how old it is: {snapshot}");
    proxy.set(Fault::Pass);
    while age(&mut feed).await >= 2_000 {}
}

#[tokio::test]
async fn the_feed_answers_whatever_host_a_gateway_asks_for() {
    let api = Deployment::new(Engine::Sqlite).set("ALLOWED_HOSTS", "auth.example.com").start().await;
    let gateway = api.with_header("host", "auth_api:8000");
    assert_eq!(gateway.get("/api/v1/users/me").await.status, 400);
    assert_eq!(gateway.bearing("wrong").get(PATH).await.status, 401, "the token decides, not the host");
}

//! GET /api/v1/system/instances, and POST /internal/v1/gateways/report.

use std::time::Duration;

use reqwest::Client;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Deployment, Engine, FEED_TOKEN, Instance},
    team::{ADMIN, Team},
    waiting::until,
};

const LIST: &str = "/api/v1/system/instances";
const REPORT: &str = "/internal/v1/gateways/report";
const GATEWAY: &str = "018f0000-0000-4000-8000-000000000001";
/// An instance reports at its start, and then every ten seconds.
const IN_TIME: Duration = Duration::from_secs(15);

fn report() -> Value {
    json!({
        "id": GATEWAY, "version": "1.0.0", "started_at": "2025-12-31T23:00:00Z", "address": "0.0.0.0:8080",
        "freshness": {"state": "current", "age_ms": 12},
        "routes": [{
            "name": "orders", "host": "api.example.com", "path": "/orders/", "exact": false, "methods": ["GET"],
            "upstream": "orders", "auth": "required", "permissions": ["orders:read"], "any_permission": [],
            "stale": "allow",
        }],
        "upstreams": [{
            "name": "orders",
            "servers": [{"address": "10.0.0.5:9000", "healthy": true, "ejected": false, "in_progress": 3}],
        }],
        "certificates": [{"name": "api.example.com", "valid_until": "2026-03-01T00:00:00Z"}],
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut report = report();
    report[name] = value;
    report
}

fn gateway(api: &Instance) -> Instance {
    api.bearing(FEED_TOKEN)
}

/// Those of a role.
fn of(listed: &Answer, role: &str) -> Vec<Value> {
    assert_eq!(listed.status, 200, "{listed:?}");
    let items = listed.body["items"].as_array().unwrap();
    assert_eq!(listed.body["total"], items.len());
    items.iter().filter(|item| item["role"] == role).cloned().collect()
}

#[rstest]
#[tokio::test]
async fn a_gateway_is_listed_as_it_says(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    assert_eq!(gateway(&team.api).post(REPORT, report()).await.status, 204);
    let listed = of(&team.admin.get(LIST).await, "gateway");
    let mut state = report();
    for told_beside in ["id", "version", "started_at", "address"] {
        state.as_object_mut().unwrap().remove(told_beside);
    }
    state["ip_address"] = json!("127.0.0.1");
    state["routes_refused"] = Value::Null;
    let expected = json!({
        "id": GATEWAY, "role": "gateway", "address": "127.0.0.1:8080", "version": "1.0.0",
        "started_at": "2025-12-31T23:00:00Z", "seen_at": "2026-01-01T00:00:00Z", "left_at": null, "late": false,
        "api": null, "gateway": state,
    });
    assert_eq!(listed, [expected]);
}

#[rstest]
#[tokio::test]
async fn a_report_takes_the_place_of_the_one_before(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let gateway = gateway(&team.api);
    assert_eq!(gateway.post(REPORT, report()).await.status, 204);
    team.deployment.clock.advance(Duration::from_secs(30));
    assert_eq!(of(&team.admin.get(LIST).await, "gateway")[0]["late"], false);
    team.deployment.clock.advance(Duration::from_secs(1));
    assert_eq!(of(&team.admin.get(LIST).await, "gateway")[0]["late"], true);
    let stale = with("freshness", json!({"state": "stale", "age_ms": 60_000}));
    assert_eq!(gateway.post(REPORT, stale).await.status, 204);
    let other = with("id", json!("018f0000-0000-4000-8000-000000000002"));
    assert_eq!(gateway.post(REPORT, other).await.status, 204);
    let listed = of(&team.admin.get(LIST).await, "gateway");
    let told: Vec<_> = listed.iter().map(|one| (&one["late"], &one["gateway"]["freshness"]["state"])).collect();
    assert_eq!(told, [(&json!(false), &json!("stale")), (&json!(false), &json!("current"))]);
    assert_eq!(gateway.post(REPORT, with("leaving", json!(true))).await.status, 204);
    team.deployment.clock.advance(Duration::from_secs(60));
    let listed = of(&team.admin.get(LIST).await, "gateway");
    assert_eq!((&listed[0]["left_at"], &listed[0]["late"]), (&json!("2026-01-01T00:00:31Z"), &json!(false)));
    assert_eq!(listed[1]["late"], true);
}

#[rstest]
#[tokio::test]
async fn every_instance_lists_itself_with_the_gateways_that_it_feeds(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::of(Deployment::new(engine).set("RATE_LIMIT_API_PER_USER", "off")).await;
    let status = team.admin.get("/api/v1/system/status").await;
    let id = status.text("instance_id");
    let request = Client::new().get(format!("http://{}/internal/v1/revocations", team.api.address));
    let feed = request.bearer_auth(FEED_TOKEN).header("x-gateway-id", GATEWAY).send().await.unwrap();
    let find = async || of(&team.admin.get(LIST).await, "api").into_iter().find(|one| one["id"] == id);
    until("the feed is listed", IN_TIME, async || {
        find().await.is_some_and(|one| one["api"]["feeds"][0]["last_event_at"].is_string())
    })
    .await;
    let one = find().await.unwrap();
    let connection = &one["api"]["feeds"][0];
    assert_eq!((&connection["gateway_id"], &connection["ip_address"]), (&json!(GATEWAY), &json!("127.0.0.1")));
    assert_eq!(connection["since"], "2026-01-01T00:00:00Z");
    assert_eq!(one["api"]["status"]["signing_key"]["kid"], status.body["signing_key"]["kid"]);
    assert_eq!((&one["version"], &one["late"]), (&json!(env!("CARGO_PKG_VERSION")), &json!(false)));
    drop(feed);
    until("it is listed no more", IN_TIME, async || {
        find().await.is_some_and(|one| one["api"]["feeds"].as_array().unwrap().is_empty())
    })
    .await;
}

#[rstest]
#[tokio::test]
async fn an_instance_that_leaves_says_so(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let other = team.deployment.start().await;
    let all = async || of(&team.admin.get(LIST).await, "api");
    until("both are listed", IN_TIME, async || all().await.len() == 2).await;
    other.stop();
    until("one has left", IN_TIME, async || all().await.iter().filter(|one| one["left_at"].is_string()).count() == 1)
        .await;
}

#[rstest]
#[tokio::test]
async fn whoever_is_not_heard_of_for_a_day_is_forgotten(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    assert_eq!(gateway(&team.api).post(REPORT, report()).await.status, 204);
    team.deployment.clock.advance(Duration::from_secs(86_401));
    // It sweeps at its start.
    let api = team.deployment.start().await;
    let admin = api.bearing_as(ADMIN).await;
    until("the gateway is forgotten", IN_TIME, async || of(&admin.get(LIST).await, "gateway").is_empty()).await;
}

#[rstest]
#[tokio::test]
async fn of_many_that_came_and_went_the_last_are_kept(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let gateway = gateway(&team.api);
    assert_eq!(gateway.post(REPORT, report()).await.status, 204);
    let (series, id) = match engine {
        Engine::Postgres => ("SELECT generate_series(1, 499) AS n", "gen_random_uuid()"),
        Engine::Sqlite => ("SELECT 1 AS n UNION ALL SELECT n + 1 FROM series WHERE n < 499", "randomblob(16)"),
    };
    team.deployment
        .change(&format!(
            "WITH RECURSIVE series AS ({series})
             INSERT INTO instances (id, role, address, version, started_at, seen_at, state)
             SELECT {id}, role, address, version, started_at, seen_at, state
             FROM series CROSS JOIN instances WHERE role = 'gateway'"
        ))
        .await;
    let other = with("id", json!("018f0000-0000-4000-8000-000000000002"));
    let refused = gateway.post(REPORT, other.clone()).await;
    assert_eq!((refused.status, refused.code()), (409, "too_many"));
    assert_eq!(gateway.post(REPORT, report()).await.status, 204, "whoever is known stays so");
    team.deployment.clock.advance(Duration::from_secs(60));
    let _sweeps_at_its_start = team.deployment.start().await;
    until("there is room", IN_TIME, async || gateway.post(REPORT, other.clone()).await.status == 204).await;
}

#[rstest]
#[tokio::test]
async fn a_gateway_cannot_pose_as_an_instance(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    until("the instance is listed", IN_TIME, async || !of(&team.admin.get(LIST).await, "api").is_empty()).await;
    let id = of(&team.admin.get(LIST).await, "api")[0]["id"].clone();
    let refused = gateway(&team.api).post(REPORT, with("id", id)).await;
    assert_eq!((refused.status, refused.faults()), (422, vec![("id", "taken")]));
    assert!(of(&team.admin.get(LIST).await, "gateway").is_empty());
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let team = Team::new(Engine::Sqlite).await;
    let gateway = gateway(&team.api);
    let mut many = Vec::new();
    many.resize(1_001, json!({"name": "a", "servers": []}));
    for (name, value, code) in [
        ("id", json!("1"), "invalid"),
        ("version", json!(""), "invalid"),
        ("version", json!("1".repeat(51)), "invalid"),
        ("address", json!("a\u{7}b"), "invalid"),
        ("started_at", json!("yesterday"), "invalid_time"),
        ("freshness", json!({"state": "fine"}), "invalid"),
        ("routes", json!([{"name": "orders"}]), "invalid"),
        ("upstreams", json!(many), "too_many"),
        ("upstreams", json!([{"name": "a", "servers": [{"address": "b", "healthy": "yes"}]}]), "invalid"),
        ("leaving", json!("no"), "not_a_boolean"),
        ("colour", json!("red"), "unknown"),
    ] {
        let answer = gateway.post(REPORT, with(name, value)).await;
        assert_eq!((answer.status, answer.faults()), (422, vec![(name, code)]));
    }
    assert_eq!(gateway.post(REPORT, json!([])).await.status, 422);
    let large = with("routes_refused", json!("x".repeat(256 * 1024)));
    assert_eq!(gateway.post(REPORT, large).await.status, 413);
    assert!(of(&team.admin.get(LIST).await, "gateway").is_empty());
}

#[tokio::test]
async fn a_report_needs_the_token_of_gateways() {
    let team = Team::new(Engine::Sqlite).await;
    for caller in [&team.api, &team.admin, &team.api.bearing("wrong")] {
        assert_eq!(caller.post(REPORT, report()).await.status, 401);
    }
    let closed = Deployment::new(Engine::Sqlite).set("GATEWAY_FEED_TOKEN", "").start().await;
    assert_eq!(closed.bearing("").post(REPORT, report()).await.status, 404);
}

//! GET /api/v1/users/me/login-history and GET /api/v1/users/me/export

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    audit_log::person_with_role,
    support::{Deployment, Engine, PASSWORD},
};

const HISTORY: &str = "/api/v1/users/me/login-history";
const EXPORT: &str = "/api/v1/users/me/export";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[rstest]
#[tokio::test]
async fn a_person_sees_every_attempt_to_log_in_as_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await.with_header("user-agent", FIREFOX);
    let kim = api.person("kim@example.com").await;
    api.person("lee@example.com").await;
    deployment.clock.advance(Duration::from_secs(1));
    assert_eq!(api.login("kim@example.com", "wrong").await.status, 401);
    let own = api.bearing(&kim.access);
    let answer = own.get(HISTORY).await;
    assert_eq!((answer.status, &answer.body["total"], &answer.body["next_cursor"]), (200, &json!(2), &Value::Null));
    let items = answer.body["items"].as_array().unwrap();
    let expected = json!({
        "id": items[1]["id"], "at": "2026-01-01T00:00:00Z", "outcome": "logged_in", "method": "password",
        "ip_address": "127.0.0.1", "user_agent": FIREFOX, "browser": "Firefox", "os": "Linux",
        "session_id": kim.session, "reason": null,
    });
    assert_eq!(items[1], expected);
    assert_eq!((&items[0]["outcome"], &items[0]["session_id"]), (&json!("refused"), &Value::Null));

    let first = own.get(&format!("{HISTORY}?limit=1")).await;
    assert_eq!((&first.body["items"], &first.body["total"]), (&json!([items[0]]), &Value::Null));
    let second = own.get(&format!("{HISTORY}?limit=1&cursor={}", first.text("next_cursor"))).await;
    assert_eq!((&second.body["items"], &second.body["next_cursor"]), (&json!([items[1]]), &Value::Null));
    let wrong = own.get(&format!("{HISTORY}?limit=x&cursor=x&sort=at")).await;
    let faults = vec![("limit", "out_of_range"), ("cursor", "invalid_cursor"), ("sort", "unknown")];
    assert_eq!((wrong.status, wrong.faults()), (422, faults));
    assert_eq!(api.get(HISTORY).await.status, 401);
}

#[rstest]
#[tokio::test]
async fn an_export_holds_everything_and_no_secret(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await.with_header("user-agent", FIREFOX);
    let admin = person_with_role(&deployment, &api, "kim@example.com", "admin").await;
    let own = api.bearing(&admin.access);
    let key = own.post("/api/v1/api-keys", json!({"name": "deploy", "scopes": ["users:read"]})).await.text("key");
    assert_eq!(own.call(reqwest::Method::PATCH, "/api/v1/users/me", json!({"display_name": "김"})).await.status, 200);
    let mail = "INSERT INTO mail_outbox (id, user_id, kind, recipient, locale, details, created_at, next_attempt_at, attempts)
        SELECT id, id, 'verify_email', email, locale, '{\"token\":\"the-secret-link\"}', created_at, created_at, 0 FROM users";
    assert_eq!(deployment.change(mail).await, 1);
    // What somebody else did to the account, from an address of theirs.
    let (lee, theirs) = (api.person("lee@example.com").await, "198.51.100.9");
    let by_lee = format!(
        "UPDATE audit_logs SET actor_id = (SELECT id FROM users WHERE email = 'lee@example.com'), ip_address = '{theirs}'
         WHERE event = 'user_updated'"
    );
    assert_eq!(deployment.change(&by_lee).await, 1);

    deployment.clock.advance(Duration::from_secs(1));
    let answer = own.get(EXPORT).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let members = [
        "api_keys",
        "audit_about_person",
        "audit_by_person",
        "devices",
        "exported_at",
        "identities",
        "login_history",
        "mails",
        "profile",
        "roles",
        "sessions",
    ];
    assert_eq!(answer.members(), members);
    assert_eq!(answer.body["profile"]["email"], "kim@example.com");
    assert_eq!(answer.body["profile"]["display_name"], "김");
    assert_eq!(answer.body["sessions"][0]["auth_methods"], json!(["pwd"]));
    assert_eq!(answer.body["api_keys"][0]["scopes"], json!(["users:read"]));
    let count = |name: &str| answer.body[name].as_array().unwrap().len();
    let counts =
        ["roles", "sessions", "devices", "api_keys", "mails", "login_history", "audit_by_person", "audit_about_person"]
            .map(count);
    assert_eq!(counts, [2, 1, 1, 1, 2, 1, 4, 1], "{answer:?}");
    assert_eq!(answer.body["audit_by_person"][0]["event"], "user_exported");
    assert_eq!(answer.body["audit_about_person"][0]["event"], "user_updated");

    let text = answer.body.to_string();
    let hashes: Vec<String> = deployment.column("SELECT password_hash FROM users").await;
    let secret = key.rsplit_once('_').unwrap().1;
    for hidden in [PASSWORD, secret, &admin.refresh, &admin.access, "the-secret-link", theirs, &lee.session, "argon2"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    assert!(hashes.iter().all(|hash| !text.contains(hash.as_str())));
    assert!(!text.contains("hash"), "{text}");
}

#[rstest]
#[tokio::test]
async fn a_long_history_is_exported_as_a_whole(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    deployment.write_entries(1_700).await;
    assert_eq!(deployment.change("UPDATE audit_logs SET actor_id = (SELECT id FROM users)").await, 1_702);
    let answer = api.bearing(&kim.access).get(EXPORT).await;
    assert_eq!(answer.body["audit_by_person"].as_array().map(Vec::len), Some(1_703), "{answer:?}");
}

#[tokio::test]
async fn an_export_needs_a_fresh_session_of_a_person() {
    let deployment = Deployment::new(Engine::Sqlite);
    let api = deployment.start().await;
    let admin = person_with_role(&deployment, &api, "kim@example.com", "admin").await;
    let own = api.bearing(&admin.access);
    let key = own.post("/api/v1/api-keys", json!({"name": "deploy", "scopes": ["users:read"]})).await.text("key");
    for path in [EXPORT, HISTORY] {
        let by_key = api.bearing(&key).get(path).await;
        assert_eq!((by_key.status, by_key.code()), (403, "session_required"));
        assert_eq!(api.get(path).await.status, 401);
    }
    deployment.clock.advance(Duration::from_secs(301));
    let stale = own.get(EXPORT).await;
    assert_eq!((stale.status, stale.code()), (403, "reauthentication_required"));
    assert_eq!(deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'user_exported'").await, 0);
}

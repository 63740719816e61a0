//! /api/v1/api-keys, and what a key may do.

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Engine, FEED_TOKEN, Instance},
    team::{ADMIN, Team, USER},
    waiting::{A_SECOND, until},
};

const KEYS: &str = "/api/v1/api-keys";
const RESOLVE: &str = "/internal/v1/api-keys/resolve";

async fn make(owner: &Instance, body: Value) -> Answer {
    let made = owner.post(KEYS, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    made
}

/// A client that sends a key.
fn by_key(api: &Instance, made: &Answer) -> Instance {
    api.with_header("x-api-key", &made.text("key"))
}

/// Whether a key is admitted to a list that needs `users:read`.
async fn status(key: &Instance) -> u16 {
    key.get("/api/v1/users").await.status
}

#[rstest]
#[tokio::test]
async fn a_key_is_shown_once_and_listed_without_its_secret(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let made = make(&team.admin, json!({"name": " nightly ", "scopes": ["users:read"], "rate_limit": "100/1m"})).await;
    let members = ["created_at", "expires_at", "id", "key", "last_used_at", "name", "rate_limit", "scopes"];
    assert_eq!(made.members(), members);
    assert_eq!(made.header("location"), format!("{KEYS}/{}", made.text("id")));
    assert!(made.text("key").starts_with(&format!("ask_{}_", made.text("id").replace('-', ""))));
    assert_eq!(made.text("name"), "nightly");
    assert_eq!(made.text("expires_at"), "2026-04-01T00:00:00Z", "90 days");
    let listed = team.admin.get(KEYS).await;
    let mut shown = made.body.clone();
    shown.as_object_mut().unwrap().remove("key");
    assert_eq!(listed.body["items"], json!([shown]));
    assert_eq!(team.api.bearing_as(USER).await.get(KEYS).await.body["total"], 0, "others see their own");
}

#[rstest]
#[tokio::test]
async fn a_key_does_what_its_scopes_say_by_either_header(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let made = make(&team.admin, json!({"name": "reader", "scopes": ["users:read"]})).await;
    for key in [by_key(&team.api, &made), team.api.bearing(&made.text("key"))] {
        assert_eq!(status(&key).await, 200);
        assert_eq!(key.get("/api/v1/users/me").await.text("email"), ADMIN);
        let refused = key.get("/api/v1/roles").await;
        assert_eq!((refused.status, refused.code()), (403, "forbidden"), "the owner may, the key may not");
        let refused = key.post(KEYS, json!({"name": "x", "scopes": []})).await;
        assert_eq!((refused.status, refused.code()), (403, "session_required"));
    }
    let by = "SELECT COUNT(*) FROM audit_logs WHERE event = 'users_listed' AND details LIKE '%api_key_id%'";
    assert_eq!(team.deployment.number(by).await, 2);
    assert_eq!(team.admin.get(KEYS).await.body["items"][0]["last_used_at"], "2026-01-01T00:00:00Z");
}

#[rstest]
#[tokio::test]
async fn a_key_is_never_worth_more_than_its_owner(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let user = team.api.bearing(&team.user.access);
    let refused = user.post(KEYS, json!({"name": "x", "scopes": ["users:read"]})).await;
    assert_eq!((refused.status, refused.code()), (403, "beyond_own_rights"));
    let roles = format!("{}/roles", team.user_path());
    assert_eq!(team.admin.put(&roles, json!({"roles": ["manager"]})).await.status, 200);
    let made = make(&team.api.bearing_as(USER).await, json!({"name": "x", "scopes": ["users:read"]})).await;
    let key = by_key(&team.api, &made);
    assert_eq!(status(&key).await, 200);
    assert_eq!(team.admin.put(&roles, json!({"roles": ["user"]})).await.status, 200);
    assert_eq!(status(&key).await, 403, "as the owner lost it");
    assert_eq!(team.admin.post(&format!("{}/disable", team.user_path()), json!({})).await.status, 200);
    assert_eq!(status(&key).await, 401, "as the owner is closed");
}

#[rstest]
#[tokio::test]
async fn a_revoked_key_is_refused_on_every_instance_within_a_second(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let other = team.deployment.start().await;
    let made = make(&team.admin, json!({"name": "x", "scopes": ["users:read"]})).await;
    let (here, there) = (by_key(&team.api, &made), by_key(&other, &made));
    assert_eq!((status(&here).await, status(&there).await), (200, 200));
    let path = made.header("location");
    assert_eq!(team.api.bearing_as(USER).await.delete(path).await.status, 404, "it is not theirs");
    assert_eq!(team.admin.delete(path).await.status, 204);
    assert_eq!(status(&here).await, 401);
    until("the other instance refuses it", A_SECOND, async || status(&there).await == 401).await;
    assert_eq!(team.admin.delete(path).await.status, 404);
    assert_eq!(status(&by_key(&team.deployment.start().await, &made)).await, 401, "also after a restart");
}

#[rstest]
#[tokio::test]
async fn a_replaced_key_stays_good_for_the_overlap(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let first =
        make(&team.admin, json!({"name": "x", "scopes": ["users:read"], "expires_at": "2026-06-01T00:00:00Z"})).await;
    let rotate = |made: &Answer| format!("{}/rotate", made.header("location"));
    let second = team.admin.post(&rotate(&first), json!({"overlap": "10m"})).await;
    assert_eq!(second.status, 201, "{second:?}");
    assert_ne!((second.text("id"), second.text("key")), (first.text("id"), first.text("key")));
    assert_eq!((second.text("name"), &second.body["scopes"]), ("x".to_owned(), &json!(["users:read"])));
    assert_eq!(second.text("expires_at"), "2026-06-01T00:00:00Z", "it lives as long as the first");
    let (old, new) = (by_key(&team.api, &first), by_key(&team.api, &second));
    assert_eq!((status(&old).await, status(&new).await), (200, 200));
    team.deployment.clock.advance(Duration::from_secs(601));
    assert_eq!((status(&old).await, status(&new).await), (401, 200));
    let admin = team.api.bearing_as(ADMIN).await;
    let third = admin.post(&rotate(&second), json!({"overlap": "0s"})).await;
    assert_eq!((status(&new).await, status(&by_key(&team.api, &third)).await), (401, 200), "at once");
    for overlap in ["31d", "-1s", "soon"] {
        let refused = admin.post(&rotate(&third), json!({"overlap": overlap})).await;
        assert_eq!(refused.faults(), [("overlap", "out_of_range")], "{overlap}");
    }
}

#[rstest]
#[tokio::test]
async fn a_key_outlives_no_deletion_and_is_made_in_a_fresh_session_only(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let user = team.api.bearing(&team.user.access);
    let made = make(&user, json!({"name": "x", "scopes": []})).await;
    let key = by_key(&team.api, &made);
    assert_eq!(key.get("/api/v1/users/me").await.status, 200);
    assert_eq!(team.admin.delete(&team.user_path()).await.status, 204);
    assert_eq!(team.admin.post(&format!("{}/restore", team.user_path()), json!({})).await.status, 200);
    assert_eq!(key.get("/api/v1/users/me").await.status, 401);
    team.deployment.clock.advance(Duration::from_secs(301));
    for (path, body) in [
        (KEYS.to_owned(), json!({"name": "x", "scopes": []})),
        (format!("{KEYS}/{}/rotate", made.text("id")), json!({})),
    ] {
        let refused = team.admin.post(&path, body).await;
        assert_eq!((refused.status, refused.code()), (403, "reauthentication_required"), "{path}");
    }
}

#[rstest]
#[tokio::test]
async fn an_expired_key_is_refused(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let body = json!({"name": "x", "scopes": ["users:read"], "expires_at": "2026-01-01T00:10:00Z"});
    let key = by_key(&team.api, &make(&team.admin, body).await);
    assert_eq!(status(&key).await, 200);
    team.deployment.clock.advance(Duration::from_secs(600));
    assert_eq!(status(&key).await, 401);
}

#[rstest]
#[tokio::test]
async fn what_is_no_key_of_ours_is_refused_alike(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let made = make(&team.admin, json!({"name": "x", "scopes": ["users:read"]})).await;
    let other = make(&team.admin, json!({"name": "y", "scopes": ["users:read"]})).await;
    let (key, other) = (made.text("key"), other.text("key"));
    let swapped = format!("{}{}", &key[..37], &other[37..]);
    for wrong in
        ["ask_", "ask_x_y", &swapped, &key[..key.len() - 1], &format!("{key}A"), &key.to_uppercase(), &team.user.access]
    {
        let refused = team.api.with_header("x-api-key", wrong).get("/api/v1/users").await;
        assert_eq!((refused.status, refused.code()), (401, "invalid_token"), "{wrong}");
    }
    let two = team.admin.with_header("x-api-key", &key).get("/api/v1/users").await;
    assert_eq!(two.status, 401, "two credentials could mean two people");
    assert_eq!(team.api.get(&format!("/api/v1/users?api_key={key}")).await.status, 401, "never in an address");
}

#[rstest]
#[tokio::test]
async fn gateways_resolve_keys_by_the_hash_of_their_secret(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let made =
        make(&team.admin, json!({"name": "x", "scopes": ["users:read", "roles:read"], "rate_limit": "5/1s"})).await;
    let (id, key) = (made.text("id"), made.text("key"));
    let secret = key.rsplit_once(&format!("ask_{}_", id.replace('-', ""))).unwrap().1.to_owned();
    let hash = auth_service::ids::OpaqueToken::parse(&secret).unwrap().hash().to_hex();
    let gateway = team.api.bearing(FEED_TOKEN);
    let resolved = gateway.post(RESOLVE, json!({"id": id, "secret_sha256": hash})).await;
    assert_eq!(resolved.status, 200, "{resolved:?}");
    assert_eq!(resolved.members(), ["expires_at", "permissions", "rate_limit", "roles", "scopes", "user_id"]);
    assert_eq!(resolved.text("user_id"), team.admin.own_id().await);
    assert_eq!((&resolved.body["roles"], resolved.text("rate_limit")), (&json!(["admin", "user"]), "5/1s".to_owned()));
    let wrong = "0".repeat(64);
    for (id, hash, expected) in [(&id, &wrong, 404), (&team.user_id, &hash, 404), (&id, &secret, 422)] {
        let answer = gateway.post(RESOLVE, json!({"id": id, "secret_sha256": hash})).await;
        assert_eq!(answer.status, expected, "{answer:?}");
    }
    for stranger in [&team.api, &team.admin, &team.api.bearing("other")] {
        assert_eq!(stranger.post(RESOLVE, json!({"id": id, "secret_sha256": hash})).await.status, 401);
    }
    assert_eq!(team.admin.delete(made.header("location")).await.status, 204);
    assert_eq!(gateway.post(RESOLVE, json!({"id": id, "secret_sha256": hash})).await.status, 404);
}

#[tokio::test]
async fn what_is_no_wish_is_refused_with_every_fault() {
    let team = Team::new(Engine::Sqlite).await;
    for (body, faults) in [
        (json!({}), vec![("name", "required"), ("scopes", "required")]),
        (json!({"name": " ", "scopes": []}), vec![("name", "empty")]),
        (json!({"name": "x".repeat(101), "scopes": []}), vec![("name", "too_long")]),
        (json!({"name": "x", "scopes": ["all"]}), vec![("scopes", "invalid_permission")]),
        (json!({"name": "x", "scopes": [1]}), vec![("scopes", "not_a_string")]),
        (
            json!({"name": "x", "scopes": [], "expires_at": "2025-01-01T00:00:00Z"}),
            vec![("expires_at", "out_of_range")],
        ),
        (
            json!({"name": "x", "scopes": [], "expires_at": "2029-01-01T00:00:00Z"}),
            vec![("expires_at", "out_of_range")],
        ),
        (json!({"name": "x", "scopes": [], "rate_limit": "many"}), vec![("rate_limit", "invalid_rate_limit")]),
        (
            json!({"name": "x", "scopes": [], "key": "ask_mine", "user_id": "me"}),
            vec![("key", "unknown"), ("user_id", "unknown")],
        ),
    ] {
        let refused = team.admin.post(KEYS, body.clone()).await;
        assert_eq!((refused.status, refused.faults()), (422, faults), "{body}");
    }
}

#[tokio::test]
async fn one_person_has_a_hundred_keys_at_most() {
    let team = Team::new(Engine::Sqlite).await;
    let calls: Vec<_> = (0..105)
        .map(|_| {
            let admin = team.admin.clone();
            tokio::spawn(async move { admin.call(Method::POST, KEYS, json!({"name": "x", "scopes": []})).await.status })
        })
        .collect();
    let mut made = 0;
    for call in calls {
        let status = call.await.unwrap();
        assert!([201, 409].contains(&status), "{status}");
        made += usize::from(status == 201);
    }
    assert_eq!(made, 100);
}

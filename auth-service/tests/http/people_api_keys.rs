//! What an operator sees and ends of other people's API keys.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Engine, Instance},
    team::{ADMIN, MANAGER, Team, USER},
    waiting::{A_SECOND, until},
};

const KEYS: &str = "/api/v1/api-keys";
const ALL: &str = "/api/v1/api-keys/all";
const NOTHING: &str = "01900000-0000-7000-8000-000000000000";

/// A key of whoever this client is.
async fn make(owner: &Instance, name: &str) -> Answer {
    let made = owner.post(KEYS, json!({"name": name, "scopes": []})).await;
    assert_eq!(made.status, 201, "{made:?}");
    made
}

fn names(page: &Answer) -> Vec<&str> {
    assert_eq!(page.status, 200, "{page:?}");
    page.body["items"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect()
}

/// A role that may see and revoke keys and do nothing else, and somebody who holds it.
async fn keeper(team: &Team) -> Instance {
    let role = json!({"name": "keeper", "permissions": ["api_keys:read", "api_keys:write"]});
    assert_eq!(team.admin.post("/api/v1/roles", role).await.status, 201);
    let keeper = team.deployment.person_as(&team.api, "keeper@example.com", "keeper").await;
    team.api.bearing(&keeper.access)
}

#[rstest]
#[tokio::test]
async fn a_key_of_somebody_is_seen_and_refused_everywhere_once_it_is_revoked(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let (keeper, other) = (keeper(&team).await, team.deployment.start().await);
    let user = team.api.bearing(&team.user.access);
    let (first, second) = (make(&user, "first").await, make(&user, "second").await);
    let path = format!("{}/api-keys", team.user_path());
    let listed = keeper.get(&path).await;
    assert_eq!(listed.body, user.get(KEYS).await.body, "what the person sees");
    assert_eq!((names(&listed).len(), &listed.body["total"]), (2, &json!(2)));
    assert_eq!(team.count_events_by("user_viewed", "keeper@example.com").await, 1);

    let by_key = |api: &Instance, made: &Answer| api.with_header("x-api-key", &made.text("key"));
    let (here, there) = (by_key(&team.api, &first), by_key(&other, &first));
    for key in [&here, &there] {
        assert_eq!(key.get("/api/v1/users/me").await.status, 200);
    }
    let revoke = format!("{path}/{}", first.text("id"));
    assert_eq!(keeper.delete(&revoke).await.status, 204);
    assert_eq!(here.get("/api/v1/users/me").await.status, 401);
    until("the other instance refuses it", A_SECOND, async || there.get("/api/v1/users/me").await.status == 401).await;
    assert_eq!(by_key(&team.api, &second).get("/api/v1/users/me").await.status, 200, "the other key lives");
    assert_eq!(names(&keeper.get(&path).await), ["second"]);
    assert_eq!(keeper.delete(&revoke).await.status, 404, "it has ended");
    let told = "SELECT details FROM audit_logs WHERE event = 'api_key_revoked'";
    assert_eq!(team.deployment.column::<String>(told).await, [format!("{{\"owner_id\":\"{}\"}}", team.user_id)]);
    assert_eq!(team.count_events_by("api_key_revoked", "keeper@example.com").await, 1);
}

#[rstest]
#[tokio::test]
async fn no_key_is_revoked_of_anybody_else_or_of_who_holds_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let keeper = keeper(&team).await;
    let own = make(&team.admin, "deploy").await;
    let (id, admin_path) = (own.text("id"), team.admin_path().await);
    for path in [
        format!("{}/api-keys/{id}", team.user_path()),
        format!("{}/api-keys/{NOTHING}", team.user_path()),
        format!("{}/api-keys/x", team.user_path()),
        format!("/api/v1/users/{NOTHING}/api-keys/{id}"),
    ] {
        let refused = team.admin.delete(&path).await;
        assert_eq!((refused.status, refused.code()), (404, "not_found"), "{path}");
    }
    assert_eq!(team.admin.get(&format!("/api/v1/users/{NOTHING}/api-keys")).await.status, 404);
    let refused = keeper.delete(&format!("{admin_path}/api-keys/{id}")).await;
    assert_eq!((refused.status, refused.code()), (403, "beyond_own_rights"));
    let user = team.api.bearing(&team.user.access);
    for caller in [&team.manager, &user] {
        for path in [&admin_path, &team.user_path()] {
            assert_eq!(caller.get(&format!("{path}/api-keys")).await.code(), "forbidden");
            assert_eq!(caller.delete(&format!("{path}/api-keys/{id}")).await.code(), "forbidden");
        }
        assert_eq!(caller.get(ALL).await.code(), "forbidden");
    }
    assert_eq!(names(&team.admin.get(KEYS).await), ["deploy"]);
    assert_eq!(team.deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'api_key_revoked'").await, 0);
}

#[rstest]
#[tokio::test]
async fn everybodys_live_keys_are_listed_newest_first_with_their_owners(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let named = team.api.bearing(&team.user.access).patch("/api/v1/users/me", json!({"display_name": "김달래"})).await;
    assert_eq!(named.status, 200);
    for (owner, name) in
        [(USER, "Nightly"), (ADMIN, "deploy 1"), (MANAGER, "night watch"), (USER, "밤 배치"), (ADMIN, "Deploy 2")]
    {
        team.deployment.clock.advance(Duration::from_secs(1));
        make(&team.api.bearing_as(owner).await, name).await;
    }
    let all = team.admin.get(ALL).await;
    assert_eq!(names(&all), ["Deploy 2", "밤 배치", "night watch", "deploy 1", "Nightly"]);
    assert_eq!((&all.body["total"], &all.body["next_cursor"]), (&json!(5), &Value::Null));
    let key = &all.body["items"][4];
    assert_eq!(key["owner"], json!({"id": team.user_id, "email": USER, "display_name": "김달래"}));
    let mut members: Vec<_> = key.as_object().unwrap().keys().collect();
    members.sort_unstable();
    let expected = ["created_at", "expires_at", "id", "last_used_at", "name", "owner", "rate_limit", "scopes"];
    assert_eq!(members, expected, "and no secret");
    assert_eq!(team.count_events_by("api_keys_listed", ADMIN).await, 1);
    for (search, expected) in [
        ("night", vec!["night watch", "Nightly"]),
        ("DEPLOY%20", vec!["Deploy 2", "deploy 1"]),
        ("%EB%B0%A4", vec!["밤 배치"]),
        ("atch", vec![]),
        ("%25", vec![]),
        ("%20", vec!["Deploy 2", "밤 배치", "night watch", "deploy 1", "Nightly"]),
    ] {
        assert_eq!(names(&team.admin.get(&format!("{ALL}?search={search}")).await), expected, "{search}");
    }
    let revoked = team.admin.get(&format!("{ALL}?search=nightly")).await.body["items"][0]["id"].clone();
    let path = format!("{}/api-keys/{}", team.user_path(), revoked.as_str().unwrap());
    assert_eq!(team.admin.delete(&path).await.status, 204);
    assert_eq!(names(&team.admin.get(&format!("{ALL}?search=night")).await), ["night watch"]);
    assert_eq!(
        team.deployment.change("UPDATE api_keys SET expires_at = created_at WHERE name = 'night watch'").await,
        1
    );
    assert_eq!(names(&team.admin.get(&format!("{ALL}?search=night")).await), [""; 0]);
    assert_eq!(names(&team.admin.get(ALL).await), ["Deploy 2", "밤 배치", "deploy 1"]);
}

#[rstest]
#[tokio::test]
async fn pages_of_everybodys_keys_follow_each_other_however_many_bear_a_name(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let (id, hash) = match engine {
        Engine::Sqlite => ("randomblob(16)", "x'00'"),
        Engine::Postgres => ("gen_random_uuid()", "'\\x00'::bytea"),
    };
    // All of one instant, so that their ids decide.
    let fill = format!(
        "WITH RECURSIVE series AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM series WHERE n < 1100)
         INSERT INTO api_keys (id, user_id, name, secret_hash, scopes, created_at, expires_at)
         SELECT {id}, users.id, CASE WHEN n % 100 = 0 THEN 'rare' ELSE 'common' END, {hash}, '[]', sessions.created_at,
                sessions.expires_at
         FROM series CROSS JOIN users JOIN sessions ON sessions.user_id = users.id WHERE users.email = '{USER}'"
    );
    assert_eq!(team.deployment.change(&fill).await, 1_100);
    for (search, expected) in [("", 1_100), ("search=rare&", 11), ("search=common&", 1_089)] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = team.admin.get(&format!("{ALL}?{search}limit=100{cursor}")).await;
            assert_eq!(page.status, 200, "{page:?}");
            let items = page.body["items"].as_array().unwrap();
            seen.extend(items.iter().map(|key| key["id"].as_str().unwrap().to_owned()));
            let Some(next) = page.body["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert!(seen.is_sorted_by(|one, next| one > next), "each once, the last first");
        assert_eq!(seen.len(), expected, "{search}");
    }
}

#[tokio::test]
async fn a_wrong_query_for_everybodys_keys_is_refused_with_every_fault() {
    let team = Team::new(Engine::Sqlite).await;
    let refused = team.admin.get(&format!("{ALL}?limit=0&cursor=x&sort=name")).await;
    let faults = vec![("limit", "out_of_range"), ("cursor", "invalid_cursor"), ("sort", "unknown")];
    assert_eq!((refused.status, refused.code(), refused.faults()), (422, "invalid_query", faults));
}

//! Roles and permissions, and how a change takes effect everywhere without logging anybody out.

use std::time::{Duration, Instant};

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::{
    support::{Engine, Instance},
    team::{ADMIN, Team, USER},
};

const ROLES: &str = "/api/v1/roles";
const PERMISSIONS: &str = "/api/v1/permissions";
const NOTHING: &str = "01900000-0000-7000-8000-000000000000";

async fn role_id(admin: &Instance, name: &str) -> String {
    let roles = admin.get(ROLES).await;
    let role = roles.body["items"].as_array().unwrap().iter().find(|role| role["name"] == name);
    role.unwrap_or_else(|| panic!("{name} in {roles:?}"))["id"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn a_role_is_made_changed_and_deleted(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    assert_eq!(
        team.admin.post(PERMISSIONS, json!({"name": "orders:read", "description": "주문 조회"})).await.status,
        201
    );
    let admin = team.api.bearing_as(ADMIN).await;
    let body = json!({"name": "support", "description": "고객 지원", "permissions": ["orders:read", "users:read"]});
    let made = admin.post(ROLES, body.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.members(), ["created_at", "description", "id", "is_system", "name", "permissions"]);
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("{ROLES}/{}", made.text("id")));
    assert_eq!(admin.get(&path).await.body, made.body);
    let taken = admin.post(ROLES, body).await;
    assert_eq!((taken.status, taken.code()), (409, "name_taken"));
    let renamed = admin.patch(&path, json!({"name": "helpdesk"})).await;
    assert_eq!((renamed.text("name"), renamed.text("description")), ("helpdesk".to_owned(), "고객 지원".to_owned()));
    let set = admin.put(&format!("{path}/permissions"), json!({"permissions": ["users:read"]})).await;
    assert_eq!(set.body["permissions"], json!(["users:read"]));
    let listed = admin.get(ROLES).await;
    assert!(listed.body["items"].as_array().unwrap().contains(&set.body), "{listed:?}");
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.get(&path).await.status, 404);
    let events = team
        .deployment
        .column::<String>("SELECT event FROM audit_logs WHERE event LIKE 'role_%' OR event LIKE 'permission_%'")
        .await;
    assert_eq!(events.len(), 5, "{events:?}");
}

#[rstest]
#[tokio::test]
async fn system_roles_and_permissions_stay(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    for name in ["admin", "manager", "user"] {
        let path = format!("{ROLES}/{}", role_id(&team.admin, name).await);
        let deleted = team.admin.delete(&format!("{path}?force=true")).await;
        assert_eq!((deleted.status, deleted.code()), (409, "system_role"), "{name}");
        assert_eq!(team.admin.patch(&path, json!({"name": "other"})).await.code(), "system_role", "{name}");
        assert_eq!(team.admin.patch(&path, json!({"description": "x"})).await.status, 200, "{name}");
    }
    let path = format!("{ROLES}/{}/permissions", role_id(&team.admin, "admin").await);
    assert_eq!(team.admin.put(&path, json!({"permissions": []})).await.code(), "system_role");
    let listed = team.admin.get(PERMISSIONS).await;
    assert_eq!(listed.body["total"], 10);
    for permission in listed.body["items"].as_array().unwrap() {
        let path = format!("{PERMISSIONS}/{}", permission["id"].as_str().unwrap());
        assert_eq!(team.admin.delete(&path).await.code(), "system_role");
    }
}

#[rstest]
#[tokio::test]
async fn a_role_in_use_is_deleted_by_force_and_taken_from_its_holders(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let made = team.admin.post(ROLES, json!({"name": "support", "permissions": ["users:read"]})).await;
    let path = made.header("location").to_owned();
    assert_eq!(team.admin.put(&format!("{}/roles", team.user_path()), json!({"roles": ["support"]})).await.status, 200);
    let user = team.api.bearing_as(USER).await;
    assert_eq!(user.get("/api/v1/users").await.status, 200);
    let refused = team.admin.delete(&path).await;
    assert_eq!((refused.status, refused.code()), (409, "role_in_use"));
    assert_eq!(team.admin.delete(&format!("{path}?force=true")).await.status, 204);
    assert_eq!(user.get("/api/v1/users").await.status, 401, "the old token listed the role");
    assert_eq!(team.api.bearing_as(USER).await.get("/api/v1/users").await.status, 403);
}

/// A change of rights at one instance: what it is, and the call that makes it.
#[derive(Clone, Copy, Debug)]
enum Change {
    PersonGiven,
    PersonTaken,
    RoleChanged,
}

#[rstest]
#[tokio::test]
async fn changed_rights_take_effect_on_every_instance_within_a_second_and_nobody_is_logged_out(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let other = team.deployment.start().await;
    let manager_path = format!("{ROLES}/{}/permissions", role_id(&team.admin, "manager").await);
    let mut worst = Duration::ZERO;
    for (change, may_before, may_after) in
        [(Change::PersonGiven, 403, 200), (Change::RoleChanged, 200, 403), (Change::PersonTaken, 403, 403)]
    {
        let session = team.api.login(USER, crate::support::PASSWORD).await;
        let (access, refresh) = (session.text("access_token"), session.text("refresh_token"));
        assert_eq!(other.bearing(&access).get("/api/v1/users").await.status, may_before, "{change:?}");
        let roles = format!("{}/roles", team.user_path());
        let began = Instant::now();
        let answer = match change {
            Change::PersonGiven => team.admin.put(&roles, json!({"roles": ["user", "manager"]})).await,
            Change::PersonTaken => team.admin.put(&roles, json!({"roles": ["user"]})).await,
            Change::RoleChanged => team.admin.put(&manager_path, json!({"permissions": ["roles:read"]})).await,
        };
        assert_eq!(answer.status, 200, "{answer:?}");
        other.refuses_in_time(&access).await;
        worst = worst.max(began.elapsed());
        let renewed = other.refresh(&refresh).await;
        assert_eq!(renewed.status, 200, "{change:?}: the session lives");
        let renewed = renewed.text("access_token");
        assert_eq!(other.bearing(&renewed).get("/api/v1/users").await.status, may_after, "{change:?}");
    }
    println!("{engine:?}: refused on another instance {worst:?} after the call at worst");
}

#[rstest]
#[tokio::test]
async fn a_role_that_ends_by_itself_takes_its_rights_along(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let roles = json!({"roles": ["user", {"name": "manager", "expires_at": "2026-01-01T00:10:00Z"}]});
    let given = team.admin.put(&format!("{}/roles", team.user_path()), roles).await;
    assert_eq!(given.body["roles"], json!(["manager", "user"]));
    let login = team.api.login(USER, crate::support::PASSWORD).await;
    assert_eq!(login.body["expires_in"], 600, "no token outlives the right that it carries");
    let user = team.api.bearing(&login.text("access_token"));
    assert_eq!(user.get("/api/v1/users").await.status, 200);
    team.deployment.clock.advance(Duration::from_secs(660));
    assert_eq!(user.get("/api/v1/users").await.status, 401);
    let renewed = team.api.refresh(&login.text("refresh_token")).await;
    let renewed = team.api.bearing(&renewed.text("access_token"));
    assert_eq!(renewed.get("/api/v1/users").await.status, 403);
    assert_eq!(renewed.get("/api/v1/users/me").await.body["roles"], json!(["user"]));
    for expires_at in ["2020-01-01T00:00:00Z", "tomorrow", ""] {
        let roles = json!({"roles": [{"name": "manager", "expires_at": expires_at}]});
        let refused = team.api.bearing_as(ADMIN).await.put(&format!("{}/roles", team.user_path()), roles).await;
        assert_eq!((refused.status, refused.faults()), (422, vec![("roles", "invalid_role")]), "{expires_at}");
    }
}

#[rstest]
#[tokio::test]
async fn nobody_gives_more_than_they_hold(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let own = format!("/api/v1/users/{}", team.manager.own_id().await);
    let admin = format!("/api/v1/users/{}", team.admin.own_id().await);
    for (path, body) in [
        (format!("{}/roles", team.user_path()), json!({"roles": ["admin"]})),
        (format!("{own}/roles"), json!({"roles": ["manager", "admin"]})),
        (format!("{admin}/roles"), json!({"roles": ["user"]})),
    ] {
        let refused = team.manager.put(&path, body).await;
        assert_eq!((refused.status, refused.code()), (403, "beyond_own_rights"), "{path}");
    }
    for call in ["disable", "enable", "unlock", "password-reset"] {
        let refused = team.manager.post(&format!("{admin}/{call}"), json!({})).await;
        assert_eq!((refused.status, refused.code()), (403, "beyond_own_rights"), "{call}");
    }
    assert_eq!(team.manager.patch(&admin, json!({"display_name": "x"})).await.code(), "beyond_own_rights");
    assert_eq!(team.manager.delete(&format!("{admin}/sessions")).await.code(), "beyond_own_rights");
    let invited = json!({"email": "new@example.com", "roles": ["admin"]});
    assert_eq!(team.manager.post("/api/v1/users", invited).await.code(), "beyond_own_rights");
    assert_eq!(team.deployment.number("SELECT COUNT(*) FROM users WHERE email = 'new@example.com'").await, 0);

    // A role that its holder may change must not become a ladder.
    let keeper = team
        .admin
        .post(ROLES, json!({"name": "keeper", "permissions": ["roles:read", "roles:write", "users:write"]}))
        .await;
    assert_eq!(keeper.status, 201);
    team.admin.put(&format!("{}/roles", team.user_path()), json!({"roles": ["keeper"]})).await;
    let keeper = team.api.bearing_as(USER).await;
    let refused = keeper.post(ROLES, json!({"name": "ladder", "permissions": ["users:delete"]})).await;
    assert_eq!((refused.status, refused.code()), (403, "beyond_own_rights"));
    let manager_role = format!("{ROLES}/{}/permissions", role_id(&team.admin, "manager").await);
    assert_eq!(keeper.put(&manager_role, json!({"permissions": []})).await.code(), "beyond_own_rights");
    assert_eq!(keeper.post(ROLES, json!({"name": "helper", "permissions": ["roles:read"]})).await.status, 201);
}

#[rstest]
#[tokio::test]
async fn the_last_administrator_cannot_go_in_any_way(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let path = format!("/api/v1/users/{}", team.admin.own_id().await);
    let expiring = json!({"roles": [{"name": "admin", "expires_at": "2027-01-01T00:00:00Z"}]});
    for (method, path, body) in [
        (Method::PUT, format!("{path}/roles"), json!({"roles": ["user"]})),
        (Method::PUT, format!("{path}/roles"), expiring),
        (Method::POST, format!("{path}/disable"), json!({})),
        (Method::DELETE, path.clone(), json!({})),
        (Method::DELETE, "/api/v1/users/me".to_owned(), json!({})),
    ] {
        let refused = team.admin.call(method, &path, body).await;
        assert_eq!((refused.status, refused.code()), (409, "last_administrator"), "{path}");
    }
    assert_eq!(team.admin.get("/api/v1/users/me").await.status, 200, "nothing was done");
}

#[rstest]
#[tokio::test]
async fn of_two_administrators_who_demote_each_other_at_once_one_remains(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let second = team.deployment.person_as(&team.api, "second@example.com", "admin").await;
    let second = team.api.bearing(&second.access);
    let (first_id, second_id) = (team.admin.own_id().await, second.own_id().await);
    let demote = async |by: Instance, id: String| {
        by.put(&format!("/api/v1/users/{id}/roles"), json!({"roles": ["user"]})).await.status
    };
    let (one, other) = tokio::join!(demote(team.admin.clone(), second_id), demote(second.clone(), first_id));
    assert_eq!([one, other].iter().filter(|status| **status == 200).count(), 1, "{one} and {other}");
    let left = "SELECT COUNT(*) FROM user_roles JOIN roles ON roles.id = role_id WHERE name = 'admin'";
    assert_eq!(team.deployment.number(left).await, 1);
}

#[rstest]
#[tokio::test]
async fn a_new_permission_is_the_administrators_at_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let made = team.admin.post(PERMISSIONS, json!({"name": "orders:write"})).await;
    assert_eq!(made.status, 201);
    let admin = team.api.bearing_as(ADMIN).await;
    let own = admin.get("/api/v1/users/me").await;
    assert!(own.body["permissions"].as_array().unwrap().contains(&json!("orders:write")));
    assert_eq!(admin.post(PERMISSIONS, json!({"name": "orders:write"})).await.code(), "name_taken");
    let path = format!("{PERMISSIONS}/{}", made.text("id"));
    assert_eq!(admin.delete(&path).await.status, 204);
    let admin = team.api.bearing_as(ADMIN).await;
    assert_eq!(admin.delete(&path).await.status, 404);
    assert!(
        !admin.get("/api/v1/users/me").await.body["permissions"].as_array().unwrap().contains(&json!("orders:write"))
    );
}

#[tokio::test]
async fn what_is_no_role_is_refused_with_every_fault() {
    let team = Team::new(Engine::Sqlite).await;
    for (body, faults) in [
        (json!({}), vec![("name", "required")]),
        (json!({"name": "Admin"}), vec![("name", "invalid_role_name")]),
        (json!({"name": "x".repeat(51)}), vec![("name", "invalid_role_name")]),
        (json!({"name": "ok", "description": "x".repeat(201)}), vec![("description", "too_long")]),
        (json!({"name": "ok", "permissions": "users:read"}), vec![("permissions", "not_a_list")]),
        (json!({"name": "ok", "permissions": ["users"]}), vec![("permissions", "invalid_permission")]),
        (json!({"name": "ok", "permissions": ["users:read", "users:read"]}), vec![("permissions", "duplicate")]),
        (json!({"name": "ok", "is_system": true}), vec![("is_system", "unknown")]),
    ] {
        let refused = team.admin.post(ROLES, body.clone()).await;
        assert_eq!((refused.status, refused.faults()), (422, faults), "{body}");
    }
    let unknown = team.admin.put(&format!("{}/roles", team.user_path()), json!({"roles": ["nobody"]})).await;
    assert_eq!((unknown.status, unknown.faults()), (422, vec![("roles", "unknown_role")]));
    for path in ["x", NOTHING, "%00"] {
        assert_eq!(team.admin.get(&format!("{ROLES}/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn permissions_never_outgrow_the_token_that_lists_them() {
    let team = Team::new(Engine::Sqlite).await;
    let (mut admin, mut made) = (team.api.bearing_as(ADMIN).await, 0);
    let refused = loop {
        let name = format!("{}:read-{made}", "x".repeat(85));
        let answer = admin.post(PERMISSIONS, json!({"name": name})).await;
        if answer.status != 201 {
            break answer;
        }
        made += 1;
        admin = team.api.bearing_as(ADMIN).await;
    };
    assert_eq!((refused.status, refused.code()), (409, "too_many"));
    assert!(made > 40, "{made}");
    assert_eq!(admin.get("/api/v1/users/me").await.status, 200);
}

#[tokio::test]
async fn lists_of_roles_have_pages() {
    let team = Team::new(Engine::Sqlite).await;
    for number in 0..5 {
        assert_eq!(team.admin.post(ROLES, json!({"name": format!("role-{number}")})).await.status, 201);
    }
    let (mut names, mut path) = (Vec::new(), format!("{ROLES}?limit=3"));
    loop {
        let page = team.admin.get(&path).await;
        assert_eq!(page.body["total"], 8);
        let items = page.body["items"].as_array().unwrap();
        names.extend(items.iter().map(|role| role["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        path = format!("{ROLES}?limit=3&cursor={cursor}");
    }
    assert_eq!(names, ["admin", "manager", "role-0", "role-1", "role-2", "role-3", "role-4", "user"]);
}

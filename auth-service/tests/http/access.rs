//! Who may call what: every route, and what it answers to everybody. A route that is missing here fails.

use std::collections::BTreeSet;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Engine, Instance, PASSWORD},
    team::{ADMIN, MANAGER, Team, USER},
};

/// What each caller is answered: nobody, the user whose account it is, another user, a manager, an administrator, an
/// administrator's API key with every scope, and somebody whose account was closed.
type Statuses = [u16; 7];
type Row = (&'static str, &'static str, fn() -> Value, Statuses);

fn none() -> Value {
    json!({})
}

fn public(status: u16) -> Statuses {
    [status; 7]
}

/// For people in a session alone.
fn session(status: u16) -> Statuses {
    [401, status, status, status, status, 403, 401]
}

/// For managers too.
fn managers(status: u16) -> Statuses {
    [401, 403, 403, status, status, status, 401]
}

/// For administrators alone.
fn admins(status: u16) -> Statuses {
    [401, 403, 403, 403, status, status, 401]
}

/// Where no provider is configured.
fn social_rows() -> Vec<Row> {
    vec![
        ("GET", "/api/v1/users/me/identities", none, session(200)),
        ("POST", "/api/v1/users/me/identities/{provider}", none, session(404)),
        ("POST", "/api/v1/users/me/identities/{provider}/token", none, session(404)),
        ("GET", "/api/v1/oauth/providers", none, public(200)),
        ("GET", "/api/v1/oauth/{provider}/authorize", none, public(404)),
        ("GET", "/api/v1/oauth/{provider}/callback", none, public(404)),
        ("POST", "/api/v1/oauth/{provider}/callback", none, public(404)),
        ("POST", "/api/v1/oauth/{provider}/id-token", none, public(404)),
        ("GET", "/api/v1/oauth/kakao/webhooks/unlink", none, public(404)),
        ("POST", "/api/v1/oauth/kakao/webhooks/unlink", none, public(404)),
        ("POST", "/api/v1/oauth/kakao/webhooks/account-status", none, public(404)),
        ("POST", "/api/v1/oauth/exchange", none, public(422)),
        ("POST", "/api/v1/oauth/link", none, public(422)),
        ("POST", "/api/v1/oauth/link/email", none, public(422)),
        ("POST", "/api/v1/oauth/link/confirm", || json!({"token": "x"}), public(400)),
    ]
}

/// What operators see and end of one person.
fn people_rows() -> Vec<Row> {
    vec![
        ("DELETE", "/api/v1/users/{user}/sessions/{session}", none, managers(404)),
        ("GET", "/api/v1/users/{user}/roles", none, managers(200)),
        ("GET", "/api/v1/users/{user}/identities", none, managers(200)),
        ("DELETE", "/api/v1/users/{user}/identities/{provider}", none, managers(404)),
        ("GET", "/api/v1/users/{user}/api-keys", none, admins(200)),
        ("DELETE", "/api/v1/users/{user}/api-keys/{key}", none, admins(404)),
        ("GET", "/api/v1/api-keys/all", none, admins(200)),
        ("GET", "/api/v1/users/{user}/export", none, admins(200)),
    ]
}

/// Where there is no SECRETS_KEY.
fn operator_rows() -> Vec<Row> {
    vec![
        ("GET", "/api/v1/audit-logs", none, admins(200)),
        ("GET", "/api/v1/audit-logs/export?format=csv", none, admins(200)),
        ("POST", "/api/v1/audit-logs/verify", none, admins(200)),
        ("GET", "/api/v1/system/settings", none, admins(200)),
        ("POST", "/api/v1/system/doctor", none, admins(200)),
        ("GET", "/api/v1/system/providers", none, admins(200)),
        ("GET", "/api/v1/system/mails", none, admins(200)),
        ("POST", "/api/v1/system/mails/{nothing}/retry", none, admins(404)),
        ("GET", "/api/v1/system/signing-keys", none, admins(200)),
        ("POST", "/api/v1/system/signing-keys", none, [401, 403, 403, 403, 503, 403, 401]),
        ("POST", "/api/v1/system/signing-keys/{kid}/withdraw", none, [401, 403, 403, 403, 404, 403, 401]),
    ]
}

/// `{user}` is the user's account, `{nothing}` an id that nothing has. What ends sessions or accounts stands last.
fn rows() -> Vec<Row> {
    vec![
        ("GET", "/api/v1/health", none, public(200)),
        ("GET", "/api/v1/health/ready", none, public(200)),
        ("GET", "/.well-known/jwks.json", none, public(200)),
        ("POST", "/api/v1/auth/register", none, public(422)),
        ("POST", "/api/v1/auth/login", none, public(422)),
        ("POST", "/api/v1/auth/refresh", none, public(422)),
        ("POST", "/api/v1/auth/reauthenticate", || json!({"password": PASSWORD}), session(204)),
        ("POST", "/api/v1/auth/email/verify", || json!({"token": "x"}), public(400)),
        ("POST", "/api/v1/auth/email/resend", none, public(422)),
        ("POST", "/api/v1/auth/email/confirm", || json!({"token": "x"}), public(400)),
        ("POST", "/api/v1/auth/password/forgot", none, public(422)),
        ("POST", "/api/v1/auth/password/reset", none, public(422)),
        ("POST", "/api/v1/auth/sessions/disown", || json!({"token": "x"}), public(400)),
        ("GET", "/api/v1/auth/password-policy", none, public(200)),
        ("GET", "/api/v1/auth/sessions", none, session(200)),
        ("DELETE", "/api/v1/auth/sessions/{nothing}", none, session(404)),
        ("GET", "/api/v1/users/me", none, [401, 200, 200, 200, 200, 200, 401]),
        ("PATCH", "/api/v1/users/me", none, session(200)),
        ("PUT", "/api/v1/users/me/password", || json!({"new_password": "x"}), session(422)),
        ("PUT", "/api/v1/users/me/email", none, session(422)),
        ("GET", "/api/v1/users/me/login-history", none, session(200)),
        ("GET", "/api/v1/users/me/export", none, session(200)),
        ("GET", "/api/v1/users", none, managers(200)),
        ("POST", "/api/v1/users", none, managers(422)),
        ("POST", "/api/v1/users/bulk", || json!({"items": [{}]}), managers(200)),
        ("GET", "/api/v1/users/{user}", none, managers(200)),
        ("PATCH", "/api/v1/users/{user}", none, managers(200)),
        ("POST", "/api/v1/users/{user}/unlock", none, managers(200)),
        ("PUT", "/api/v1/users/{user}/roles", || json!({"roles": "x"}), managers(422)),
        ("GET", "/api/v1/users/{user}/sessions", none, managers(200)),
        ("POST", "/api/v1/users/{user}/password-reset", none, managers(202)),
        ("GET", "/api/v1/users/{user}/login-history", none, managers(200)),
        ("POST", "/api/v1/users/{user}/restore", none, admins(404)),
        ("GET", "/api/v1/roles", none, managers(200)),
        ("POST", "/api/v1/roles", none, admins(422)),
        ("GET", "/api/v1/roles/{nothing}", none, managers(404)),
        ("PATCH", "/api/v1/roles/{nothing}", none, admins(404)),
        ("PUT", "/api/v1/roles/{nothing}/permissions", || json!({"permissions": []}), admins(404)),
        ("DELETE", "/api/v1/roles/{nothing}", none, admins(404)),
        ("GET", "/api/v1/permissions", none, managers(200)),
        ("POST", "/api/v1/permissions", none, admins(422)),
        ("DELETE", "/api/v1/permissions/{nothing}", none, admins(404)),
        ("GET", "/api/v1/api-keys", none, session(200)),
        ("POST", "/api/v1/api-keys", none, session(422)),
        ("POST", "/api/v1/api-keys/{nothing}/rotate", none, session(404)),
        ("DELETE", "/api/v1/api-keys/{nothing}", none, session(404)),
        ("DELETE", "/api/v1/users/me/identities/{provider}", none, session(404)),
        ("DELETE", "/api/v1/users/{user}/sessions", none, managers(204)),
        ("POST", "/api/v1/users/{user}/disable", none, managers(200)),
        ("POST", "/api/v1/users/{user}/enable", none, managers(200)),
        ("DELETE", "/api/v1/users/{user}", none, [401, 403, 403, 403, 204, 204, 401]),
        ("POST", "/api/v1/auth/logout", none, session(204)),
        ("DELETE", "/api/v1/auth/sessions", none, session(204)),
        // The only administrator cannot go.
        ("DELETE", "/api/v1/users/me", none, [401, 204, 204, 204, 409, 403, 401]),
    ]
}

const NOTHING: &str = "01900000-0000-7000-8000-000000000000";
const OTHER: &str = "other@example.com";
const CLOSED: &str = "closed@example.com";
const SCOPES: [&str; 10] = [
    "users:read",
    "users:write",
    "users:delete",
    "roles:read",
    "roles:write",
    "audit:read",
    "api_keys:read",
    "api_keys:write",
    "system:read",
    "system:write",
];

/// Somebody of each kind, each with a session that has just begun.
async fn callers(team: &Team, key: &Instance, closed: &Instance) -> Vec<Instance> {
    let mut callers = vec![team.api.clone()];
    for email in [USER, OTHER, MANAGER, ADMIN] {
        callers.push(team.api.bearing_as(email).await);
    }
    callers.extend([key.clone(), closed.clone()]);
    callers
}

/// Puts the user's account back to what it was.
async fn revive(team: &Team) {
    team.deployment
        .change("UPDATE users SET status = 'active', deleted_at = NULL WHERE email <> 'closed@example.com'")
        .await;
}

#[rstest]
#[tokio::test]
async fn every_route_answers_everybody_as_the_table_says(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    for email in [OTHER, CLOSED] {
        assert_eq!(team.api.register(email).await.status, 201);
    }
    let closed = team.api.bearing_as(CLOSED).await;
    let closed_path = format!("/api/v1/users/{}/disable", closed.own_id().await);
    assert_eq!(team.admin.post(&closed_path, none()).await.status, 200);
    let key = team.admin.key_client(&team.api, &SCOPES).await;
    let mut people = callers(&team, &key, &closed).await;
    let mut wrong = Vec::new();
    let special = social_rows().into_iter().chain(people_rows()).chain(operator_rows());
    for (method, path, body, expected) in special.chain(rows()) {
        let concrete = path
            .replace("{user}", &team.user_id)
            .replace("{nothing}", NOTHING)
            .replace("{session}", NOTHING)
            .replace("{key}", NOTHING)
            .replace("{kid}", "nothing")
            .replace("{provider}", "kakao");
        let mut statuses = Vec::new();
        for caller in &people {
            let answer = caller.call(method.parse::<Method>().unwrap(), &concrete, body()).await;
            statuses.push(answer.status);
            if matches!(method, "DELETE") || path.ends_with("disable") {
                revive(&team).await;
            }
        }
        if statuses != expected {
            wrong.push(format!("{method} {path}: {statuses:?}, not {expected:?}"));
        }
        // These end sessions, of the user at least.
        if method == "DELETE" || path.ends_with("disable") || path.ends_with("enable") || path.ends_with("logout") {
            people = callers(&team, &key, &closed).await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_route_is_missing_from_the_table() {
    let document: Value = serde_json::from_str(&auth_service::openapi().to_json().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let documented: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let listed: BTreeSet<String> = social_rows()
        .into_iter()
        .chain(people_rows())
        .chain(operator_rows())
        .chain(rows())
        .map(|(method, path, ..)| (method, path.split('?').next().unwrap()))
        .map(|(method, path)| {
            let path = path.replace("{user}", "{id}").replace("{nothing}", "{id}");
            format!("{method} {}", path.replace("{session}", "{session_id}").replace("{key}", "{key_id}"))
        })
        .collect();
    assert_eq!(documented.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "in the document alone");
    assert_eq!(listed.difference(&documented).collect::<Vec<_>>(), Vec::<&String>::new(), "in the table alone");
}

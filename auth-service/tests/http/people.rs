//! What an operator sees and ends of one person: sessions, roles, API keys, the whole of what is held.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    mailbox::IN_TIME,
    support::Engine,
    team::{ADMIN, MANAGER, Team, USER},
    waiting::until,
};

const NOTHING: &str = "01900000-0000-7000-8000-000000000000";

impl Team {
    /// Events of this name in the audit log that this person caused.
    pub async fn count_events_by(&self, event: &str, email: &str) -> i64 {
        let by = format!("actor_id = (SELECT id FROM users WHERE email = '{email}')");
        self.deployment.number(&format!("SELECT COUNT(*) FROM audit_logs WHERE event = '{event}' AND {by}")).await
    }

    /// The path of the administrator's account.
    pub async fn admin_path(&self) -> String {
        format!("/api/v1/users/{}", self.admin.own_id().await)
    }
}

#[rstest]
#[tokio::test]
async fn one_session_of_somebody_is_ended_everywhere_at_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let other = team.deployment.start().await;
    let second = team.api.log_in(USER).await;
    assert_eq!(other.me(&second.access).await.status, 200);
    let path = format!("{}/sessions/{}", team.user_path(), second.session);
    assert_eq!(team.manager.delete(&path).await.status, 204);
    assert_eq!(team.api.me(&second.access).await.status, 401);
    other.refuses_in_time(&second.access).await;
    assert_eq!(team.api.refresh(&second.refresh).await.status, 401);
    assert_eq!(team.api.me(&team.user.access).await.status, 200, "the other session lives");
    assert_eq!(team.manager.delete(&path).await.status, 404, "it has ended");
    let told = "SELECT details FROM audit_logs WHERE event = 'sessions_ended'";
    assert_eq!(team.deployment.column::<String>(told).await, [format!("{{\"session_id\":\"{}\"}}", second.session)]);
    assert_eq!(team.count_events_by("sessions_ended", MANAGER).await, 1);
}

#[rstest]
#[tokio::test]
async fn no_session_is_ended_of_anybody_else_or_of_who_holds_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let admin = team.api.log_in(ADMIN).await;
    for (account, session) in
        [(team.user_path(), admin.session.as_str()), (team.user_path(), NOTHING), (team.user_path(), "x")]
    {
        let refused = team.admin.delete(&format!("{account}/sessions/{session}")).await;
        assert_eq!((refused.status, refused.code()), (404, "not_found"), "{session}");
    }
    let nobodys = format!("/api/v1/users/{NOTHING}/sessions/{}", team.user.session);
    assert_eq!(team.admin.delete(&nobodys).await.status, 404);
    let path = format!("{}/sessions/{}", team.admin_path().await, admin.session);
    let refused = team.manager.delete(&path).await;
    assert_eq!((refused.status, refused.code()), (403, "beyond_own_rights"));
    assert_eq!(team.api.bearing(&team.user.access).delete(&path).await.code(), "forbidden");
    for access in [&admin.access, &team.user.access] {
        assert_eq!(team.api.me(access).await.status, 200);
    }
    assert_eq!(team.count_events_by("sessions_ended", MANAGER).await, 0);
}

#[rstest]
#[tokio::test]
async fn roles_are_listed_with_the_time_they_end_and_kept_by_setting_them_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let path = format!("{}/roles", team.user_path());
    team.deployment.clock.advance(Duration::from_secs(60));
    let wish = json!({"roles": ["user", {"name": "manager", "expires_at": "2026-01-01T01:00:00Z"}]});
    assert_eq!(team.admin.put(&path, wish).await.status, 200);
    let listed = team.manager.get(&path).await;
    let (since, until) = ("2026-01-01T00:01:00Z", "2026-01-01T01:00:00Z");
    let manager = "Reads and writes users and reads roles";
    let expected = json!({
        "items": [
            {"name": "manager", "description": manager, "granted_at": since, "expires_at": until},
            {"name": "user", "description": "Nothing beyond oneself", "granted_at": since, "expires_at": null},
        ],
        "next_cursor": null,
        "total": 2,
    });
    assert_eq!((listed.status, &listed.body), (200, &expected));
    assert_eq!(team.count_events_by("user_viewed", MANAGER).await, 1);

    let kept = listed.body["items"].as_array().unwrap().iter();
    let kept: Vec<_> = kept.map(|role| json!({"name": role["name"], "expires_at": role["expires_at"]})).collect();
    assert_eq!(team.admin.put(&path, json!({"roles": kept})).await.status, 200);
    assert_eq!(team.manager.get(&path).await.body, expected, "as it was");
    team.deployment.clock.advance(Duration::from_secs(3_600));
    let later = team.api.bearing_as(ADMIN).await.get(&path).await;
    assert_eq!((&later.body["total"], &later.body["items"][0]["name"]), (&json!(1), &json!("user")), "one has ended");
}

#[rstest]
#[tokio::test]
async fn one_look_is_one_entry_however_much_is_shown(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let looks = async || team.count_events_by("user_viewed", ADMIN).await;
    let ends = ["", "/roles", "/sessions", "/login-history", "/identities", "/api-keys"];
    let mut calls = JoinSet::new();
    for end in ends.repeat(8) {
        let (admin, path) = (team.admin.clone(), format!("{}{end}", team.user_path()));
        calls.spawn(async move { admin.get(&path).await.status });
    }
    assert_eq!(calls.join_all().await, [200; 48]);
    assert_eq!(looks().await, 1);
    // Somebody else, another session and another person are looks of their own, and so is a minute later.
    assert_eq!(team.manager.get(&team.user_path()).await.status, 200);
    assert_eq!((looks().await, team.count_events_by("user_viewed", MANAGER).await), (1, 1));
    let elsewhere = team.api.bearing_as(ADMIN).await;
    assert_eq!(elsewhere.get(&team.user_path()).await.status, 200);
    assert_eq!(looks().await, 2);
    assert_eq!(team.admin.get(&format!("/api/v1/users/{}", team.admin.own_id().await)).await.status, 200);
    assert_eq!(looks().await, 3);
    team.deployment.clock.advance(Duration::from_secs(60));
    assert_eq!(team.admin.get(&team.user_path()).await.status, 200);
    assert_eq!(looks().await, 4);
}

#[rstest]
#[tokio::test]
async fn roles_of_nobody_are_not_listed_and_nobody_may_list_them_without_the_permission(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    for id in [NOTHING, "x"] {
        assert_eq!(team.admin.get(&format!("/api/v1/users/{id}/roles")).await.status, 404, "{id}");
    }
    let own = team.api.bearing(&team.user.access).get(&format!("{}/roles", team.user_path())).await;
    assert_eq!((own.status, own.code()), (403, "forbidden"));
    assert_eq!(team.count_events_by("user_viewed", ADMIN).await, 0);
}

#[rstest]
#[tokio::test]
async fn everything_held_on_somebody_is_handed_out_as_to_themselves(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let path = format!("{}/export", team.user_path());
    let waiting = "SELECT COUNT(*) FROM mail_outbox WHERE sent_at IS NULL";
    until("no mail is under way", IN_TIME, async || team.deployment.number(waiting).await == 0).await;
    let mut own = team.api.bearing(&team.user.access).get("/api/v1/users/me/export").await;
    let mut taken = team.admin.get(&path).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    for header in ["content-type", "content-disposition", "cache-control"] {
        assert_eq!(taken.header(header), own.header(header), "{header}");
    }
    // Each export is an event of its own: the person's by them, the administrator's about them.
    let about = taken.body["audit_about_person"].take();
    let (event, count) = (&about[0]["event"], about.as_array().unwrap().len());
    assert_eq!((event, count), (&json!("user_exported"), 1), "{about}");
    assert_eq!(own.body["audit_about_person"].take(), json!([]));
    assert_eq!(taken.body, own.body);
    assert_eq!(team.count_events_by("user_exported", ADMIN).await, 1);
    assert_eq!(team.admin.get(&path).await.body["audit_about_person"].as_array().unwrap().len(), 2);
}

#[rstest]
#[tokio::test]
async fn nothing_is_handed_out_of_nobody_or_of_who_holds_more_or_without_both_permissions(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    for id in [NOTHING, "x"] {
        assert_eq!(team.admin.get(&format!("/api/v1/users/{id}/export")).await.status, 404, "{id}");
    }
    let role = json!({"name": "auditor", "permissions": ["users:read", "audit:read"]});
    assert_eq!(team.admin.post("/api/v1/roles", role).await.status, 201);
    let auditor = team.deployment.person_as(&team.api, "auditor@example.com", "auditor").await;
    let auditor = team.api.bearing(&auditor.access);
    let refused = auditor.get(&format!("{}/export", team.admin_path().await)).await;
    assert_eq!((refused.status, refused.code()), (403, "beyond_own_rights"));
    let path = format!("{}/export", team.user_path());
    let reader = team.admin.key_client(&team.api, &["users:read"]).await;
    let audit_reader = team.admin.key_client(&team.api, &["audit:read"]).await;
    for caller in [&team.manager, &reader, &audit_reader, &team.api.bearing(&team.user.access)] {
        let refused = caller.get(&path).await;
        assert_eq!((refused.status, refused.code()), (403, "forbidden"));
    }
    assert_eq!(team.deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'user_exported'").await, 0);
    assert_eq!(auditor.get(&path).await.status, 200);
    assert_eq!(team.admin.delete(&team.user_path()).await.status, 204);
    assert_eq!(auditor.get(&path).await.status, 404, "who is deleted may be restored, or will be erased");
}

#[rstest]
#[tokio::test]
async fn a_deleted_account_is_shown_to_who_may_restore_it_and_to_nobody_else(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let before = team.admin.get(&team.user_path()).await.body;
    assert_eq!(before.get("deleted_at"), None, "absent unless deleted");
    team.deployment.clock.advance(Duration::from_secs(60));
    assert_eq!(team.admin.delete(&team.user_path()).await.status, 204);
    let deleted = team.admin.get(&team.user_path()).await;
    let mut expected = before.clone();
    expected["deleted_at"] = json!("2026-01-01T00:01:00Z");
    expected["updated_at"] = json!("2026-01-01T00:01:00Z");
    assert_eq!((deleted.status, &deleted.body), (200, &expected));
    assert_eq!(team.admin.get("/api/v1/users?deleted=true").await.body["items"], json!([expected]));
    assert_eq!(team.count_events_by("user_viewed", ADMIN).await, 2);
    assert_eq!(team.manager.get(&team.user_path()).await.status, 404, "a manager restores nobody");
    assert_eq!(team.admin.patch(&team.user_path(), json!({"display_name": "x"})).await.status, 404, "it is only shown");
    let restored = team.admin.post(&format!("{}/restore", team.user_path()), json!({})).await;
    assert_eq!((restored.status, restored.body.get("deleted_at")), (200, None));
}

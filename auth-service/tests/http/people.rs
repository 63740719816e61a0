//! What an operator sees and ends of one person: sessions, roles, API keys, the whole of what is held.

use rstest::rstest;

use crate::{
    support::Engine,
    team::{ADMIN, Team, USER},
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
    assert_eq!(team.count_events_by("sessions_ended", "manager@example.com").await, 1);
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
    assert_eq!(team.count_events_by("sessions_ended", "manager@example.com").await, 0);
}

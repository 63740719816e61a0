//! GET /api/v1/audit-logs?names=true: what those are called that entries tell of, to who may see it.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Engine},
    team::{ADMIN, Team, USER},
};

const LOGS: &str = "/api/v1/audit-logs";

fn first(answer: &Answer) -> &Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    &answer.body["items"][0]
}

#[rstest]
#[tokio::test]
async fn names_are_told_to_who_may_see_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let role = json!({"name": "auditor", "permissions": ["audit:read"]});
    let role = team.admin.post("/api/v1/roles", role).await.text("id");
    let me = team.api.bearing(&team.user.access);
    assert_eq!(me.patch("/api/v1/users/me", json!({"display_name": "김민수"})).await.status, 200);
    assert_eq!(team.admin.post(&format!("{}/disable", team.user_path()), json!({})).await.status, 200);
    let auditor = team.deployment.person_as(&team.api, "auditor@example.com", "auditor").await;
    let auditor = team.api.bearing(&auditor.access);
    let (of_user, of_role) = (format!("{LOGS}?event=user_disabled"), format!("{LOGS}?target={role}"));

    let entry = team.admin.get(&format!("{of_user}&names=true")).await;
    assert_eq!(first(&entry)["actor"]["name"], ADMIN, "the address, where there is no name");
    assert_eq!(first(&entry)["target"]["name"], "김민수");
    let entry = team.admin.get(&format!("{of_role}&names=true")).await;
    assert_eq!(first(&entry)["target"]["name"], "auditor");
    for entry in [
        auditor.get(&format!("{of_user}&names=true")).await,
        auditor.get(&format!("{of_role}&names=true")).await,
        team.admin.get(&of_user).await,
        team.admin.get(&format!("{of_user}&names=false")).await,
    ] {
        let entry = first(&entry);
        assert_eq!((&entry["actor"]["name"], &entry["target"]["name"]), (&Value::Null, &Value::Null));
    }
    assert_eq!(team.admin.get(&format!("{LOGS}?names=yes")).await.faults(), [("names", "not_a_boolean")]);
}

#[tokio::test]
async fn the_name_of_somebody_deleted_is_for_who_may_bring_them_back() {
    let team = Team::new(Engine::Sqlite).await;
    let role = json!({"name": "auditor", "permissions": ["audit:read", "users:read"]});
    assert_eq!(team.admin.post("/api/v1/roles", role).await.status, 201);
    let auditor = team.deployment.person_as(&team.api, "auditor@example.com", "auditor").await;
    let auditor = team.api.bearing(&auditor.access);
    assert_eq!(team.admin.delete(&team.user_path()).await.status, 204);
    let path = format!("{LOGS}?event=user_deleted&names=true");
    assert_eq!(first(&team.admin.get(&path).await)["target"]["name"], USER);
    let entry = auditor.get(&path).await;
    assert_eq!((&first(&entry)["target"]["name"], &first(&entry)["actor"]["name"]), (&Value::Null, &json!(ADMIN)));
}

#[tokio::test]
async fn the_client_is_told_in_words() {
    let team = Team::new(Engine::Sqlite).await;
    let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    let browser = team.admin.with_header("user-agent", agent);
    assert_eq!(browser.get("/api/v1/users").await.status, 200);
    let list = team.admin.get(&format!("{LOGS}?event=users_listed")).await;
    assert_eq!((&first(&list)["browser"], &first(&list)["os"]), (&json!("Chrome"), &json!("Windows 10")));
    let copy = team.admin.get(&format!("{LOGS}/export?format=ndjson&event=users_listed")).await;
    assert_eq!((&copy.body["event"], &copy.body["browser"]), (&json!("users_listed"), &Value::Null));
}

//! What administrators do with other people's accounts.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    register::USER as MEMBERS,
    support::{Engine, PASSWORD},
    team::{ADMIN, Team, USER},
};

const USERS: &str = "/api/v1/users";

async fn count_events(team: &Team, event: &str) -> i64 {
    team.deployment.number(&format!("SELECT COUNT(*) FROM audit_logs WHERE event = '{event}'")).await
}

#[rstest]
#[tokio::test]
async fn an_account_is_shown_and_changed(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let shown = team.manager.get(&team.user_path()).await;
    assert_eq!((shown.status, shown.members()), (200, MEMBERS.to_vec()));
    assert_eq!(shown.text("email"), USER);
    assert_eq!(count_events(&team, "user_viewed").await, 1);
    let changed = team.manager.patch(&team.user_path(), json!({"display_name": "김달래", "username": "dalrae"})).await;
    assert_eq!((changed.text("display_name"), changed.text("username")), ("김달래".to_owned(), "dalrae".to_owned()));
    assert_eq!(team.api.me(&team.user.access).await.body, changed.body, "seen at once, and nobody logged out");
    let found = team.admin.get(&format!("{USERS}?search=%EA%B9%80%EB%8B%AC%EB%9E%98")).await;
    assert_eq!(found.body["items"][0]["id"], team.user_id.as_str(), "found by the new name");
    let refused = team
        .manager
        .patch(&team.user_path(), json!({"email": "x@example.com", "roles": ["admin"], "status": "disabled"}))
        .await;
    assert_eq!(refused.faults(), [("email", "unknown"), ("roles", "unknown"), ("status", "unknown")]);
    team.api.register("other@example.com").await;
    let taken =
        team.api.bearing_as("other@example.com").await.patch("/api/v1/users/me", json!({"username": "DalRae"})).await;
    assert_eq!(taken.code(), "username_taken");
}

#[rstest]
#[tokio::test]
async fn an_account_is_made_with_an_invitation_and_without_a_password(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let body =
        json!({"email": "Minsu@Example.com", "display_name": "김민수", "locale": "ko", "roles": ["user", "manager"]});
    let made = team.admin.post(USERS, body.clone()).await;
    assert_eq!((made.status, made.members()), (201, MEMBERS.to_vec()), "{made:?}");
    assert_eq!((made.text("email"), made.text("status")), ("minsu@example.com".to_owned(), "pending".to_owned()));
    assert_eq!(made.body["roles"], json!(["manager", "user"]));
    assert_eq!(made.header("location"), format!("{USERS}/{}", made.text("id")));
    let mails =
        team.deployment.number("SELECT COUNT(*) FROM mail_outbox WHERE kind = 'invitation' AND locale = 'ko'").await;
    assert_eq!(mails, 1);
    assert_eq!(team.api.login("minsu@example.com", PASSWORD).await.status, 401, "there is no password yet");
    assert_eq!(team.admin.post(USERS, body).await.code(), "email_taken");
    let refused =
        team.admin.post(USERS, json!({"email": "x@example.com", "password": PASSWORD, "status": "active"})).await;
    assert_eq!(refused.faults(), [("password", "unknown"), ("status", "unknown")], "nobody chooses another's password");
}

#[rstest]
#[tokio::test]
async fn fifty_invitations_of_one_address_at_once_make_one_account(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let admin = team.admin.clone();
            tokio::spawn(async move { admin.post(USERS, json!({"email": "minsu@example.com"})).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    assert_eq!(team.deployment.number("SELECT COUNT(*) FROM mail_outbox WHERE kind = 'invitation'").await, 1);
}

#[rstest]
#[tokio::test]
async fn of_many_accounts_the_good_ones_land_and_the_bad_are_reported(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let items = json!([
        {"email": "a@example.com"},
        {"email": "a@EXAMPLE.com"},
        {"email": "no address"},
        "text",
        {"email": "b@example.com", "roles": ["nobody"]},
        {"email": "c@example.com", "username": "cee", "roles": ["manager"]},
        {"email": "d@example.com", "username": "CEE"},
        {"email": USER},
    ]);
    let answer =
        team.admin.with_header("accept-language", "ko").post(&format!("{USERS}/bulk"), json!({"items": items})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.body["results"].as_array().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            (result["index"].as_u64().unwrap(), result["status"].as_u64().unwrap(), result["error"]["code"].as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, 201, None),
            (1, 409, Some("email_taken")),
            (2, 422, Some("invalid_request")),
            (3, 422, Some("not_an_object")),
            (4, 422, Some("invalid_request")),
            (5, 201, None),
            (6, 409, Some("username_taken")),
            (7, 409, Some("email_taken")),
        ]
    );
    assert_eq!(results[1]["error"]["detail"], "이미 가입된 이메일 주소입니다.");
    assert_eq!(results[2]["error"]["errors"][0]["field"], "email");
    assert_eq!(results[5]["user"]["roles"], json!(["manager"]));
    assert_eq!(team.deployment.number("SELECT COUNT(*) FROM users WHERE status = 'pending'").await, 2);
    for (items, code) in
        [(json!([]), "out_of_range"), (json!({}), "not_a_list"), (vec![json!({}); 1_001].into(), "out_of_range")]
    {
        let refused = team.admin.post(&format!("{USERS}/bulk"), json!({"items": items})).await;
        assert_eq!((refused.status, refused.faults()), (422, vec![("items", code)]));
    }
}

#[rstest]
#[tokio::test]
async fn a_closed_account_is_refused_everywhere_and_opens_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let other = team.deployment.start().await;
    assert_eq!(other.me(&team.user.access).await.status, 200);
    let closed = team.manager.post(&format!("{}/disable", team.user_path()), json!({})).await;
    assert_eq!((closed.status, closed.text("status")), (200, "disabled".to_owned()));
    assert_eq!(team.api.me(&team.user.access).await.status, 401);
    other.refuses_in_time(&team.user.access).await;
    assert_eq!(team.api.refresh(&team.user.refresh).await.status, 401);
    assert_eq!(team.api.login(USER, PASSWORD).await.status, 401);
    let opened = team.manager.post(&format!("{}/enable", team.user_path()), json!({})).await;
    assert_eq!(opened.text("status"), "active");
    assert_eq!(team.api.me(&team.user.access).await.status, 401, "what was ended stays ended");
    assert_eq!(team.api.login(USER, PASSWORD).await.status, 200);
    assert_eq!((count_events(&team, "user_disabled").await, count_events(&team, "user_enabled").await), (1, 1));
}

#[rstest]
#[tokio::test]
async fn unlocking_forgets_the_guesses_of_strangers(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    for _ in 0..6 {
        assert_eq!(team.api.login(USER, "wrong").await.status, 401);
    }
    assert_eq!(team.api.login(USER, PASSWORD).await.status, 401, "it waits");
    assert_eq!(team.manager.post(&format!("{}/unlock", team.user_path()), json!({})).await.status, 200);
    assert_eq!(team.api.login(USER, PASSWORD).await.status, 200);
    assert_eq!(team.deployment.number("SELECT COUNT(*) FROM daily_guesses").await, 0);
}

#[rstest]
#[tokio::test]
async fn a_deleted_account_comes_back_unless_its_address_is_taken(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    assert_eq!(team.admin.patch(&team.user_path(), json!({"username": "user"})).await.status, 200);
    assert_eq!(team.admin.delete(&team.user_path()).await.status, 204);
    assert_eq!(team.api.me(&team.user.access).await.status, 401);
    for part in ["sessions", "login-history", "identities", "roles", "api-keys"] {
        assert_eq!(team.admin.get(&format!("{}/{part}", team.user_path())).await.status, 404, "{part}");
    }
    assert_eq!(team.admin.delete(&team.user_path()).await.status, 404);
    let restore = format!("{}/restore", team.user_path());
    let restored = team.admin.post(&restore, json!({})).await;
    assert_eq!(
        (restored.status, restored.text("email"), restored.body["roles"].clone()),
        (200, USER.to_owned(), json!(["user"]))
    );
    assert_eq!(team.admin.post(&restore, json!({})).await.status, 404, "it is there");
    assert_eq!(team.api.login(USER, PASSWORD).await.status, 200);

    assert_eq!(team.admin.delete(&team.user_path()).await.status, 204);
    assert_eq!(team.api.register(USER).await.status, 201);
    assert_eq!(team.admin.post(&restore, json!({})).await.code(), "email_taken");
    assert_eq!(team.deployment.change("UPDATE users SET email = 'other@example.com', username = 'USER' WHERE deleted_at IS NULL AND email = 'user@example.com'").await, 1);
    assert_eq!(team.admin.post(&restore, json!({})).await.code(), "username_taken");
}

#[rstest]
#[tokio::test]
async fn sessions_of_others_are_seen_and_ended(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let second = team.api.log_in(USER).await;
    let path = format!("{}/sessions", team.user_path());
    let listed = team.manager.get(&path).await;
    assert_eq!((listed.status, &listed.body["total"]), (200, &json!(2)));
    let is_current: Vec<&Value> = listed.body["items"].as_array().unwrap().iter().map(|s| &s["current"]).collect();
    assert_eq!(is_current, [&json!(false), &json!(false)]);
    assert_eq!(team.manager.delete(&path).await.status, 204);
    for access in [&team.user.access, &second.access] {
        assert_eq!(team.api.me(access).await.status, 401);
    }
    assert_eq!(team.manager.get(&path).await.body["total"], 0);
}

#[rstest]
#[tokio::test]
async fn a_reset_is_mailed_and_nothing_else_happens(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let answer = team.manager.post(&format!("{}/password-reset", team.user_path()), json!({})).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let kinds = team.deployment.column::<String>("SELECT kind FROM mail_outbox WHERE kind <> 'verify_email'").await;
    assert_eq!(kinds, ["reset_password"]);
    assert_eq!(team.api.me(&team.user.access).await.status, 200);
    assert_eq!(team.api.login(USER, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn without_mail_calls_whose_purpose_is_a_mail_say_so() {
    let team = Team::new(Engine::Sqlite).await;
    let mut config = team.deployment.config();
    config.mail.delivery = auth_service::config::Delivery::Nowhere;
    let api = team.deployment.start_with(config).await;
    let admin = api.bearing_as(ADMIN).await;
    for (path, body) in [
        (USERS.to_owned(), json!({"email": "x@example.com"})),
        (format!("{USERS}/bulk"), json!({"items": [{"email": "x@example.com"}]})),
        (format!("{}/password-reset", team.user_path()), json!({})),
    ] {
        let refused = admin.post(&path, body).await;
        assert_eq!((refused.status, refused.code()), (503, "mail_not_configured"), "{path}");
    }
}

//! Accounts without an e-mail address, as of people of whom another service told none

use std::time::Duration;

use auth_service::{
    dormant,
    ids::UserId,
    import,
    operator::{self, Filter, Layout, Operator},
};
use rstest::rstest;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    mailbox::{letter, with_relay},
    support::{Answer, Deployment, Engine, Instance, PASSWORD},
    team::Team,
    waiting::until,
};

const ME: &str = "/api/v1/users/me";
const USERS: &str = "/api/v1/users";
const DAY: Duration = Duration::from_secs(86_400);
const IN_TIME: Duration = Duration::from_secs(10);

/// Makes an account and takes its address behind the service's back; gives a client of its owner's.
async fn nameless(deployment: &Deployment, api: &Instance, username: &str) -> Instance {
    let email = format!("{username}@gone.example");
    let body = json!({"email": email, "password": PASSWORD, "username": username, "display_name": "Kim"});
    let registered = api.post("/api/v1/auth/register", body).await;
    assert!([201, 202].contains(&registered.status), "{registered:?}");
    let take = format!(
        "UPDATE users SET email = NULL, email_verified_at = NULL, status = 'active', username = '{username}'
         WHERE email = '{email}'"
    );
    assert_eq!(deployment.change(&take).await, 1);
    deployment.change(&format!("DELETE FROM mail_outbox WHERE recipient = '{email}'")).await;
    let login = log_in(api, username).await;
    assert_eq!(login.status, 200, "{login:?}");
    let own = api.bearing(&login.text("access_token"));
    // The name is written once more, and with it what the account is found by.
    assert_eq!(own.patch(ME, json!({"display_name": format!("Kim {username}")})).await.status, 200);
    own
}

async fn log_in(api: &Instance, username: &str) -> Answer {
    api.post("/api/v1/auth/login", json!({"username": username, "password": PASSWORD})).await
}

/// All that a list shows, page by page: addresses, or usernames where there is none.
async fn walk(admin: &Instance, query: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{USERS}?limit=2&{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        for user in page.body["items"].as_array().unwrap() {
            let name = user["email"].as_str().or(user["username"].as_str()).unwrap();
            seen.push(name.split('@').next().unwrap().to_owned());
        }
        let Some(next) = page.body["next_cursor"].as_str() else { return seen };
        cursor = format!("&cursor={next}");
    }
}

#[rstest]
#[tokio::test]
async fn they_are_shown_found_and_listed_after_those_who_have_one(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let mut people = Vec::new();
    for username in ["n3", "n1", "n2"] {
        people.push(nameless(&team.deployment, &team.api, &format!("{username}.kim")).await);
        team.deployment.clock.advance(Duration::from_secs(1));
    }
    let me = people[0].get(ME).await;
    assert_eq!((&me.body["email"], &me.body["email_verified"]), (&Value::Null, &json!(false)), "{me:?}");
    let admin = team.api.bearing_as("admin@example.com").await;
    assert_eq!(admin.get(&format!("{USERS}/{}", me.text("id"))).await.body["email"], Value::Null);
    let last = ["n3.kim", "n1.kim", "n2.kim"];
    for filter in ["", "&role=user", "&status=active", "&last_login_before=2030-01-01T00:00:00Z"] {
        let all = walk(&admin, &format!("sort=email{filter}")).await;
        assert_eq!(all, [&["admin", "manager", "user"], &last[..]].concat(), "{filter}");
        let all = walk(&admin, &format!("sort=-email{filter}")).await;
        assert_eq!(all, [&["user", "manager", "admin"], &last[..]].concat(), "{filter}");
    }
    for search in ["kim", "ki", "Kim%20n", "n3.KIM"] {
        for sort in ["email", "-email", "-created_at"] {
            let found = walk(&admin, &format!("sort={sort}&search={search}")).await;
            assert_eq!(found.len(), if search == "n3.KIM" { 1 } else { 3 }, "{sort} {search}");
        }
    }
    assert_eq!(walk(&admin, "search=gone.example").await, [""; 0]);
    assert_eq!(admin.get(&format!("{USERS}?sort=email&limit=1")).await.body["total"], 6);
}

#[rstest]
#[tokio::test]
async fn one_gets_an_address_by_proving_it_and_nobody_else_is_told(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let (kim, lee) = (nameless(&deployment, &api, "kim").await, nameless(&deployment, &api, "lee").await);
    assert_eq!(kim.put("/api/v1/users/me/email", json!({"email": "new@example.com"})).await.status, 202);
    let sent = letter(&relay, "new@example.com", "Confirm your new e-mail address").await;
    assert_eq!(api.post_token("/api/v1/auth/email/confirm", &sent.token("/confirm-email")).await.status, 204);
    let me = kim.get(ME).await;
    assert_eq!((me.text("email").as_str(), &me.body["email_verified"]), ("new@example.com", &json!(true)));
    assert_eq!(lee.get(ME).await.body["email"], Value::Null);
    assert_eq!(api.login("new@example.com", PASSWORD).await.status, 200);
    let found = "SELECT COUNT(*) FROM users WHERE search_text LIKE '%new@example.com%'";
    assert_eq!(deployment.number(found).await, 1, "and is found by it");
    let taken = lee.put("/api/v1/users/me/email", json!({"email": "new@example.com"})).await;
    assert_eq!(taken.status, 202);
    deployment.outbox_is_empty().await;
    let kinds: Vec<String> = deployment.column("SELECT kind FROM mail_outbox ORDER BY kind").await;
    assert_eq!(kinds, ["change_email", "new_device"], "of the change, nobody at an old address");
}

#[rstest]
#[tokio::test]
async fn what_would_be_told_to_them_is_not_queued(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let kim = nameless(&team.deployment, &team.api, "kim").await;
    team.deployment.change("DELETE FROM mail_outbox").await;
    assert_eq!(log_in(&team.api, "kim").await.status, 200, "on another device");
    assert_eq!(log_in(&team.api, "KIM").await.status, 200);
    let own_name = json!({"current_password": PASSWORD, "new_password": "Kim kim Kim"});
    assert_eq!(kim.put("/api/v1/users/me/password", own_name).await.code(), "weak_password");
    let change = json!({"current_password": PASSWORD, "new_password": "purple tram over hills"});
    assert_eq!(kim.put("/api/v1/users/me/password", change).await.status, 204);
    let reset = format!("{USERS}/{}/password-reset", kim.own_id().await);
    let refused = team.manager.post(&reset, json!({})).await;
    assert_eq!((refused.status, refused.code()), (409, "no_email"), "{refused:?}");
    assert_eq!(team.deployment.number("SELECT COUNT(*) FROM mail_outbox").await, 0);
    let asked = "SELECT COUNT(*) FROM audit_logs WHERE event = 'password_reset_requested'";
    assert_eq!(team.deployment.number(asked).await, 0);
}

#[rstest]
#[tokio::test]
async fn they_need_not_prove_what_they_do_not_have(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let mut config = team.deployment.config();
    config.mail.requires_verification = true;
    let strict = team.deployment.start_with(config).await;
    let kim = nameless(&team.deployment, &strict, "kim").await;
    assert_eq!(log_in(&strict, "kim").await.status, 200);
    let path = format!("{USERS}/{}", kim.own_id().await);
    assert_eq!(team.deployment.change("UPDATE users SET status = 'pending' WHERE username = 'kim'").await, 1);
    let (pending, unknown) = (log_in(&strict, "kim").await, log_in(&strict, "nobody").await);
    assert_eq!((pending.status, pending.code()), (unknown.status, unknown.code()));
    let opened = team.manager.post(&format!("{path}/enable"), json!({})).await;
    assert_eq!((&opened.body["status"], &opened.body["email_verified"]), (&json!("active"), &json!(false)));
    assert_eq!(log_in(&strict, "kim").await.status, 200);
}

#[rstest]
#[tokio::test]
async fn an_expired_password_of_theirs_is_replaced(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine).set("PASSWORD_EXPIRES_DAYS", "90");
    let api = deployment.start().await;
    nameless(&deployment, &api, "kim").await;
    deployment.clock.advance(DAY * 90);
    let expired = log_in(&api, "kim").await;
    assert_eq!(expired.text("status"), "password_expired");
    let body = json!({"token": expired.text("reset_token"), "new_password": "purple tram over hills"});
    assert_eq!(api.post("/api/v1/auth/password/reset", body).await.status, 204);
    let login = json!({"username": "kim", "password": "purple tram over hills"});
    let login = api.post("/api/v1/auth/login", login).await;
    assert_eq!(api.me(&login.text("access_token")).await.body["email_verified"], false, "no mail, no proof");
}

#[rstest]
#[tokio::test]
async fn they_are_exported_and_an_import_says_what_is_missing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Layout::Ndjson, Layout::Csv)] layout: Layout,
) {
    let deployment = Deployment::new(engine);
    let (api, config) = (deployment.start().await, deployment.config());
    let kim = nameless(&deployment, &api, "kim").await;
    let own = kim.get("/api/v1/users/me/export").await;
    assert_eq!((own.status, &own.body["profile"]["email"]), (200, &Value::Null), "{own:?}");
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    let filter = Filter { search: Some("kim".to_owned()), role: None, status: None, limit: 10 };
    let listed = operator::list(&operator, filter).await.unwrap();
    assert_eq!(listed.into_iter().map(|account| account.email).collect::<Vec<_>>(), [None]);
    let mut written = Vec::new();
    assert_eq!(operator::export(&operator, layout, true, &mut written).await.unwrap(), 1);
    let text = String::from_utf8(written.clone()).unwrap();
    let (format, empty) = if layout == Layout::Csv { ("csv", ",,kim,") } else { ("ndjson", r#""email":null,"#) };
    assert!(text.contains(empty), "{text}");

    let path = std::path::PathBuf::from(deployment.get("DATA_DIR")).join("export");
    std::fs::write(&path, written).unwrap();
    let (format, report) = (format.parse().unwrap(), Some(path.with_extension("report")));
    let options = import::Options { path, format, mode: import::Mode::Add, report: report.clone(), firebase: None };
    let outcome = import::run(&api.app.db, &deployment.clock, options, |_| ()).await.unwrap();
    assert_eq!((outcome.seen.added, outcome.seen.refused), (0, 1), "{outcome:?}");
    let refused: Value = serde_json::from_str(&std::fs::read_to_string(report.unwrap()).unwrap()).unwrap();
    assert_eq!(refused["code"], "required", "{refused}");
}

#[rstest]
#[case("30", 0)]
#[case("0", 1)]
#[tokio::test]
async fn who_cannot_be_told_is_closed_for_disuse_only_where_nobody_is_told(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[case] notice: &str,
    #[case] closed: i64,
) {
    let deployment = Deployment::new(engine).set("DORMANT_AFTER_DAYS", "365").set("DORMANT_NOTICE_DAYS", notice);
    let api = deployment.start().await;
    nameless(&deployment, &api, "kim").await;
    let rule = api.app.config.dormancy.unwrap();
    for _ in 0..2 {
        deployment.clock.advance(DAY * 366);
        for _ in 0..2 {
            let tx = api.app.db.begin().await.unwrap();
            dormant::see_to_page(&api.app, tx, &rule, UserId(Uuid::nil())).await.unwrap();
        }
    }
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users WHERE status = 'disabled'").await, closed);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM mail_outbox").await, 0);
}

#[rstest]
#[tokio::test]
async fn they_are_deleted_restored_and_erased(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let (kim, lee) =
        (nameless(&team.deployment, &team.api, "kim").await, nameless(&team.deployment, &team.api, "lee").await);
    let path = format!("{USERS}/{}", kim.own_id().await);
    assert_eq!(kim.delete(ME).await.status, 204);
    assert_eq!(walk(&team.admin, "deleted=true&sort=email").await, ["kim"]);
    let restored = team.admin.post(&format!("{path}/restore"), json!({})).await;
    assert_eq!((restored.status, &restored.body["email"]), (200, &Value::Null), "beside another one without");
    for own in [lee, team.api.bearing(&log_in(&team.api, "kim").await.text("access_token"))] {
        assert_eq!(own.delete(ME).await.status, 204);
    }
    team.deployment.is_sealed().await;
    team.deployment.clock.advance(DAY * 31);
    let _restarted = team.deployment.start().await;
    let left = "SELECT COUNT(*) FROM users WHERE email IS NULL";
    until("both are erased", IN_TIME, async || team.deployment.number(left).await == 0).await;
}

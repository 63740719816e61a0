//! What an operator does at the command line, seen by the API that runs meanwhile

use auth_service::operator::{self, Administrator, Filter, Layout, Made, Operator, OperatorError};
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Deployment, Engine, PASSWORD},
    waiting::{A_SECOND, until},
};

fn administrator(email: &str, password: Option<&str>) -> Administrator {
    Administrator { email: email.to_owned(), username: None, password: password.map(str::to_owned) }
}

#[rstest]
#[tokio::test]
async fn a_made_administrator_logs_in_with_the_password_that_is_shown_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values("nist", "kisa-2019", "legacy-8x3")] preset: &str,
) {
    let deployment = Deployment::new(engine).set("PASSWORD_POLICY", preset);
    let (api, config) = (deployment.start().await, deployment.config());
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    let made = operator::create_administrator(&operator, administrator("Root@Example.com", None)).await;
    let Ok(Made::Created(Some(password))) = made else { panic!("made with a password") };
    let login = api.login("root@example.com", &password).await;
    let me = api.me(&login.text("access_token")).await.body;
    assert_eq!((&me["roles"], &me["email_verified"]), (&json!(["admin", "user"]), &json!(true)));
    assert_eq!(me["permissions"].as_array().unwrap().len(), 10);
    let again = operator::create_administrator(&operator, administrator("root@example.com", None)).await;
    assert!(matches!(again, Ok(Made::Unchanged)));
    let stored: Vec<String> = deployment.column("SELECT details FROM audit_logs").await;
    assert!(stored.iter().all(|details| !details.contains(&password)));
}

#[rstest]
#[tokio::test]
async fn a_weak_or_unusable_wish_is_refused_and_makes_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let (api, config) = (deployment.start().await, deployment.config());
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    for (email, password) in [("a@example.com", "password1!"), ("a@example.com", "short"), ("nobody", PASSWORD)] {
        let refused = operator::create_administrator(&operator, administrator(email, Some(password))).await;
        assert!(matches!(refused, Err(OperatorError::Weak(_) | OperatorError::Invalid { .. })), "{email} {password}");
    }
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 0);
}

#[rstest]
#[tokio::test]
async fn whoever_is_promoted_stays_logged_in_and_refreshes_to_the_new_rights(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let (api, config) = (deployment.start().await, deployment.config());
    let person = api.person("kim@example.com").await;
    assert_eq!(deployment.change("UPDATE users SET email_verified_at = created_at").await, 1);
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    let made = operator::create_administrator(&operator, administrator("kim@example.com", Some("x"))).await;
    assert!(matches!(made, Ok(Made::Promoted { was_closed: false })));
    let refreshed = api.refresh(&person.refresh).await;
    assert_eq!(refreshed.status, 200);
    assert_eq!(api.me(&refreshed.text("access_token")).await.body["roles"], json!(["admin", "user"]));
    assert_eq!(deployment.number("SELECT COUNT(*) FROM revocations WHERE kind = 'user'").await, 1);
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 200, "the password stays");
}

#[rstest]
#[tokio::test]
async fn whoever_only_claimed_the_administrators_address_keeps_nothing_of_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    const NEW: &str = "purple tram over the hill";
    let deployment = Deployment::new(engine);
    let (api, config) = (deployment.start().await, deployment.config());
    let squatter = api.person("admin@example.com").await;
    let wish = json!({"name": "squatter", "scopes": []});
    let key = api.bearing(&squatter.access).post("/api/v1/api-keys", wish).await.text("key");
    let key = api.with_header("x-api-key", &key);
    assert_eq!(key.get("/api/v1/users/me").await.status, 200);
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    let made = operator::create_administrator(&operator, administrator("admin@example.com", Some(NEW))).await;
    assert!(matches!(made, Ok(Made::TakenOver(None))));
    assert_eq!(api.refresh(&squatter.refresh).await.status, 401);
    api.refuses_in_time(&squatter.access).await;
    until("the key is refused", A_SECOND, async || key.get("/api/v1/users/me").await.status == 401).await;
    assert_eq!(api.login("admin@example.com", PASSWORD).await.status, 401);
    let login = api.login("admin@example.com", NEW).await;
    assert_eq!(api.me(&login.text("access_token")).await.body["roles"], json!(["admin", "user"]));
}

#[rstest]
#[tokio::test]
async fn a_disabled_person_is_out_everywhere_and_the_last_administrator_stays(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let (api, config) = (deployment.start().await, deployment.config());
    let person = api.person("kim@example.com").await;
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    for email in ["a@example.com", "b@example.com"] {
        operator::create_administrator(&operator, administrator(email, None)).await.unwrap();
    }
    assert!(operator::disable(&operator, "KIM@example.com").await.unwrap());
    assert!(!operator::disable(&operator, "kim@example.com").await.unwrap(), "it is disabled already");
    assert_eq!(api.refresh(&person.refresh).await.status, 401);
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401);
    let (one, other) =
        tokio::join!(operator::disable(&operator, "a@example.com"), operator::disable(&operator, "b@example.com"));
    let outcomes = [one, other];
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(OperatorError::LastAdministrator))).count();
    assert_eq!(refused, 1, "two at once cannot both go");
    for unknown in ["nobody@example.com", "00000000-0000-7000-8000-000000000000"] {
        assert!(matches!(operator::disable(&operator, unknown).await, Err(OperatorError::NotFound(_))));
    }
}

#[rstest]
#[tokio::test]
async fn accounts_are_listed_by_text_role_and_status(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let (api, config) = (deployment.start().await, deployment.config());
    for email in ["kim_1@example.com", "kimx1@example.com", "lee@example.com"] {
        assert_eq!(api.register(email).await.status, 201);
    }
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    operator::create_administrator(&operator, administrator("root@example.com", None)).await.unwrap();
    operator::disable(&operator, "lee@example.com").await.unwrap();
    let list = async |search: Option<&str>, role: Option<&str>, status: Option<&str>| {
        let [search, role, status] = [search, role, status].map(|text| text.map(str::to_owned));
        let found = operator::list(&operator, Filter { search, role, status, limit: 10 }).await.unwrap();
        let mut emails: Vec<_> = found.into_iter().filter_map(|account| account.email).collect();
        emails.sort_unstable();
        emails.join(" ")
    };
    assert_eq!(list(Some("KIM_"), None, None).await, "kim_1@example.com", "what is searched for stands for itself");
    assert_eq!(list(Some("%"), None, None).await, "");
    assert_eq!(list(None, Some("admin"), None).await, "root@example.com");
    assert_eq!(list(None, None, Some("disabled")).await, "lee@example.com");
    assert_eq!(list(Some("example"), Some("user"), Some("active")).await.split(' ').count(), 3);
}

#[rstest]
#[tokio::test]
async fn an_export_holds_hashes_only_if_asked_for_and_is_imported_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Layout::Ndjson, Layout::Csv)] layout: Layout,
) {
    let deployment = Deployment::new(engine);
    let (api, config) = (deployment.start().await, deployment.config());
    let body = json!({"email": "kim@example.com", "password": PASSWORD, "username": "kim", "display_name": "Kim, \"Dal\"", "locale": "ko"});
    assert_eq!(api.post("/api/v1/auth/register", body).await.status, 201);
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    let mut plain = Vec::new();
    assert_eq!(operator::export(&operator, layout, false, &mut plain).await.unwrap(), 1);
    let plain = String::from_utf8(plain).unwrap();
    assert!(!plain.contains("argon2") && !plain.contains("password"), "{plain}");
    if layout == Layout::Ndjson {
        assert_eq!(serde_json::from_str::<Value>(&plain).unwrap()["roles"], json!(["user"]));
    }
    let mut whole = Vec::new();
    operator::export(&operator, layout, true, &mut whole).await.unwrap();

    let elsewhere = Deployment::new(engine);
    let there = elsewhere.start().await;
    let path = std::path::PathBuf::from(elsewhere.get("DATA_DIR")).join("export");
    std::fs::write(&path, whole).unwrap();
    let format = if layout == Layout::Csv { "csv" } else { "ndjson" }.parse().unwrap();
    let mode = auth_service::import::Mode::Add;
    let options = auth_service::import::Options { path, format, mode, report: None, firebase: None };
    let outcome = auth_service::import::run(&there.app.db, &elsewhere.clock, options, |_| ()).await.unwrap();
    assert_eq!((outcome.seen.added, outcome.seen.refused), (1, 0), "{outcome:?}");
    let login = there.login("kim@example.com", PASSWORD).await;
    assert_eq!(there.me(&login.text("access_token")).await.body["display_name"], "Kim, \"Dal\"");
    assert_eq!(deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'users_exported'").await, 2);
}

//! A demonstration as the API shows it: people who are found, an administrator who gets in, and nobody who is written to.

use std::collections::BTreeMap;

use auth_service::operator::{
    Beside, DEMO_ADMINISTRATOR, Demonstration, Filled, Made, Operator, OperatorError, fill_demo,
};
use rstest::rstest;
use serde_json::Value;

use crate::{
    support::{Deployment, Engine, Instance},
    waiting::{A_SECOND, until},
};

const SEED: u64 = 7;
const USERS: u64 = 200;

/// Fills a deployment's database.
async fn fill(deployment: &Deployment, seed: u64, beside: Beside) -> Result<Filled, OperatorError> {
    let (api, config) = (deployment.start().await, deployment.config());
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    fill_demo(&operator, Demonstration { users: USERS, seed, beside }, |_| ()).await
}

/// A client that is logged in as the demonstration's administrator.
async fn administrator(api: &Instance, filled: &Filled) -> Instance {
    let Made::Created(Some(password)) = &filled.administrator else { panic!("made with a password") };
    let login = api.login(DEMO_ADMINISTRATOR, password).await;
    api.bearing(&login.text("access_token"))
}

async fn names(deployment: &Deployment) -> Vec<String> {
    deployment.column("SELECT display_name FROM users WHERE display_name IS NOT NULL ORDER BY display_name").await
}

/// Everything in a list, page by page.
async fn all(api: &Instance, path: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}limit=100{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        items.extend(page.body["items"].as_array().unwrap().iter().cloned());
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

#[rstest]
#[tokio::test]
async fn the_administrator_finds_everybody_by_what_the_service_finds_people_by(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let filled = fill(&deployment, SEED, Beside::Demonstrations).await.unwrap();
    assert_eq!(filled.rows["users"], USERS);
    let api = deployment.start().await;
    let admin = administrator(&api, &filled).await;
    let (people, gone) = (all(&admin, "/api/v1/users?").await, all(&admin, "/api/v1/users?deleted=true&").await);
    assert_eq!(people.len() + gone.len(), USERS as usize + 1);
    assert_eq!(gone.len(), 2);
    let of_status = |status: &str| people.iter().filter(|person| person["status"] == status).count();
    assert_eq!((of_status("pending"), of_status("disabled")), (8, 4));
    let odd = people.iter().find(|person| person["display_name"] == "<script>alert('demo')</script>").unwrap();
    for (search, name) in [("%3CSCRIPT", "<script>alert('demo')</script>"), ("%EA%B9%80", "김"), ("naver.ex", "")] {
        let found = all(&admin, &format!("/api/v1/users?search={search}&")).await;
        let is_such = |person: &&Value| person["display_name"].as_str().unwrap().starts_with(name);
        assert!(!found.is_empty() && found.iter().all(|person| is_such(&person)), "{search}: {found:?}");
    }
    let email = odd["email"].as_str().unwrap();
    assert_eq!(all(&admin, &format!("/api/v1/users?search={email}&")).await.len(), 1);
    let managers = all(&admin, "/api/v1/users?role=manager&").await;
    assert_eq!(managers.len(), 2);
}

#[rstest]
#[tokio::test]
async fn people_have_pasts_that_end_now_and_sessions_that_live(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let filled = fill(&deployment, SEED, Beside::Demonstrations).await.unwrap();
    let api = deployment.start().await;
    let admin = administrator(&api, &filled).await;
    let people = all(&admin, "/api/v1/users?").await;
    let now = deployment.clock.now().to_string();
    let mut live = 0;
    for person in &people {
        let [created, last] = ["created_at", "last_login_at"].map(|name| person[name].as_str().unwrap_or_default());
        assert!(created <= now.as_str() && last <= now.as_str() && (last.is_empty() || created <= last), "{person}");
    }
    for person in people.iter().filter(|person| !person["last_login_at"].is_null()).take(40) {
        let path = format!("/api/v1/users/{}/sessions", person["id"].as_str().unwrap());
        live += admin.get(&path).await.body["items"].as_array().unwrap().len();
    }
    assert!(live > 5, "{live}");
    for (table, least) in
        [("sessions", 60), ("login_histories", 1_500), ("oauth_accounts", 50), ("api_keys", 5), ("audit_logs", 500)]
    {
        assert!(filled.rows[table] >= least, "{table}: {}", filled.rows[table]);
    }
    // The ids agree with the times, or pages by id and by time would differ.
    let orders = "SELECT COUNT(*) FROM users AS one JOIN users AS other ON one.id < other.id
        WHERE one.created_at > other.created_at AND other.email <> 'admin@demo.example.com'";
    assert_eq!(deployment.number(orders).await, 0);
    let early = "SELECT COUNT(*) FROM login_histories JOIN users ON users.id = user_id WHERE at < created_at";
    assert_eq!(deployment.number(early).await, 0);
    let attack = "SELECT COUNT(*) FROM login_histories WHERE outcome = 'refused' AND ip_address LIKE '203.0.113.%'";
    assert!(deployment.number(attack).await > 20);
}

#[rstest]
#[tokio::test]
async fn the_month_before_is_told_of_day_by_day(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    // What was counted before they came is counted again.
    auth_service::jobs::count_activity(&api.app).await.unwrap();
    let filled = fill(&deployment, SEED, Beside::Demonstrations).await.unwrap();
    until("the hours are counted", A_SECOND * 20, async || {
        auth_service::jobs::count_activity(&api.app).await.unwrap();
        deployment.number("SELECT COUNT(*) FROM presence_hours WHERE people IS NOT NULL").await >= 719
    })
    .await;
    let admin = administrator(&api, &filled).await;
    let answer = admin.get("/api/v1/statistics?window=30d").await;
    let told = |member: &str| -> Vec<u64> {
        answer.body["buckets"].as_array().unwrap().iter().map(|day| day[member].as_u64().unwrap()).collect()
    };
    // Now it is midnight: nobody has come yet today but the administrator.
    let (logins, people, sessions) = (told("logins"), told("active_users"), told("sessions"));
    assert_eq!(people[29], 1);
    for day in 0..29 {
        assert!(0 < people[day] && people[day] <= logins[day], "{people:?} {logins:?}");
    }
    assert!(people.iter().sum::<u64>() < logins.iter().sum::<u64>() * 9 / 10, "each once a day");
    assert!(sessions.iter().all(|open| (sessions[29] / 2..sessions[29] * 2).contains(open)), "{sessions:?}");
    assert_eq!(sessions[29], answer.body["totals"]["live_sessions"]);
    assert!(sessions[28].abs_diff(sessions[29]) <= 3, "the sessions of which rows are left: {sessions:?}");
}

#[rstest]
#[tokio::test]
async fn nobody_is_written_to_nobody_enters_and_the_log_is_sealed(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let filled = fill(&deployment, SEED, Beside::Demonstrations).await.unwrap();
    let waiting = "SELECT COUNT(*) FROM mail_outbox WHERE handed_over_at IS NULL AND failed_at IS NULL";
    assert_eq!(deployment.number(waiting).await, 0);
    for state in ["sent_at IS NOT NULL", "failed_at IS NOT NULL"] {
        assert!(deployment.number(&format!("SELECT COUNT(*) FROM mail_outbox WHERE {state}")).await > 0, "{state}");
    }
    let hashes: Vec<String> = deployment
        .column("SELECT DISTINCT password_hash FROM users WHERE password_hash IS NOT NULL AND email LIKE '%.example'")
        .await;
    assert_eq!(hashes.len(), 1, "one that nobody knows the password of");
    let Made::Created(Some(password)) = &filled.administrator else { panic!("made with a password") };
    let email = "SELECT email FROM users WHERE email LIKE '%.example' AND status = 'active' AND deleted_at IS NULL";
    let emails: Vec<String> = deployment.column(email).await;
    assert_eq!(api.login(&emails[0], password).await.status, 401);
    until("the log is sealed", A_SECOND * 20, async || {
        deployment.number("SELECT COUNT(*) FROM audit_logs WHERE seq IS NULL").await == 0
    })
    .await;
    let report = auth_service::audit::verify(&api.app.db, None).await.unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
}

#[tokio::test]
async fn the_same_seed_has_the_same_people_and_another_seed_others() {
    let mut seen = BTreeMap::new();
    for (engine, seed) in [(Engine::Sqlite, SEED), (Engine::Postgres, SEED), (Engine::Sqlite, SEED + 1)] {
        let deployment = Deployment::new(engine);
        fill(&deployment, seed, Beside::Demonstrations).await.unwrap();
        let mut people = names(&deployment).await;
        people.sort_unstable();
        let known = seen.entry(seed).or_insert_with(|| people.clone());
        assert_eq!(*known, people, "{engine:?} {seed}");
    }
    assert_ne!(seen[&SEED], seen[&(SEED + 1)]);
}

#[rstest]
#[tokio::test]
async fn it_is_refused_in_production_and_beside_real_people(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let (api, mut config) = (deployment.start().await, deployment.config());
    config.environment = service_kit::config::Environment::Production;
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    let wish = Demonstration { users: USERS, seed: SEED, beside: Beside::Anybody };
    assert!(matches!(fill_demo(&operator, wish, |_| ()).await, Err(OperatorError::Production)));
    api.person("kim@auth-system.dev").await;
    assert!(matches!(fill(&deployment, SEED, Beside::Demonstrations).await, Err(OperatorError::OthersThere)));
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 1);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM roles").await, 3);
    fill(&deployment, SEED, Beside::Anybody).await.unwrap();
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 2 + USERS as i64);
}

#[rstest]
#[tokio::test]
async fn a_second_demonstration_joins_the_first_and_its_administrator_stays(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    fill(&deployment, SEED, Beside::Demonstrations).await.unwrap();
    let again = fill(&deployment, SEED, Beside::Demonstrations).await.unwrap();
    assert!(matches!(again.administrator, Made::Unchanged));
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 1 + 2 * USERS as i64);
}

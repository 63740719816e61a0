//! The console's door: its secret, its people's sessions, and how an installation is set up.

use std::time::Duration;

use auth_service::console::setup;
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::{
    mailbox::with_relay,
    support::{Answer, Deployment, Engine, Instance, PASSWORD},
};

const SECRET: &str = "secret-of-the-console-of-the-tests";
const LOGIN: &str = "/internal/v1/console/login";
const SETUP: &str = "/internal/v1/console/setup";
const STATE: &str = "/internal/v1/console";
const ADMIN: &str = "admin@example.com";
const MINUTE: Duration = Duration::from_secs(60);

/// An instance that knows a console, and that console.
struct Door {
    deployment: Deployment,
    api: Instance,
    console: Instance,
}

impl Door {
    async fn new(engine: Engine) -> Self {
        Self::of(Deployment::new(engine)).await
    }

    async fn of(deployment: Deployment) -> Self {
        let deployment = deployment.set("ADMIN_CLIENT_SECRET", SECRET);
        let api = deployment.start().await;
        let console = api.with_header("x-client-secret", SECRET);
        Self { deployment, api, console }
    }

    /// Somebody with this role, and a session of theirs at the console.
    async fn somebody(&self, email: &str, role: &str) -> Instance {
        self.deployment.person_as(&self.api, email, role).await;
        self.enter(email).await
    }

    async fn enter(&self, email: &str) -> Instance {
        let login = self.log_in(email).await;
        assert_eq!(login.status, 200, "{login:?}");
        self.console.bearing(&login.text("credential"))
    }

    async fn log_in(&self, email: &str) -> Answer {
        self.console.post(LOGIN, json!({"email": email, "password": PASSWORD})).await
    }

    async fn setup_token(&self) -> Option<String> {
        let token = setup::prepare(&self.api.app.db, &self.api.app.config, self.api.app.now()).await.unwrap();
        token.map(|token| token.to_wire())
    }

    async fn set_up(&self, token: &str, email: &str) -> Answer {
        self.console.post(SETUP, json!({"token": token, "email": email, "password": PASSWORD})).await
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn only_the_console_finds_the_door(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    let stranger = door.api.with_header("x-client-secret", "guess");
    for (method, path) in [(Method::GET, STATE), (Method::POST, SETUP), (Method::POST, LOGIN)] {
        for client in [&door.api, &stranger] {
            let answer = client.call(method.clone(), path, json!({})).await;
            assert_eq!((answer.status, answer.code()), (401, "invalid_token"), "{path}");
        }
    }
    // A wrong secret is refused whatever is called.
    assert_eq!(stranger.get("/api/v1/users/me").await.status, 401);
    assert_eq!(door.console.get(STATE).await.body["setup_required"], true);
    let without = Deployment::new(engine).start().await;
    assert_eq!(without.get(STATE).await.status, 404);
    assert_eq!(without.with_header("x-client-secret", SECRET).get(STATE).await.status, 401);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn a_credential_is_worth_nothing_without_the_console(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    let admin = door.somebody(ADMIN, "admin").await;
    assert_eq!(admin.get("/api/v1/users").await.status, 200);
    let login = door.log_in(ADMIN).await;
    assert_eq!(login.members(), ["credential", "session_id"]);
    let credential = login.text("credential");
    let stolen = door.api.bearing(&credential);
    assert_eq!(stolen.get("/api/v1/users").await.status, 401);
    assert_eq!(door.api.refresh(&credential).await.status, 401);
    assert_eq!(door.api.refresh(credential.trim_start_matches("acs_")).await.status, 401);
    for forged in ["acs_", "acs_x", &credential[..credential.len() - 1], &format!("{credential}A")] {
        assert_eq!(door.console.bearing(forged).get("/api/v1/users").await.status, 401, "{forged}");
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn who_may_do_nothing_in_the_console_does_not_enter(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    door.api.person("user@example.com").await;
    let refused = door.log_in("user@example.com").await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));
    let wrong = door.console.post(LOGIN, json!({"email": "user@example.com", "password": "WrongPass123!"})).await;
    assert_eq!((wrong.status, wrong.code()), (401, "invalid_credentials"));
    // Nothing was begun.
    let sessions = door.api.bearing_as("user@example.com").await.get("/api/v1/auth/sessions").await;
    assert_eq!(sessions.body["total"], 2);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn sessions_end_when_idle_and_after_a_working_day(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    let admin = door.somebody(ADMIN, "admin").await;
    for _ in 0..47 {
        door.deployment.clock.advance(10 * MINUTE);
        assert_eq!(admin.get("/api/v1/users/me").await.status, 200);
    }
    // Eight hours, however much it was used.
    door.deployment.clock.advance(10 * MINUTE);
    assert_eq!(admin.get("/api/v1/users/me").await.status, 401);
    let idle = door.enter(ADMIN).await;
    door.deployment.clock.advance(14 * MINUTE);
    assert_eq!(idle.get("/api/v1/users/me").await.status, 200);
    door.deployment.clock.advance(16 * MINUTE);
    assert_eq!(idle.get("/api/v1/users/me").await.status, 401);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn every_instance_knows_at_once_who_was_signed_out_or_lost_a_right(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    let other = door.deployment.start().await;
    let admin = door.somebody(ADMIN, "admin").await;
    let manager = door.somebody("manager@example.com", "manager").await;
    let id = manager.own_id().await;
    // The same credential at another instance, which remembers it from here on.
    let login = door.log_in("manager@example.com").await;
    let elsewhere = other.with_header("x-client-secret", SECRET).bearing(&login.text("credential"));
    assert_eq!(elsewhere.get("/api/v1/users").await.status, 200);
    let demoted = admin.put(&format!("/api/v1/users/{id}/roles"), json!({"roles": ["user"]})).await;
    assert_eq!(demoted.status, 200, "{demoted:?}");
    elsewhere.until_refused("/api/v1/users", 403).await;
    assert_eq!(elsewhere.get("/api/v1/users/me").await.status, 200, "the session lives");
    assert_eq!(manager.post("/api/v1/auth/logout", json!({})).await.status, 204);
    assert_eq!(manager.get("/api/v1/users/me").await.status, 401);
    assert_eq!(admin.post(&format!("/api/v1/users/{id}/disable"), json!({})).await.status, 200);
    elsewhere.until_refused("/api/v1/users/me", 401).await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn what_is_hard_to_undo_asks_for_the_password_again(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    let admin = door.somebody(ADMIN, "admin").await;
    let user = door.api.person("user@example.com").await;
    let path = format!("/api/v1/users/{}", door.api.bearing(&user.access).own_id().await);
    let app = door.api.bearing_as(ADMIN).await;
    door.deployment.clock.advance(6 * MINUTE);
    for (method, end, body) in [
        (Method::DELETE, "", json!({})),
        (Method::PUT, "/roles", json!({"roles": ["manager"]})),
        (Method::GET, "/export", json!({})),
        (Method::DELETE, "/identities/kakao", json!({})),
    ] {
        refuse_stale(&admin.call(method, &format!("{path}{end}"), body).await, end);
    }
    // What can be undone is not worth a password, and a program has no screen that somebody could find.
    assert_eq!(admin.post(&format!("{path}/disable"), json!({})).await.status, 200);
    assert_eq!(app.put(&format!("{path}/roles"), json!({"roles": ["manager"]})).await.status, 200);
    let wrong = admin.post("/api/v1/auth/reauthenticate", json!({"password": "WrongPass123!"})).await;
    assert_eq!(wrong.code(), "wrong_password");
    assert_eq!(admin.post("/api/v1/auth/reauthenticate", json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(admin.delete(&path).await.status, 204);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn rights_are_given_on_no_path_without_the_password(#[case] engine: Engine) {
    let (_relay, deployment) = with_relay(engine);
    let door = Door::of(deployment).await;
    let admin = door.somebody(ADMIN, "admin").await;
    let (users, roles, permissions) = ("/api/v1/users", "/api/v1/roles", "/api/v1/permissions");
    let support = admin.post(roles, json!({"name": "support"})).await;
    let own = admin.post(permissions, json!({"name": "reports:read"})).await;
    let (role, permission) = (support.text("id"), own.text("id"));
    door.deployment.clock.advance(6 * MINUTE);
    let invited = json!({"email": "new@example.com", "roles": ["admin"]});
    let expiring =
        json!({"email": "new@example.com", "roles": [{"name": "admin", "expires_at": "2027-01-01T00:00:00Z"}]});
    let powers = json!({"name": "helper", "permissions": ["users:write"]});
    for (method, path, body) in [
        (Method::POST, users.to_owned(), invited.clone()),
        (Method::POST, users.to_owned(), expiring),
        (Method::POST, roles.to_owned(), powers.clone()),
        (Method::PUT, format!("{roles}/{role}/permissions"), json!({"permissions": ["users:write"]})),
        (Method::DELETE, format!("{roles}/{role}"), json!({})),
        (Method::DELETE, format!("{permissions}/{permission}"), json!({})),
    ] {
        refuse_stale(&admin.call(method, &path, body).await, &path);
    }
    // What gives nobody anything asks for nothing.
    let plain = json!({"email": "plain@example.com", "roles": ["user"]});
    let many = admin.post(&format!("{users}/bulk"), json!({"items": [invited, plain]})).await;
    let results = many.body["results"].as_array().unwrap();
    assert_eq!(results[0]["error"]["code"], "reauthentication_required", "{many:?}");
    assert_eq!((&results[0]["status"], &results[1]["status"]), (&json!(403), &json!(201)), "{many:?}");
    assert_eq!(admin.post(users, json!({"email": "usual@example.com"})).await.status, 201);
    assert_eq!(admin.post(roles, json!({"name": "empty", "permissions": []})).await.status, 201);
    assert_eq!(admin.post("/api/v1/auth/reauthenticate", json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(admin.post(roles, powers).await.status, 201);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn the_console_says_whose_request_it_passes_on(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    door.deployment.person_as(&door.api, ADMIN, "admin").await;
    let from = |client: &Instance| client.with_header("x-client-address", "203.0.113.7");
    let login = from(&door.console).post(LOGIN, json!({"email": ADMIN, "password": PASSWORD})).await;
    let admin = door.console.bearing(&login.text("credential"));
    let addresses = |sessions: &Answer| {
        let items = sessions.body["items"].as_array().unwrap();
        items.iter().filter_map(|item| item["ip_address"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert!(addresses(&admin.get("/api/v1/auth/sessions").await).contains(&"203.0.113.7".to_owned()));
    // Nobody else is believed.
    let plain = from(&door.api).login(ADMIN, PASSWORD).await;
    let sessions = door.api.bearing(&plain.text("access_token")).get("/api/v1/auth/sessions").await;
    assert_eq!(addresses(&sessions).iter().filter(|address| *address == "203.0.113.7").count(), 1);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn the_first_administrator_is_made_once(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    let token = door.setup_token().await.unwrap();
    // Every start says the same, as does every instance.
    assert_eq!(door.setup_token().await.as_ref(), Some(&token));
    let wrong = door.set_up(&"A".repeat(43), ADMIN).await;
    assert_eq!((wrong.status, wrong.code()), (400, "invalid_or_expired_token"));
    let weak = door.console.post(SETUP, json!({"token": token, "email": ADMIN, "password": "password1"})).await;
    assert_eq!((weak.status, weak.code()), (422, "weak_password"));
    let made = door.set_up(&token, ADMIN).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(door.console.get(STATE).await.body["setup_required"], false);
    assert_eq!(door.set_up(&token, "second@example.com").await.code(), "invalid_or_expired_token");
    assert_eq!(door.setup_token().await, None);
    let admin = door.enter(ADMIN).await;
    let me = admin.get("/api/v1/users/me").await;
    assert_eq!((&me.body["email_verified"], &me.body["roles"]), (&json!(true), &json!(["admin", "user"])));
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn of_many_who_set_up_at_once_one_does(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    let token = door.setup_token().await.unwrap();
    let emails: Vec<_> = (0..10).map(|n| format!("admin{n}@example.com")).collect();
    let answers = futures_util::future::join_all(emails.iter().map(|email| door.set_up(&token, email))).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![201], vec![400; 9]].concat());
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test]
async fn an_address_that_has_an_account_is_not_taken_over_and_the_token_stays_good(#[case] engine: Engine) {
    let door = Door::new(engine).await;
    let token = door.setup_token().await.unwrap();
    door.api.person(ADMIN).await;
    assert_eq!(door.set_up(&token, ADMIN).await.code(), "email_taken");
    assert_eq!(door.set_up(&token, "first@example.com").await.status, 201);
}

impl Instance {
    /// Calls until the answer has this status: within a second, by the revocations.
    async fn until_refused(&self, path: &str, status: u16) {
        let began = std::time::Instant::now();
        while self.get(path).await.status != status {
            assert!(began.elapsed() < Duration::from_secs(5), "{path} never answered {status}");
            tokio::task::yield_now().await;
        }
    }
}

fn refuse_stale(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.code()), (403, "reauthentication_required"), "{what}");
}

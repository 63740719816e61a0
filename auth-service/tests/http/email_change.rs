//! PUT /api/v1/users/me/email and POST /api/v1/auth/email/confirm

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::{
    mailbox::{letter, letters_to, nth_letter, with_relay},
    support::{Answer, Engine, Instance, PASSWORD, Person},
};

const CONFIRM: &str = "/api/v1/auth/email/confirm";
const SUBJECT: &str = "Confirm your new e-mail address";

async fn change(api: &Instance, person: &Person, email: &str) -> Answer {
    api.bearing(&person.access).call(Method::PUT, "/api/v1/users/me/email", json!({ "email": email })).await
}

#[rstest]
#[tokio::test]
async fn an_address_changes_when_the_new_one_is_proven(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    assert_eq!(change(&api, &kim, "New@Example.com").await.status, 202);
    let notice = letter(&relay, "kim@example.com", "A change of your e-mail address was requested").await;
    assert!(notice.text.contains("n***@example.com") && !notice.text.contains("new@example.com"), "{notice:?}");
    assert_eq!(api.me(&kim.access).await.text("email"), "kim@example.com", "not before it is proven");
    let token = letter(&relay, "new@example.com", SUBJECT).await.token("/confirm-email");
    assert_eq!(api.post_token(CONFIRM, &token).await.status, 204);
    let me = api.me(&kim.access).await;
    assert_eq!((me.text("email").as_str(), &me.body["email_verified"]), ("new@example.com", &json!(true)));
    letter(&relay, "kim@example.com", "Your e-mail address was changed").await;
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401);
    assert_eq!(api.login("new@example.com", PASSWORD).await.status, 200);
    assert_eq!(api.post_token(CONFIRM, &token).await.code(), "invalid_or_expired_token");
    let found = "SELECT COUNT(*) FROM users WHERE search_text LIKE '%new@example.com%'";
    assert_eq!(deployment.number(found).await, 1, "and is found by it");
}

#[rstest]
#[tokio::test]
async fn an_address_changes_only_from_a_fresh_session(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    deployment.clock.advance(Duration::from_secs(301));
    let stale = change(&api, &kim, "new@example.com").await;
    assert_eq!((stale.status, stale.code()), (403, "reauthentication_required"));
    let anonymous = api.call(Method::PUT, "/api/v1/users/me/email", json!({"email": "new@example.com"})).await;
    assert_eq!(anonymous.status, 401);
    deployment.outbox_is_empty().await;
    assert!(letters_to(&relay, "new@example.com").is_empty());
}

#[rstest]
#[tokio::test]
async fn a_taken_address_is_answered_alike_and_sent_nothing(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let (kim, _lee) = (api.person("kim@example.com").await, api.person("lee@example.com").await);
    assert_eq!(change(&api, &kim, "lee@example.com").await.status, 202);
    letter(&relay, "kim@example.com", "A change of your e-mail address was requested").await;
    deployment.outbox_is_empty().await;
    assert!(letters_to(&relay, "lee@example.com").iter().all(|letter| letter.subject != SUBJECT));
}

#[rstest]
#[tokio::test]
async fn an_address_that_was_taken_meanwhile_is_not_given_twice(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    assert_eq!(change(&api, &kim, "new@example.com").await.status, 202);
    let token = letter(&relay, "new@example.com", SUBJECT).await.token("/confirm-email");
    assert_eq!(api.register("new@example.com").await.status, 201);
    let answer = api.post_token(CONFIRM, &token).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_or_expired_token"));
    assert_eq!(api.me(&kim.access).await.text("email"), "kim@example.com");
}

#[rstest]
#[tokio::test]
async fn the_newest_address_that_was_asked_for_wins(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    assert_eq!(change(&api, &kim, "one@example.com").await.status, 202);
    let one = letter(&relay, "one@example.com", SUBJECT).await.token("/confirm-email");
    assert_eq!(change(&api, &kim, "two@example.com").await.status, 202);
    let two = letter(&relay, "two@example.com", SUBJECT).await.token("/confirm-email");
    assert_eq!(api.post_token(CONFIRM, &one).await.status, 400);
    assert_eq!(api.post_token(CONFIRM, &two).await.status, 204);
    assert_eq!(api.me(&kim.access).await.text("email"), "two@example.com");
}

#[rstest]
#[tokio::test]
async fn a_reset_ends_a_change_that_somebody_else_began(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    assert_eq!(change(&api, &kim, "evil@example.com").await.status, 202);
    let evil = letter(&relay, "evil@example.com", SUBJECT).await.token("/confirm-email");
    assert_eq!(api.post_email("/api/v1/auth/password/forgot", "kim@example.com").await.status, 202);
    let token = letter(&relay, "kim@example.com", "Choose a new password").await.token("/reset-password");
    let body = json!({"token": token, "new_password": "Another-Pass-77!"});
    assert_eq!(api.post("/api/v1/auth/password/reset", body).await.status, 204);
    assert_eq!(api.post_token(CONFIRM, &evil).await.status, 400);
}

#[rstest]
#[tokio::test]
async fn one_account_asks_for_three_addresses_an_hour(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    for number in 1..=3 {
        assert_eq!(change(&api, &kim, &format!("new{number}@example.com")).await.status, 202);
    }
    assert_eq!(change(&api, &kim, "new4@example.com").await.status, 429);
    nth_letter(&relay, "kim@example.com", "A change of your e-mail address was requested", 3).await;
}

#[rstest]
#[tokio::test]
async fn of_two_people_who_want_one_address_one_gets_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let people = [api.person("kim@example.com").await, api.person("lee@example.com").await];
    let mut confirmations = Vec::new();
    for (count, person) in (1..).zip(&people) {
        assert_eq!(change(&api, person, "new@example.com").await.status, 202);
        let token = nth_letter(&relay, "new@example.com", SUBJECT, count).await.token("/confirm-email");
        let api = api.clone();
        confirmations.push(async move { api.post_token(CONFIRM, &token).await.status });
    }
    let (one, other) = (confirmations.remove(0), confirmations.remove(0));
    let mut statuses = [tokio::spawn(one), tokio::spawn(other)];
    let mut answered = Vec::new();
    for outcome in &mut statuses {
        answered.push(outcome.await.unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, [204, 400]);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users WHERE email = 'new@example.com'").await, 1);
}

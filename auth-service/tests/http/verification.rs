//! POST /api/v1/auth/email/verify and /resend, and REQUIRE_EMAIL_VERIFICATION

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use test_peers::Smtp;

use crate::{
    mailbox::{letter, letters_to, nth_letter, with_relay},
    support::{Answer, Deployment, Engine, PASSWORD},
};

const VERIFY: &str = "/api/v1/auth/email/verify";
const RESEND: &str = "/api/v1/auth/email/resend";
const REGISTER: &str = "/api/v1/auth/register";
const SUBJECT: &str = "Confirm your e-mail address";
const INVITED: &str = "You were invited to Example";

/// A deployment where addresses must be proven.
fn strict(engine: Engine) -> (Smtp, Deployment) {
    let (relay, deployment) = with_relay(engine);
    (relay, deployment.set("REQUIRE_EMAIL_VERIFICATION", "true"))
}

/// What a caller sees of an answer, less what differs between any two.
fn seen(answer: &Answer) -> (u16, Value, Vec<(String, String)>) {
    let headers = answer.headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status, answer.body.clone(), headers.collect())
}

#[rstest]
#[tokio::test]
async fn an_address_is_proven_by_its_mail(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    assert_eq!(api.me(&person.access).await.body["email_verified"], false);
    let token = letter(&relay, "kim@example.com", SUBJECT).await.token("/verify-email");
    assert_eq!(api.post_token(VERIFY, &token).await.status, 204);
    assert_eq!(api.me(&person.access).await.body["email_verified"], true);
    assert_eq!(api.post_token(VERIFY, &token).await.code(), "invalid_or_expired_token");
    assert_eq!(api.post_email(RESEND, "kim@example.com").await.status, 202);
    deployment.outbox_is_empty().await;
    assert_eq!(letters_to(&relay, "kim@example.com").len(), 1, "there is nothing to prove any more");
}

#[rstest]
#[tokio::test]
async fn a_link_that_proves_an_address_ends_after_a_day_or_by_a_newer_one(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    let first = letter(&relay, "kim@example.com", SUBJECT).await.token("/verify-email");
    assert_eq!(api.post_email(RESEND, "kim@example.com").await.status, 202);
    let second = nth_letter(&relay, "kim@example.com", SUBJECT, 2).await.token("/verify-email");
    assert_eq!(api.post_token(VERIFY, &first).await.code(), "invalid_or_expired_token");
    deployment.clock.advance(Duration::from_secs(86_400));
    assert_eq!(api.post_token(VERIFY, &second).await.code(), "invalid_or_expired_token");
}

#[rstest]
#[tokio::test]
async fn of_fifty_who_use_a_link_at_once_one_succeeds(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let (api, other) = (deployment.start().await, deployment.start().await);
    api.person("kim@example.com").await;
    let token = letter(&relay, "kim@example.com", SUBJECT).await.token("/verify-email");
    let tries: Vec<_> = (0..50)
        .map(|number| {
            let (api, token) = (if number % 2 == 0 { api.clone() } else { other.clone() }, token.clone());
            tokio::spawn(async move { api.post_token(VERIFY, &token).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for outcome in tries {
        statuses.push(outcome.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (204, &[400; 49][..]));
}

#[rstest]
#[tokio::test]
async fn registering_answers_alike_for_free_and_taken_addresses(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = strict(engine);
    let api = deployment.start().await;
    let free = api.register("kim@example.com").await;
    assert_eq!((free.status, &free.body), (202, &json!("")));
    let link = letter(&relay, "kim@example.com", SUBJECT).await;
    assert_eq!(api.post_token(VERIFY, &link.token("/verify-email")).await.status, 204);
    let taken = api.register("kim@example.com").await;
    assert_eq!(seen(&free), seen(&taken));
    let notice = letter(&relay, "kim@example.com", "You already have an account").await;
    assert!(!notice.text.contains("token="), "{notice:?}");
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 1);
    api.log_in("kim@example.com").await;
    let events: Vec<String> = deployment.column("SELECT event FROM audit_logs ORDER BY event").await;
    assert_eq!(events, ["email_verified", "logged_in", "registration_repeated", "user_registered"]);
}

#[rstest]
#[tokio::test]
async fn a_name_tells_nobody_whether_an_address_is_taken(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = strict(engine);
    let api = deployment.start().await;
    let account = |email: &str, name: &str| json!({"email": email, "username": name, "password": PASSWORD});
    for (email, name) in [("kim@example.com", "kim"), ("kim@example.com", "kim"), ("lee@example.com", "kim")] {
        assert_eq!(api.post(REGISTER, account(email, name)).await.status, 202, "{email}");
    }
    let lee = letter(&relay, "lee@example.com", SUBJECT).await.token("/verify-email");
    assert_eq!(api.post_token(VERIFY, &lee).await.status, 204);
    let lee = api.log_in("lee@example.com").await;
    assert_eq!(api.me(&lee.access).await.body["username"], "kim", "whoever proves an address first gets the name");
    let kim = letter(&relay, "kim@example.com", INVITED).await.token("/accept-invitation");
    let choice = json!({"token": kim, "new_password": PASSWORD});
    assert_eq!(api.post("/api/v1/auth/password/reset", choice).await.status, 204);
    let kim = api.log_in("kim@example.com").await;
    assert_eq!(api.me(&kim.access).await.body["username"], Value::Null, "it is taken by then");
}

#[rstest]
#[tokio::test]
async fn a_weak_password_is_refused_whoever_has_the_address(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (_relay, deployment) = strict(engine);
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 202);
    for email in ["kim@example.com", "lee@example.com"] {
        let weak = api.post(REGISTER, json!({"email": email, "password": "password123"})).await;
        assert_eq!((weak.status, weak.code()), (422, "weak_password"));
    }
}

#[rstest]
#[tokio::test]
async fn an_unproven_person_is_refused_like_anybody_and_sent_the_link_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = strict(engine);
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 202);
    let first = letter(&relay, "kim@example.com", SUBJECT).await.token("/verify-email");
    let wrong = api.login("kim@example.com", "wrong").await;
    let (unproven, unknown) =
        (api.login("kim@example.com", PASSWORD).await, api.login("no@example.com", PASSWORD).await);
    assert_eq!((unproven.status, unproven.code()), (401, "invalid_credentials"));
    assert_eq!(unproven.members(), unknown.members());
    assert_eq!(unproven.body["detail"], wrong.body["detail"]);
    let second = nth_letter(&relay, "kim@example.com", SUBJECT, 2).await.token("/verify-email");
    assert_eq!(api.post_token(VERIFY, &first).await.status, 400);
    assert_eq!(api.post_token(VERIFY, &second).await.status, 204);
    deployment.outbox_is_empty().await;
    assert_eq!(letters_to(&relay, "kim@example.com").len(), 2, "a wrong password sends nothing");
    api.log_in("kim@example.com").await;
}

#[rstest]
#[tokio::test]
async fn a_right_password_sends_no_more_than_three_links_an_hour(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = strict(engine);
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 202);
    letter(&relay, "kim@example.com", SUBJECT).await;
    for count in [2, 3] {
        assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401);
        nth_letter(&relay, "kim@example.com", SUBJECT, count).await;
    }
    for _ in 0..2 {
        assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401);
        assert_eq!(api.register("kim@example.com").await.status, 202);
    }
    deployment.outbox_is_empty().await;
    let letters = letters_to(&relay, "kim@example.com");
    assert_eq!(letters.iter().filter(|letter| letter.subject == SUBJECT).count(), 3, "{letters:?}");
}

#[rstest]
#[tokio::test]
async fn an_address_that_was_only_claimed_belongs_to_who_proves_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = strict(engine);
    let api = deployment.start().await;
    let claim = json!({"email": "kim@example.com", "username": "squatter", "password": "Squatter-Pass-9!"});
    assert_eq!(api.post(REGISTER, claim).await.status, 202);
    let old = letter(&relay, "kim@example.com", SUBJECT).await.token("/verify-email");
    assert_eq!(api.register("kim@example.com").await.status, 202);
    assert_eq!(api.post_token(VERIFY, &old).await.status, 400, "the claim's link ends at once");
    let chosen = letter(&relay, "kim@example.com", INVITED).await.token("/accept-invitation");
    let last = json!({"email": "kim@example.com", "password": "Squatter-Pass-9!"});
    assert_eq!(api.post(REGISTER, last).await.status, 202, "whoever claims it last wins nothing either");
    let chosen = match nth_letter(&relay, "kim@example.com", INVITED, 2).await.token("/accept-invitation") {
        newer if newer != chosen => newer,
        _ => panic!("a new link for each"),
    };
    let choice = json!({"token": chosen, "new_password": PASSWORD});
    assert_eq!(api.post("/api/v1/auth/password/reset", choice).await.status, 204);
    assert_eq!(api.login("kim@example.com", "Squatter-Pass-9!").await.status, 401);
    let kim = api.log_in("kim@example.com").await;
    assert_eq!(api.me(&kim.access).await.body["username"], Value::Null);
    let again = json!({"email": "kim@example.com", "password": "Squatter-Pass-9!"});
    assert_eq!(api.post(REGISTER, again).await.status, 202);
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 200, "what is proven is not given away");
}

#[rstest]
#[tokio::test]
async fn of_many_who_register_an_address_at_once_each_is_answered_alike(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = strict(engine);
    let (api, other) = (deployment.start().await, deployment.start().await);
    let tries: Vec<_> = (0..20)
        .map(|number| {
            let api = if number % 2 == 0 { api.clone() } else { other.clone() };
            tokio::spawn(async move { api.register("kim@example.com").await.status })
        })
        .collect();
    for outcome in tries {
        assert_eq!(outcome.await.unwrap(), 202);
    }
    deployment.outbox_is_empty().await;
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users").await, 1);
    let letters = letters_to(&relay, "kim@example.com");
    assert!(!letters.is_empty());
    let mut good = 0;
    for letter in letters.iter().filter(|letter| letter.subject == INVITED) {
        let choice = json!({"token": letter.token("/accept-invitation"), "new_password": PASSWORD});
        good += usize::from(api.post("/api/v1/auth/password/reset", choice).await.status == 204);
    }
    assert_eq!(good, 1, "one link is good");
    api.log_in("kim@example.com").await;
}

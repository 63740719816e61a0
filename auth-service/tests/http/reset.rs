//! POST /api/v1/auth/password/forgot and POST /api/v1/auth/password/reset

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use test_peers::Smtp;

use crate::{
    mailbox::{letter, letters_to, nth_letter, with_relay},
    support::{Answer, Deployment, Engine, Instance, PASSWORD},
};

const FORGOT: &str = "/api/v1/auth/password/forgot";
const RESET: &str = "/api/v1/auth/password/reset";
const SUBJECT: &str = "Choose a new password";
const NEW: &str = "Another-Pass-77!";

async fn reset(api: &Instance, token: &str, password: &str) -> Answer {
    api.post(RESET, json!({"token": token, "new_password": password})).await
}

/// Asks for a link, and gives its token.
async fn ask(api: &Instance, relay: &Smtp, email: &str) -> String {
    let before = letters_to(relay, email).into_iter().filter(|letter| letter.subject == SUBJECT).count();
    assert_eq!(api.post_email(FORGOT, email).await.status, 202);
    nth_letter(relay, email, SUBJECT, before + 1).await.token("/reset-password")
}

#[rstest]
#[tokio::test]
async fn a_link_in_a_mail_sets_a_new_password(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let (one, other) = (api.person("kim@example.com").await, api.log_in("kim@example.com").await);
    let made = api.bearing(&one.access).post("/api/v1/api-keys", json!({"name": "x", "scopes": []})).await;
    let key = api.with_header("x-api-key", &made.text("key"));
    assert_eq!(key.get("/api/v1/users/me").await.status, 200);
    let token = ask(&api, &relay, "Kim@Example.com".to_lowercase().as_str()).await;
    assert_eq!(reset(&api, &token, NEW).await.status, 204);
    assert_eq!(key.get("/api/v1/users/me").await.status, 401, "anybody may have made it before the address was proven");
    for session in [&one, &other] {
        api.refuses_in_time(&session.access).await;
        assert_eq!(api.refresh(&session.refresh).await.status, 401);
    }
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401);
    let access = api.login("kim@example.com", NEW).await.text("access_token");
    assert_eq!(api.me(&access).await.body["email_verified"], true, "who reads the mail owns the address");
    letter(&relay, "kim@example.com", "Your password was changed").await;
    let events: Vec<String> =
        deployment.column("SELECT event FROM audit_logs WHERE event LIKE 'password%' ORDER BY event").await;
    assert_eq!(events, ["password_reset", "password_reset_requested"]);
}

#[rstest]
#[tokio::test]
async fn a_link_is_good_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    let token = ask(&api, &relay, "kim@example.com").await;
    let tries = (0..50).map(|number| {
        let (api, token) = (api.clone(), token.clone());
        tokio::spawn(async move { reset(&api, &token, &format!("Another-Pass-{number}!")).await.status })
    });
    let mut statuses = Vec::new();
    for outcome in tries.collect::<Vec<_>>() {
        statuses.push(outcome.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (204, &[400; 49][..]));
    let again = reset(&api, &token, NEW).await;
    assert_eq!((again.status, again.code()), (400, "invalid_or_expired_token"));
}

#[rstest]
#[tokio::test]
async fn every_bad_link_is_refused_alike(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    let verification = letter(&relay, "kim@example.com", "Confirm your e-mail address").await.token("/verify-email");
    let replaced = ask(&api, &relay, "kim@example.com").await;
    let expired = ask(&api, &relay, "kim@example.com").await;
    assert_eq!(reset(&api, &replaced, NEW).await.code(), "invalid_or_expired_token", "the newest wins");
    deployment.clock.advance(Duration::from_secs(15 * 60));
    let unknown = "A".repeat(43);
    let long = "A".repeat(10_000);
    for token in [verification.as_str(), &replaced, &expired, &unknown, "", "x", &long] {
        let answer = reset(&api, token, NEW).await;
        assert_eq!((answer.status, answer.code()), (400, "invalid_or_expired_token"), "{token:.50}");
    }
    for path in ["/api/v1/auth/email/verify", "/api/v1/auth/email/confirm", "/api/v1/auth/sessions/disown"] {
        for token in [replaced.as_str(), &unknown, "", "x"] {
            assert_eq!(api.post_token(path, token).await.code(), "invalid_or_expired_token", "{path} {token}");
        }
        assert_eq!(api.post(path, json!({"token": 1})).await.status, 422);
        assert_eq!(api.post(path, json!({"token": verification, "user_id": "x"})).await.status, 422);
    }
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 200, "nothing was changed");
}

#[rstest]
#[tokio::test]
async fn a_password_that_is_refused_costs_no_link(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    let token = ask(&api, &relay, "kim@example.com").await;
    for (password, code) in [("short", "invalid_request"), ("password123", "weak_password")] {
        let answer = reset(&api, &token, password).await;
        assert_eq!((answer.status, answer.code()), (422, code));
    }
    assert_eq!(reset(&api, &token, NEW).await.status, 204);
}

#[rstest]
#[tokio::test]
async fn nobody_learns_who_has_an_account(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    letter(&relay, "kim@example.com", "Confirm your e-mail address").await;
    for path in [FORGOT, "/api/v1/auth/email/resend"] {
        let (known, unknown) =
            (api.post_email(path, "kim@example.com").await, api.post_email(path, "no@example.com").await);
        assert_eq!((known.status, &known.body), (202, &json!("")));
        assert_eq!((unknown.status, &unknown.body), (202, &json!("")));
        let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&known), names(&unknown));
    }
    letter(&relay, "kim@example.com", SUBJECT).await;
    deployment.outbox_is_empty().await;
    assert!(letters_to(&relay, "no@example.com").is_empty());
    assert_eq!(deployment.number("SELECT COUNT(*) FROM mail_outbox WHERE user_id IS NULL").await, 0);
}

#[rstest]
#[tokio::test]
async fn one_person_is_sent_three_mails_an_hour_and_nobody_is_told(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    for _ in 0..3 {
        ask(&api, &relay, "kim@example.com").await;
    }
    for _ in 0..3 {
        assert_eq!(api.post_email(FORGOT, "kim@example.com").await.status, 202);
    }
    deployment.outbox_is_empty().await;
    assert_eq!(letters_to(&relay, "kim@example.com").iter().filter(|letter| letter.subject == SUBJECT).count(), 3);
}

#[rstest]
#[tokio::test]
async fn one_address_asks_ten_times_an_hour(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (_relay, deployment) = with_relay(engine);
    let deployment =
        deployment.set("ENV", "test").set("ALLOWED_HOSTS", "127.0.0.1").set("TRUSTED_PROXIES", "127.0.0.1/32");
    let octet = if engine == Engine::Sqlite { 1 } else { 2 };
    let api = deployment.start().await.with_header("x-forwarded-for", &format!("198.51.100.{octet}"));
    for number in 0..10 {
        assert_eq!(api.post_email(FORGOT, &format!("p{number}@example.com")).await.status, 202);
    }
    let limited = api.post_email("/api/v1/auth/email/resend", "p11@example.com").await;
    assert_eq!((limited.status, limited.code()), (429, "rate_limited"));
    assert!(!limited.header("retry-after").is_empty());
}

#[rstest]
#[tokio::test]
async fn a_reset_lets_a_person_in_whom_guesses_kept_out(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    for _ in 0..7 {
        assert_eq!(api.login("kim@example.com", "wrong").await.status, 401);
    }
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401, "they must wait");
    let token = ask(&api, &relay, "kim@example.com").await;
    assert_eq!(reset(&api, &token, NEW).await.status, 204);
    assert_eq!(api.login("kim@example.com", NEW).await.status, 200);
    assert_eq!(deployment.number("SELECT COUNT(*) FROM daily_guesses").await, 0);
}

#[rstest]
#[tokio::test]
async fn a_link_opens_no_account_that_is_closed_or_gone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    for (email, change) in [
        ("kim@example.com", "UPDATE users SET status = 'disabled' WHERE email = 'kim@example.com'"),
        ("lee@example.com", "UPDATE users SET deleted_at = created_at WHERE email = 'lee@example.com'"),
        ("park@example.com", "UPDATE users SET email = 'other@example.com' WHERE email = 'park@example.com'"),
    ] {
        api.person(email).await;
        let token = ask(&api, &relay, email).await;
        assert_eq!(deployment.change(change).await, 1);
        assert_eq!(reset(&api, &token, NEW).await.code(), "invalid_or_expired_token", "{email}");
        // Nor is another mail sent there.
        let before = letters_to(&relay, email).len();
        assert_eq!(api.post_email(FORGOT, email).await.status, 202);
        deployment.outbox_is_empty().await;
        assert_eq!(letters_to(&relay, email).len(), before, "{email}");
    }
}

#[rstest]
#[tokio::test]
async fn an_invited_person_chooses_their_first_password(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    deployment.change("UPDATE users SET status = 'pending', password_hash = NULL").await;
    let token = ask(&api, &relay, "kim@example.com").await;
    assert_eq!(reset(&api, &token, NEW).await.status, 204);
    assert_eq!(api.login("kim@example.com", NEW).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_mail_that_cannot_be_sent_is_not_promised(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine).set("ENV", "production").set("ALLOWED_HOSTS", "127.0.0.1");
    let deployment = deployment.set("AUTO_MIGRATE", "true").set("GATEWAY_FEED_TOKEN", "");
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    for path in [FORGOT, "/api/v1/auth/email/resend"] {
        let answer = api.post_email(path, "kim@example.com").await;
        assert_eq!((answer.status, answer.code()), (503, "mail_not_configured"), "{path}");
    }
    assert_eq!(deployment.number("SELECT COUNT(*) FROM mail_outbox").await, 0, "nor is a notice queued");
}

#[rstest]
#[tokio::test]
async fn of_many_links_that_were_asked_for_at_once_one_is_good(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let deployment = deployment.set("RATE_LIMIT_FORGOT_PER_ACCOUNT", "off");
    let instances = [deployment.start().await, deployment.start().await];
    instances[0].person("kim@example.com").await;
    let asking: Vec<_> = (0..20)
        .map(|number| {
            let api = instances[number % 2].clone();
            tokio::spawn(async move { api.post_email(FORGOT, "kim@example.com").await.status })
        })
        .collect();
    for outcome in asking {
        assert_eq!(outcome.await.unwrap(), 202);
    }
    deployment.outbox_is_empty().await;
    let mut good = 0;
    for letter in letters_to(&relay, "kim@example.com").iter().filter(|letter| letter.subject == SUBJECT) {
        good += usize::from(reset(&instances[0], &letter.token("/reset-password"), NEW).await.status == 204);
    }
    assert_eq!(good, 1);
}

#[rstest]
#[tokio::test]
async fn an_older_mail_that_comes_late_does_not_end_a_newer_link(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    letter(&relay, "kim@example.com", "Confirm your e-mail address").await;
    // The first is refused for now while it goes out; the second is asked for meanwhile.
    relay.set(Some(test_peers::Trouble::Answer(test_peers::Stage::Message, "451 Later")));
    assert_eq!(api.post_email(FORGOT, "kim@example.com").await.status, 202);
    let refused = "SELECT COUNT(*) FROM mail_outbox WHERE kind = 'reset_password' AND last_error LIKE '%Later%'";
    crate::waiting::until("it was refused", crate::mailbox::IN_TIME, async || deployment.number(refused).await == 1)
        .await;
    relay.set(None);
    deployment.clock.advance(Duration::from_secs(1));
    let token = ask(&api, &relay, "kim@example.com").await;
    deployment.clock.advance(Duration::from_secs(60));
    deployment.outbox_is_empty().await;
    assert_eq!(reset(&api, &token, NEW).await.status, 204);
}

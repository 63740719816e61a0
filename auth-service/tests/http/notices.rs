//! What people are told of their accounts, and "this was not me".

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::{
    mailbox::{letter, letters_to, with_relay},
    support::{Engine, PASSWORD},
};

const DISOWN: &str = "/api/v1/auth/sessions/disown";
const NEW_LOGIN: &str = "New login to your account";

#[rstest]
#[tokio::test]
async fn a_login_on_a_new_device_is_told(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let agent =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36";
    let api = deployment.start().await.with_header("user-agent", agent);
    api.person("kim@example.com").await;
    deployment.outbox_is_empty().await;
    let subjects =
        |email: &str| letters_to(&relay, email).iter().map(|letter| letter.subject.clone()).collect::<Vec<_>>();
    assert_eq!(subjects("kim@example.com"), ["Confirm your e-mail address"], "the first login is no news");
    let device = api.login("kim@example.com", PASSWORD).await.header("x-device-token").to_owned();
    let told = letter(&relay, "kim@example.com", NEW_LOGIN).await;
    assert!(told.text.contains("2026-01-01 00:00 UTC, Chrome, Windows 10, address 127.0.0.1"), "{told:?}");
    api.with_header("x-device-token", &device).log_in("kim@example.com").await;
    deployment.outbox_is_empty().await;
    assert_eq!(subjects("kim@example.com").len(), 2, "a known device is no news");
}

#[rstest]
#[tokio::test]
async fn who_says_it_was_not_them_ends_that_session_and_chooses_a_password(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let own = api.person("kim@example.com").await;
    let stranger = api.log_in("kim@example.com").await;
    let token = letter(&relay, "kim@example.com", NEW_LOGIN).await.token("/not-me");
    assert_eq!(api.post_token(DISOWN, &token).await.status, 204);
    api.refuses_in_time(&stranger.access).await;
    assert_eq!(api.refresh(&stranger.refresh).await.status, 401);
    assert_eq!(api.me(&own.access).await.status, 200, "the owner's session goes on");
    assert_eq!(deployment.number("SELECT COUNT(*) FROM known_devices").await, 0);
    letter(&relay, "kim@example.com", "Choose a new password").await.token("/reset-password");
    assert_eq!(api.post_token(DISOWN, &token).await.code(), "invalid_or_expired_token");
}

#[rstest]
#[tokio::test]
async fn each_login_can_be_disowned_for_a_week(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    for _ in 0..2 {
        api.log_in("kim@example.com").await;
    }
    deployment.outbox_is_empty().await;
    let letters = letters_to(&relay, "kim@example.com").into_iter().filter(|letter| letter.subject == NEW_LOGIN);
    let tokens: Vec<_> = letters.map(|letter| letter.token("/not-me")).collect();
    assert_eq!(tokens.len(), 2);
    deployment.clock.advance(Duration::from_secs(7 * 86_400 - 1));
    assert_eq!(api.post_token(DISOWN, &tokens[0]).await.status, 204, "a newer one does not end it");
    deployment.clock.advance(Duration::from_secs(1));
    assert_eq!(api.post_token(DISOWN, &tokens[1]).await.status, 400);
}

#[rstest]
#[tokio::test]
async fn a_changed_password_is_told(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    let body = json!({"current_password": PASSWORD, "new_password": "Another-Pass-77!"});
    assert_eq!(api.bearing(&kim.access).call(Method::PUT, "/api/v1/users/me/password", body).await.status, 204);
    letter(&relay, "kim@example.com", "Your password was changed").await;
}

#[rstest]
#[tokio::test]
async fn a_session_that_was_ended_for_reuse_is_told(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    assert_eq!(api.refresh(&kim.refresh).await.status, 200);
    deployment.clock.advance(Duration::from_secs(11));
    assert_eq!(api.refresh(&kim.refresh).await.status, 401);
    letter(&relay, "kim@example.com", "We ended one of your sessions").await;
}

#[rstest]
#[tokio::test]
async fn mails_and_links_are_forgotten_when_they_are_of_no_use(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    letter(&relay, "kim@example.com", "Confirm your e-mail address").await;
    deployment.outbox_is_empty().await;
    deployment.clock.advance(Duration::from_secs(7 * 86_400 + 1));
    // It sweeps at its start.
    let _again = deployment.start().await;
    let left = "SELECT (SELECT COUNT(*) FROM mail_outbox) + (SELECT COUNT(*) FROM one_time_tokens)";
    crate::waiting::until("nothing is left", Duration::from_secs(5), async || deployment.number(left).await == 0).await;
}

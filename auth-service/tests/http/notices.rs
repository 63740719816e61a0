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
    deployment.prove_everybody().await;
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
async fn who_says_it_was_not_them_shuts_the_stranger_out_and_chooses_a_password(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    deployment.prove_everybody().await;
    let stranger = api.login("kim@example.com", PASSWORD).await;
    let token = letter(&relay, "kim@example.com", NEW_LOGIN).await.token("/not-me");
    // A second session of the stranger on a device that is known by now, a key, and the wish for another address.
    let on_device = api.with_header("x-device-token", stranger.header("x-device-token"));
    let second = on_device.log_in("kim@example.com").await;
    let own = api.bearing(&second.access);
    let key = own.post("/api/v1/api-keys", json!({"name": "x", "scopes": []})).await.text("key");
    assert_eq!(own.put("/api/v1/users/me/email", json!({"email": "mallory@example.com"})).await.status, 202);
    let change = letter(&relay, "mallory@example.com", "Confirm your new e-mail address").await.token("/confirm-email");
    assert_eq!(api.post_token(DISOWN, &token).await.status, 204);
    for access in [&stranger.text("access_token"), &second.access] {
        api.refuses_in_time(access).await;
    }
    for refresh in [&stranger.text("refresh_token"), &second.refresh] {
        assert_eq!(api.refresh(refresh).await.status, 401);
    }
    assert_eq!(api.with_header("x-api-key", &key).get("/api/v1/users/me").await.status, 401);
    assert_eq!(api.post_token("/api/v1/auth/email/confirm", &change).await.status, 400, "no link of theirs is good");
    assert_eq!(on_device.login("kim@example.com", PASSWORD).await.status, 401, "nor the password that they know");
    assert_eq!(deployment.number("SELECT COUNT(*) FROM known_devices").await, 0);
    letter(&relay, "kim@example.com", "Choose a new password").await.token("/reset-password");
    assert_eq!(api.post_token(DISOWN, &token).await.code(), "invalid_or_expired_token");
}

#[rstest]
#[tokio::test]
async fn an_account_whose_address_was_changed_by_a_stranger_is_closed_by_its_owner(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    deployment.prove_everybody().await;
    let stranger = api.log_in("kim@example.com").await;
    let token = letter(&relay, "kim@example.com", NEW_LOGIN).await.token("/not-me");
    let own = api.bearing(&stranger.access);
    assert_eq!(own.put("/api/v1/users/me/email", json!({"email": "mallory@example.com"})).await.status, 202);
    let change = letter(&relay, "mallory@example.com", "Confirm your new e-mail address").await.token("/confirm-email");
    assert_eq!(api.post_token("/api/v1/auth/email/confirm", &change).await.status, 204);
    assert_eq!(api.post_token(DISOWN, &token).await.status, 204);
    api.refuses_in_time(&stranger.access).await;
    deployment.outbox_is_empty().await;
    let to_stranger = letters_to(&relay, "mallory@example.com");
    assert_eq!(to_stranger.len(), 1, "no link to the stranger's address: {to_stranger:?}");
    assert_eq!(deployment.number("SELECT COUNT(*) FROM users WHERE status = 'disabled'").await, 1);
}

#[rstest]
#[tokio::test]
async fn a_new_password_takes_every_link_back(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let own = api.person("kim@example.com").await;
    let stranger = api.bearing(&api.log_in("kim@example.com").await.access);
    assert_eq!(stranger.put("/api/v1/users/me/email", json!({"email": "mallory@example.com"})).await.status, 202);
    let change = letter(&relay, "mallory@example.com", "Confirm your new e-mail address").await.token("/confirm-email");
    let new = json!({"current_password": PASSWORD, "new_password": "purple tram over the hill"});
    assert_eq!(api.bearing(&own.access).put("/api/v1/users/me/password", new).await.status, 204);
    assert_eq!(api.post_token("/api/v1/auth/email/confirm", &change).await.status, 400);
}

#[rstest]
#[tokio::test]
async fn nobody_is_told_of_logins_at_an_address_that_was_never_proven(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    for _ in 0..5 {
        api.log_in("kim@example.com").await;
    }
    deployment.outbox_is_empty().await;
    let letters = letters_to(&relay, "kim@example.com");
    assert_eq!(letters.len(), 1, "the one that asks for the proof: {letters:?}");
}

#[rstest]
#[tokio::test]
async fn each_login_can_be_disowned_for_a_week(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    api.person("kim@example.com").await;
    deployment.prove_everybody().await;
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
    deployment.prove_everybody().await;
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
    deployment.prove_everybody().await;
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

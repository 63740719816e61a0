//! An account whose owner has proven the address that a provider vouches for: linked only when that owner agrees.

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{Security, Smtp};

use super::support::{World, at_kakao};
use crate::{
    mailbox::{deployment, letter, letters_to, nth_letter},
    support::{Answer, Deployment, Engine, PASSWORD},
};

const EMAIL: &str = "kim@example.com";
const SUBJECT: &str = "Was this login yours?";

/// A world where kim has proven the address and logs in through Kakao; with the token to link by.
async fn proposed(deployment: Deployment) -> (World, String) {
    let world = World::on(deployment, &[]).await;
    world.api.person(EMAIL).await;
    world.deployment.prove_everybody().await;
    world.kakao.sign_in(at_kakao(7, EMAIL));
    let token = ask(&world).await;
    (world, token)
}

async fn ask(world: &World) -> String {
    let answer = world.log_in("kakao").await;
    assert_eq!((answer.status, answer.text("status")), (200, "link_required".to_owned()), "{answer:?}");
    let members = ["email", "expires_in", "link_token", "methods", "status"];
    assert_eq!((answer.members(), answer.header("set-cookie")), (members.to_vec(), ""));
    answer.text("link_token")
}

async fn by_password(world: &World, token: &str, password: &str) -> Answer {
    world.api.post("/api/v1/oauth/link", json!({"link_token": token, "password": password})).await
}

async fn linked(world: &World) -> i64 {
    world.deployment.number("SELECT COUNT(*) FROM oauth_accounts WHERE linked_at IS NOT NULL").await
}

#[rstest]
#[tokio::test]
async fn a_matching_address_enters_nothing_until_the_owner_gives_the_password(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (world, token) = proposed(Deployment::new(engine)).await;
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM sessions").await, 1, "of the registration alone");
    assert_eq!(linked(&world).await, 0);
    let access = world.api.log_in(EMAIL).await.access;
    assert_eq!(world.identities(&access).await, [] as [Value; 0], "what is proposed is nobody's yet");
    let again = ask(&world).await;
    let wrong = by_password(&world, &token, "Wrong-Pass-99!").await;
    assert_eq!((wrong.status, wrong.code()), (403, "wrong_password"));
    let right = by_password(&world, &token, PASSWORD).await;
    assert_eq!(right.status, 200, "a wrong password costs no token: {right:?}");
    assert_eq!(world.me(&right).await["email"], EMAIL);
    assert_eq!(world.identities(&access).await[0]["subject"], "7");
    let twice = by_password(&world, &token, PASSWORD).await;
    assert_eq!((twice.status, twice.code()), (400, "invalid_or_expired_token"));
    let late = by_password(&world, &again, PASSWORD).await;
    assert_eq!((late.status, late.code()), (409, "identity_taken"), "linked meanwhile");
    let entered = world.log_in("kakao").await;
    assert_eq!(world.me(&entered).await["email"], EMAIL);
    assert_eq!(linked(&world).await, 1);
}

#[rstest]
#[tokio::test]
async fn a_link_token_is_good_for_ten_minutes(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (world, token) = proposed(Deployment::new(engine)).await;
    world.advance(Duration::from_secs(600));
    let late = by_password(&world, &token, PASSWORD).await;
    assert_eq!((late.status, late.code(), linked(&world).await), (400, "invalid_or_expired_token", 0));
    let late = world.api.post("/api/v1/oauth/link/email", json!({"link_token": token})).await;
    assert_ne!(late.status, 202, "{late:?}");
}

#[rstest]
#[tokio::test]
async fn wrong_passwords_for_a_link_are_guesses_at_the_account(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (world, token) = proposed(Deployment::new(engine)).await;
    for _ in 0..5 {
        assert_eq!(by_password(&world, &token, "Wrong-Pass-99!").await.status, 403);
    }
    assert_eq!(world.api.login(EMAIL, PASSWORD).await.status, 401, "the wait is the same everywhere");
    let right = by_password(&world, &token, PASSWORD).await;
    assert_eq!((right.status, right.code(), linked(&world).await), (403, "wrong_password", 0));
    world.advance(Duration::from_secs(61));
    assert_eq!(by_password(&world, &token, PASSWORD).await.status, 200);
}

/// Sends so many calls at once; their statuses, sorted.
async fn at_once(world: &World, path: &'static str, body: &Value, times: usize) -> Vec<u16> {
    let calls = (0..times).map(|_| {
        let (api, body) = (world.api.clone(), body.clone());
        tokio::spawn(async move { api.post(path, body).await.status })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap());
    }
    statuses.sort_unstable();
    statuses
}

#[rstest]
#[tokio::test]
async fn fifty_links_by_one_token_link_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (world, token) = proposed(Deployment::new(engine)).await;
    let body = json!({"link_token": token, "password": PASSWORD});
    let statuses = at_once(&world, "/api/v1/oauth/link", &body, 50).await;
    assert!(statuses[0] == 200 && statuses[1..].iter().all(|status| *status >= 400), "{statuses:?}");
    assert_eq!(linked(&world).await, 1);
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM sessions").await, 2);
}

/// The token in the mail, which is sent for a link token.
async fn mailed(world: &World, relay: &Smtp, token: &str, count: usize) -> String {
    let asked = world.api.post("/api/v1/oauth/link/email", json!({"link_token": token})).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let text = nth_letter(relay, EMAIL, SUBJECT, count).await.text;
    let begin = format!("{}/link-identity?token=", world.base);
    text.split_once(&begin).unwrap().1.split_whitespace().next().unwrap().to_owned()
}

#[rstest]
#[tokio::test]
async fn the_owner_agrees_by_a_mail_once_and_within_fifteen_minutes(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let relay = Smtp::start(Security::Plain).unwrap();
    let (world, token) = proposed(deployment(engine, &relay)).await;
    let first = mailed(&world, &relay, &token, 1).await;
    let second = mailed(&world, &relay, &token, 2).await;
    assert_eq!(confirm(&world, &first).await, 400, "a newer mail ends the older one");
    world.advance(Duration::from_secs(900));
    assert_eq!((confirm(&world, &second).await, linked(&world).await), (400, 0));
    let token = ask(&world).await;
    let third = mailed(&world, &relay, &token, 3).await;
    world.advance(Duration::from_secs(899));
    let statuses = at_once(&world, "/api/v1/oauth/link/confirm", &json!({"token": third}), 50).await;
    assert!(statuses[0] == 204 && statuses[1..].iter().all(|status| *status == 400), "{statuses:?}");
    assert_eq!(linked(&world).await, 1);
    letter(&relay, EMAIL, "A new way to log in").await;
    let entered = world.log_in("kakao").await;
    assert_eq!(world.me(&entered).await["email"], EMAIL);
    let strangers = letters_to(&relay, "ryan@example.com");
    assert!(strangers.is_empty(), "{strangers:?}");
}

async fn confirm(world: &World, token: &str) -> u16 {
    world.api.post_token("/api/v1/oauth/link/confirm", token).await.status
}

#[rstest]
#[tokio::test]
async fn the_page_of_that_mail_asks_in_the_readers_language_and_links_by_its_button(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let relay = Smtp::start(Security::Plain).unwrap();
    let (world, token) = proposed(deployment(engine, &relay)).await;
    let token = mailed(&world, &relay, &token, 1).await;
    let path = format!("/link-identity?token={token}");
    for (language, words) in [("ko", "연결"), ("en", "ink")] {
        let page = world.api.with_header("accept-language", language).get(&path).await;
        assert_eq!((page.status, page.header("content-language")), (200, language), "{page:?}");
        let text = page.body.as_str().unwrap();
        assert!(text.contains(words) && text.contains(&format!("value=\"{token}\"")), "{page:?}");
    }
    assert_eq!(linked(&world).await, 0, "a look spends nothing");
    let (form, media) = (format!("token={token}"), "application/x-www-form-urlencoded");
    for (status, words) in [(200, "계정이 연결되었습니다"), (400, "링크")] {
        let korean = world.api.with_header("accept-language", "ko");
        let page = korean.send(Method::POST, "/link-identity", form.clone(), media).await;
        assert!(page.status == status && page.body.as_str().unwrap().contains(words), "{page:?}");
    }
    assert_eq!(linked(&world).await, 1);
}

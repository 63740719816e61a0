//! POST /api/v1/auth/refresh

use std::time::Duration;

use rstest::rstest;

use crate::support::{Deployment, Engine};

#[rstest]
#[tokio::test]
async fn a_refresh_token_gives_new_tokens_of_the_same_session(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let api = Deployment::new(engine).start().await;
    let person = api.person("kim@example.com").await;
    let answer = api.refresh(&person.refresh).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.text("session_id"), person.session);
    assert_ne!(answer.text("refresh_token"), person.refresh);
    assert_eq!(api.me(&answer.text("access_token")).await.status, 200);
    assert_eq!(api.refresh(&answer.text("refresh_token")).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_lost_answer_is_repeated_with_the_same_successor(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let person = api.person("kim@example.com").await;
    let (first, again) = (api.refresh(&person.refresh).await, api.refresh(&person.refresh).await);
    assert_eq!(first.text("refresh_token"), again.text("refresh_token"));
    assert_eq!(api.refresh(&again.text("refresh_token")).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn fifty_parallel_tabs_get_one_successor(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let person = api.person("kim@example.com").await;
    let calls = (0..50).map(|_| {
        let (api, token) = (api.clone(), person.refresh.clone());
        tokio::spawn(async move { api.refresh(&token).await })
    });
    let mut successors = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        successors.push(answer.text("refresh_token"));
    }
    successors.dedup();
    assert_eq!(successors.len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_token_that_comes_back_after_its_successor_was_used_ends_the_session(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let api = Deployment::new(engine).start().await;
    let person = api.person("kim@example.com").await;
    let second = api.refresh(&person.refresh).await;
    let third = api.refresh(&second.text("refresh_token")).await;
    assert_eq!(api.me(&third.text("access_token")).await.status, 200);
    let stolen = api.refresh(&person.refresh).await;
    assert_eq!((stolen.status, stolen.code()), (401, "invalid_grant"));
    assert_eq!(api.refresh(&third.text("refresh_token")).await.status, 401);
    assert_eq!(api.me(&third.text("access_token")).await.status, 401);
}

#[rstest]
#[tokio::test]
async fn a_token_that_comes_back_after_the_grace_ends_the_session(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    let successor = api.refresh(&person.refresh).await.text("refresh_token");
    deployment.clock.advance(Duration::from_millis(10_001));
    assert_eq!(api.refresh(&person.refresh).await.status, 401);
    assert_eq!(api.refresh(&successor).await.status, 401);
}

//! Identities that end for the owner's sake: a stranger's, and one that its provider ended.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use test_peers::{Security, Smtp};

use super::support::World;
use crate::{
    mailbox::{deployment, letter},
    support::Engine,
};

const KIM: &str = "kim@example.com";

#[rstest]
#[tokio::test]
async fn whoever_disowns_a_login_is_rid_of_what_was_linked_since(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let relay = Smtp::start(Security::Plain).unwrap();
    let world = World::on(deployment(engine, &relay), &[]).await;
    let kim = world.api.person(KIM).await;
    world.deployment.prove_everybody().await;
    world.naver.sign_in(json!({"id": "kim"}));
    assert_eq!(world.link(&kim.access, "naver").await.status, 200);
    world.advance(Duration::from_secs(60));
    let thief = world.api.log_in(KIM).await;
    world.kakao.sign_in(json!({"id": 666}));
    assert_eq!(world.link(&thief.access, "kakao").await.status, 200);
    let news = letter(&relay, KIM, "New login to your account").await;
    let token = news.text.split_once("/not-me?token=").unwrap().1.split_whitespace().next().unwrap();
    assert_eq!(world.api.post_token("/api/v1/auth/sessions/disown", token).await.status, 204);
    let stranger = world.log_in("kakao").await;
    assert_eq!(world.me(&stranger).await["email"], json!(null), "an account of the thief's own");
    let owner = world.log_in("naver").await;
    assert_eq!(world.me(&owner).await["email"], KIM, "what was there before stays");
}

#[rstest]
#[tokio::test]
async fn an_identity_that_its_provider_ended_gives_way_to_another_one_there(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let kim = world.api.person(KIM).await;
    world.kakao.sign_in(json!({"id": 1}));
    assert_eq!(world.link(&kim.access, "kakao").await.status, 200);
    world.kakao.sign_in(json!({"id": 2}));
    assert_eq!(world.link(&kim.access, "kakao").await.code(), "identity_taken");
    world.deployment.change("UPDATE oauth_accounts SET unlinked_at = linked_at").await;
    assert_eq!(world.link(&kim.access, "kakao").await.status, 200);
    let identities = world.identities(&kim.access).await;
    assert_eq!((identities.len(), &identities[0]["subject"]), (1, &json!("2")));
}

//! Kakao: everything about a person may be absent, and an address counts only when it is valid and verified.

use rstest::rstest;
use serde_json::json;

use super::support::{World, at_kakao};
use crate::support::Engine;

#[rstest]
#[tokio::test]
async fn a_person_at_kakao_has_an_account_from_the_first_login_on(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    world.kakao.sign_in(at_kakao(9_007_199_254_740_993, "ryan@example.com"));
    let first = world.log_in("kakao").await;
    assert_eq!(first.status, 200, "{first:?}");
    let me = world.me(&first).await;
    assert_eq!((&me["email"], &me["email_verified"]), (&json!("ryan@example.com"), &json!(true)));
    assert_eq!(me["display_name"], "라이언");
    let identities = world.identities(&first.text("access_token")).await;
    assert_eq!(identities[0]["subject"], "9007199254740993");
    let second = world.log_in("kakao").await;
    assert_eq!(world.me(&second).await["id"], me["id"]);
    let asked = world.kakao.requests_to("/oauth/authorize");
    assert_eq!(asked[0].query("scope"), None, "an item that is not enabled would fail with KOE205");
}

#[rstest]
#[tokio::test]
async fn whoever_tells_kakao_to_keep_everything_has_an_account_without_an_address(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    for id in [1, 2] {
        world.kakao.sign_in(json!({"id": id}));
        let answer = world.log_in("kakao").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let me = world.me(&answer).await;
        assert_eq!((&me["email"], &me["display_name"]), (&json!(null), &json!(null)));
    }
}

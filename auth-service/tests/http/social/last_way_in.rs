//! Taking a provider from one's account: from a fresh session, and never the last way in.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use super::support::World;
use crate::support::Engine;

#[rstest]
#[tokio::test]
async fn an_identity_is_taken_away_from_a_fresh_session_and_enters_no_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let kim = world.api.person("kim@example.com").await;
    world.kakao.sign_in(json!({"id": 1}));
    assert_eq!(world.link(&kim.access, "kakao").await.status, 200);
    let other = world.api.person("lee@example.com").await;
    for provider in ["kakao", "naver", "nobody"] {
        assert_eq!(world.unlink(&other.access, provider).await.status, 404, "there is none of theirs");
    }
    world.deployment.clock.advance(Duration::from_secs(301));
    let stale = world.unlink(&kim.access, "kakao").await;
    assert_eq!((stale.status, stale.code()), (403, "reauthentication_required"));
    let kim = world.api.log_in("kim@example.com").await;
    assert_eq!(world.unlink(&kim.access, "naver").await.status, 404);
    assert_eq!(world.unlink(&kim.access, "kakao").await.status, 204);
    assert_eq!(world.unlink(&kim.access, "kakao").await.status, 404);
    // What Kakao is told of the old link would end a login that is under way.
    world.nothing_is_queued().await;
    let stranger = world.log_in("kakao").await;
    assert_eq!(world.me(&stranger).await["email"], json!(null), "a new account: the old one is entered no more");
    assert_eq!(world.api.login("kim@example.com", crate::support::PASSWORD).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn the_last_way_in_stays(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let access = world.log_in("kakao").await.text("access_token");
    let last = world.unlink(&access, "kakao").await;
    assert_eq!((last.status, last.code()), (409, "last_way_in"));
    assert_eq!(world.link(&access, "naver").await.status, 200);
    // What Naver has ended opens nothing until somebody logs in there again.
    world.deployment.change("UPDATE oauth_accounts SET unlinked_at = created_at WHERE provider = 'naver'").await;
    assert_eq!(world.unlink(&access, "kakao").await.code(), "last_way_in");
    world.deployment.change("UPDATE oauth_accounts SET unlinked_at = NULL").await;
    assert_eq!(world.unlink(&access, "kakao").await.status, 204);
    assert_eq!(world.unlink(&access, "naver").await.code(), "last_way_in");
    let new = json!({"new_password": "Another-Pass-77!"});
    assert_eq!(world.api.bearing(&access).put("/api/v1/users/me/password", new).await.status, 204);
    assert_eq!(world.unlink(&access, "naver").await.status, 204, "the password is a way in");
}

#[rstest]
#[tokio::test]
async fn of_two_ways_in_that_are_taken_at_once_one_stays(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    for id in 0..8 {
        world.kakao.sign_in(json!({ "id": id }));
        world.naver.sign_in(json!({"id": id.to_string()}));
        let access = world.log_in("kakao").await.text("access_token");
        assert_eq!(world.link(&access, "naver").await.status, 200);
        let (one, other) = tokio::join!(world.unlink(&access, "kakao"), world.unlink(&access, "naver"));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
        assert_eq!(world.identities(&access).await.len(), 1);
    }
}

//! Every kind of token where another kind belongs.

use rstest::rstest;

use crate::support::{Deployment, Engine, FEED_TOKEN, PASSWORD};

const FEED: &str = "/internal/v1/revocations";

#[rstest]
#[tokio::test]
async fn no_kind_of_token_passes_for_another(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    let login = api.login("kim@example.com", PASSWORD).await;
    let (access, refresh) = (login.text("access_token"), login.text("refresh_token"));
    let (device, session) = (login.header("x-device-token"), login.text("session_id"));
    for wrong in [&refresh, device, FEED_TOKEN, &session, PASSWORD] {
        let me = api.me(wrong).await;
        assert_eq!((me.status, me.code()), (401, "invalid_token"), "{wrong} as access token");
    }
    for wrong in [&access, device, FEED_TOKEN, &session, PASSWORD] {
        let refreshed = api.refresh(wrong).await;
        assert_eq!((refreshed.status, refreshed.code()), (401, "invalid_grant"), "{wrong} as refresh token");
    }
    for wrong in [access.as_str(), &refresh, device, &session] {
        let feed = api.bearing(wrong).get(FEED).await;
        assert_eq!((feed.status, feed.code()), (401, "invalid_token"), "{wrong} as feed token");
    }
    for wrong in [access.as_str(), &refresh, FEED_TOKEN, &session] {
        let again = api.with_header("x-device-token", wrong).login("kim@example.com", PASSWORD).await;
        assert_eq!(again.status, 200);
        assert_ne!(again.header("x-device-token"), "", "{wrong} is no device that we know");
    }
    assert_eq!(api.me(&access).await.status, 200, "no mistake ended the session");
    assert_eq!(api.refresh(&refresh).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_token_is_taken_from_the_authorization_header_alone(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let api = Deployment::new(engine).start().await;
    let access = api.person("kim@example.com").await.access;
    assert_eq!(api.get("/api/v1/users/me").await.status, 401);
    assert_eq!(api.get(&format!("/api/v1/users/me?access_token={access}")).await.status, 401);
    assert_eq!(api.with_header("cookie", &format!("access_token={access}")).get("/api/v1/users/me").await.status, 401);
    for scheme in ["Basic", "Token", ""] {
        let other = api.with_header("authorization", &format!("{scheme} {access}"));
        assert_eq!(other.get("/api/v1/users/me").await.status, 401, "{scheme}");
    }
    assert_eq!(api.with_header("authorization", &access).get("/api/v1/users/me").await.status, 401, "no scheme");
}

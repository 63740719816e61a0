//! GET and PATCH /api/v1/users/me

use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    register::USER,
    support::{Answer, Deployment, Engine, Instance},
    waiting::{A_SECOND, until},
};

const ME: &str = "/api/v1/users/me";

async fn patch(own: &Instance, change: Value) -> Answer {
    own.call(Method::PATCH, ME, change).await
}

#[rstest]
#[tokio::test]
async fn everybody_sees_their_own_account(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let person = api.person("kim@example.com").await;
    let me = api.me(&person.access).await;
    assert_eq!((me.status, me.members()), (200, USER.to_vec()));
    assert_eq!(me.header("content-type"), "application/json");
    assert_eq!(me.header("cache-control"), "no-store");
    assert_eq!(me.text("email"), "kim@example.com");
    assert_eq!(me.text("last_login_at"), "2026-01-01T00:00:00Z");
}

#[rstest]
#[tokio::test]
async fn a_patch_sets_clears_and_keeps(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    let own = api.bearing(&person.access);
    deployment.clock.advance(Duration::from_secs(1));
    let all = json!({"display_name": "김달래", "username": "Kim", "phone": "+821012345678", "avatar_url": "https://example.com/a.png", "locale": "ko"});
    let set = patch(&own, all.clone()).await;
    assert_eq!((set.status, set.members()), (200, USER.to_vec()), "{set:?}");
    for (name, value) in all.as_object().unwrap() {
        assert_eq!(&set.body[name], value);
    }
    assert_eq!(set.text("updated_at"), "2026-01-01T00:00:01Z");
    assert_eq!(set.text("created_at"), "2026-01-01T00:00:00Z");
    assert_eq!(own.get(ME).await.body, set.body, "fresh at once");

    let kept = patch(&own, json!({"locale": "en"})).await;
    assert_eq!((kept.text("display_name"), kept.text("locale")), ("김달래".to_owned(), "en".to_owned()));
    let cleared = json!({"display_name": null, "username": null, "phone": null, "avatar_url": null});
    let cleared = patch(&own, cleared).await;
    for name in ["display_name", "username", "phone", "avatar_url"] {
        assert_eq!(cleared.body[name], Value::Null, "{name}");
    }
    assert_eq!(cleared.text("locale"), "en");
    assert_eq!(patch(&own, json!({})).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_patch_reports_every_fault_and_changes_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let person = api.person("kim@example.com").await;
    let own = api.bearing(&person.access);
    let before = own.get(ME).await.body;
    let change = json!({"display_name": " ", "username": "x", "phone": "010-1234", "avatar_url": "javascript:alert(1)", "locale": null, "email": "other@example.com", "status": "active"});
    let refused = patch(&own, change).await;
    assert_eq!((refused.status, refused.code()), (422, "invalid_request"));
    let expected = [
        ("display_name", "empty"),
        ("username", "invalid_username"),
        ("phone", "invalid_phone"),
        ("avatar_url", "invalid_url"),
        ("locale", "required"),
        ("email", "unknown"),
        ("status", "unknown"),
    ];
    assert_eq!(refused.faults(), expected);
    let mixed = patch(&own, json!({"display_name": "Kim", "roles": ["admin"]})).await;
    assert_eq!((mixed.status, mixed.faults()), (422, vec![("roles", "unknown")]));
    assert_eq!(own.get(ME).await.body, before);
}

#[rstest]
#[tokio::test]
async fn a_username_is_taken_by_others_but_not_by_oneself(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let api = Deployment::new(engine).start().await;
    let (kim, lee) = (api.person("kim@example.com").await, api.person("lee@example.com").await);
    let (kim, lee) = (api.bearing(&kim.access), api.bearing(&lee.access));
    assert_eq!(patch(&kim, json!({"username": "dalrae"})).await.status, 200);
    let refused = patch(&lee, json!({"username": "DalRae"})).await;
    assert_eq!((refused.status, refused.code()), (409, "username_taken"));
    assert_eq!(patch(&kim, json!({"username": "DalRae"})).await.text("username"), "DalRae");
    assert_eq!(patch(&kim, json!({"username": null})).await.status, 200);
    assert_eq!(patch(&lee, json!({"username": "dalrae"})).await.status, 200, "given up, so free");
}

#[rstest]
#[tokio::test]
async fn a_change_shows_on_another_instance_within_a_second(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let (one, other) = (deployment.start().await, deployment.start().await);
    let person = one.person("kim@example.com").await;
    assert_eq!(other.me(&person.access).await.body["display_name"], Value::Null);
    assert_eq!(patch(&one.bearing(&person.access), json!({"display_name": "Kim"})).await.status, 200);
    let shown = async || other.me(&person.access).await.body["display_name"] == "Kim";
    until("the new name shows", A_SECOND, shown).await;
}

#[rstest]
#[tokio::test]
async fn a_disabled_account_sees_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let person = api.person("kim@example.com").await;
    assert_eq!(deployment.change("UPDATE users SET status = 'disabled'").await, 1);
    assert_eq!(deployment.start().await.me(&person.access).await.status, 401);
    assert_eq!(api.refresh(&person.refresh).await.status, 401);
}

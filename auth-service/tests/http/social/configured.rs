//! GET /api/v1/system/providers

use rstest::rstest;
use serde_json::{Value, json};

use super::support::World;
use crate::{
    support::{Deployment, Engine},
    team::ADMIN,
};

const PROVIDERS: &str = "/api/v1/system/providers";

/// What an administrator is shown.
async fn shown(world: &World) -> Value {
    let admin = world.deployment.person_as(&world.api, ADMIN, "admin").await;
    let answer = world.api.bearing(&admin.access).get(PROVIDERS).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

fn codes(provider: &Value) -> Vec<&str> {
    provider["faults"].as_array().unwrap().iter().map(|fault| fault["code"].as_str().unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn each_provider_is_shown_with_what_its_console_must_know_and_without_secrets(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let more = [
        ("KAKAO_SCOPES", "openid account_email"),
        ("KAKAO_NATIVE_CLIENT_IDS", "native-1,native-2"),
        ("OIDC_ACME_TITLE", "Acme"),
    ];
    let world = World::with(engine, &more).await;
    let body = shown(&world).await;
    let kakao = json!({
        "name": "kakao", "kind": "kakao", "title": "Kakao", "issuer": world.kakao.url(), "client_id": "kakao-client",
        "native_client_ids": ["native-1", "native-2"],
        "callback_uri": format!("{}/api/v1/oauth/kakao/callback", world.base),
        "scopes": ["openid", "account_email"], "faults": [],
    });
    assert_eq!(body["providers"][0], kakao);
    let of = |member: &str| -> Vec<Value> {
        body["providers"].as_array().unwrap().iter().map(|provider| provider[member].clone()).collect()
    };
    assert_eq!(of("kind"), ["kakao", "naver", "openid"]);
    assert_eq!(of("title"), ["Kakao", "Naver", "Acme"]);
    assert_eq!(of("client_id"), ["kakao-client", "naver-client", "acme-client"]);
    assert_eq!((&body["keeps_tokens"], body["redirect_uris"].as_array().unwrap().len()), (&json!(false), 1));
    let text = body.to_string();
    assert!(!text.contains("secret") && !text.contains(world.kakao.admin_key()), "{text}");
}

#[rstest]
#[tokio::test]
async fn what_the_configuration_lacks_is_told_without_asking_the_provider(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let lacking = [("KAKAO_ADMIN_KEY", ""), ("PUBLIC_URL", ""), ("OAUTH_REDIRECT_URIS", ""), ("ENV", "test")];
    let world = World::with(engine, &lacking).await;
    let body = shown(&world).await;
    assert_eq!(codes(&body["providers"][0]), ["no_public_url", "no_redirect_uris", "no_kakao_admin_key"]);
    assert_eq!(codes(&body["providers"][1]), ["no_public_url", "no_redirect_uris"]);
    let advice = body["providers"][0]["faults"][2]["detail"].as_str().unwrap();
    assert!(advice.contains("KAKAO_ADMIN_KEY"), "{advice}");

    let none = Deployment::new(engine);
    let api = none.start().await;
    let admin = none.person_as(&api, ADMIN, "admin").await;
    let answer = api.bearing(&admin.access).get(PROVIDERS).await;
    assert_eq!(answer.body, json!({"providers": [], "keeps_tokens": false, "redirect_uris": []}));
}

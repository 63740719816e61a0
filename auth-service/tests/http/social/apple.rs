//! Apple: a key for a secret, an answer that is posted across sites, a name told once, and truths in texts.

use data_encoding::HEXLOWER;
use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{Apple, Consent, free_port};

use super::{
    steps::{Underway, arrive, assert_lost, browse},
    support::{World, client},
};
use crate::support::{Answer, Deployment, Engine};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const BUNDLE: &str = "com.example.app";

async fn world(engine: Engine) -> (Apple, World) {
    let port = free_port().unwrap();
    let apple = Apple::start(client(port, "apple")).unwrap();
    let (app, deployment) = (apple.app().unwrap(), Deployment::new(engine));
    apple.set_now(deployment.clock.now().as_second());
    let (issuer, key) = (apple.url(), app.private_key.as_str());
    let variables = [
        ("APPLE_ISSUER", issuer.as_str()),
        ("APPLE_CLIENT_ID", "apple-client"),
        ("APPLE_TEAM_ID", app.team_id.as_str()),
        ("APPLE_KEY_ID", app.key_id.as_str()),
        ("APPLE_PRIVATE_KEY", key),
        ("APPLE_NATIVE_CLIENT_IDS", BUNDLE),
    ];
    let world = World::at(port, deployment, &variables).await;
    (apple, world)
}

/// The form that Apple's page makes the browser post, and the browser's cookie.
async fn begin(world: &World) -> (Vec<(String, String)>, String) {
    let sent = browse("GET", &world.authorize_url("apple"), &[], "").await;
    let cookie = sent.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let page = browse("GET", &sent.location().unwrap(), &[], "").await;
    let undo = |text: &str| text.replace("&quot;", "\"").replace("&lt;", "<").replace("&amp;", "&");
    let fields = page.body.split("name=\"").skip(1).map(|rest| {
        let (name, rest) = rest.split_once("\" value=\"").unwrap();
        (name.to_owned(), undo(rest.split_once('"').unwrap().0))
    });
    (fields.collect(), cookie)
}

/// Posts the form without the cookie, as across sites; gives where the browser goes on.
async fn post(world: &World, fields: &[(String, String)], cookie: String) -> Underway {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let reply = browse("POST", &format!("{}/api/v1/oauth/apple/callback", world.base), &[FORM], &body).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    Underway { callback: reply.location().unwrap(), cookie }
}

async fn log_in(world: &World) -> Answer {
    let (fields, cookie) = begin(world).await;
    let reply = arrive(&post(world, &fields, cookie).await).await;
    world.exchange(&reply.location_query("code").unwrap_or_else(|| panic!("{reply:?}"))).await
}

#[rstest]
#[tokio::test]
async fn a_person_at_apple_comes_back_by_a_post_and_keeps_the_name_that_is_told_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (_apple, world) = world(engine).await;
    let first = log_in(&world).await;
    assert_eq!(first.status, 200, "{first:?}");
    let me = world.me(&first).await;
    assert_eq!((&me["email"], &me["display_name"]), (&json!("x7@privaterelay.appleid.test"), &json!("Ada Lovelace")));
    assert_eq!(me["email_verified"], true, "which Apple writes as a text");
    let again = log_in(&world).await;
    assert_eq!(world.me(&again).await, world.me(&first).await);
    let identities = world.identities(&again.text("access_token")).await;
    assert_eq!(identities[0]["subject"], "001234.0a1b2c3d4e5f.0123");
}

#[rstest]
#[tokio::test]
async fn what_the_browser_says_of_the_person_is_a_name_and_never_an_address(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (apple, world) = world(engine).await;
    let victim = world.api.person("victim@example.com").await;
    let person =
        |sub: &str, verified: Value| json!({"sub": sub, "email": "victim@example.com", "email_verified": verified});
    let user = json!({"name": {"firstName": "<b>", "lastName": "\u{0}x"}, "email": "victim@example.com", "email_verified": true});
    for (number, told) in
        [user.to_string(), "{".to_owned(), "[]".to_owned(), json!({"name": 1}).to_string()].iter().enumerate()
    {
        apple.sign_in(json!({"sub": format!("person-{number}")}));
        let (mut fields, cookie) = begin(&world).await;
        fields.retain(|(name, _)| name != "user");
        fields.push(("user".to_owned(), told.clone()));
        let reply = arrive(&post(&world, &fields, cookie).await).await;
        let answer = world.exchange(&reply.location_query("code").unwrap()).await;
        assert_eq!(world.me(&answer).await["email"], json!(null), "{told}");
    }
    apple.sign_in(person("unverified", json!(false)));
    let unverified = log_in(&world).await;
    assert_eq!(world.me(&unverified).await["email"], json!(null));
    assert_eq!(world.api.me(&victim.access).await.status, 200, "the victim's account is as it was");
}

#[rstest]
#[tokio::test]
async fn a_posted_answer_needs_the_browser_that_began(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (apple, world) = world(engine).await;
    let (fields, _) = begin(&world).await;
    let (_, victims) = begin(&world).await;
    assert_lost(&arrive(&post(&world, &fields, victims).await).await);
    apple.set_consent(Consent::Deny);
    let (fields, cookie) = begin(&world).await;
    let denied = arrive(&post(&world, &fields, cookie).await).await;
    assert_eq!(denied.location_query("error").as_deref(), Some("access_denied"), "{denied:?}");
    assert_eq!(apple.requests_to("/auth/token").len(), 0);
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM users").await, 0);
}

#[rstest]
#[tokio::test]
async fn an_app_on_apples_devices_logs_in_once_by_the_hash_of_its_nonce(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (apple, world) = world(engine).await;
    let hash = HEXLOWER.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"raw").as_ref());
    let token = |audience: &str| apple.id_token(audience, Some(&hash)).unwrap();
    let send = async |id_token: &str, nonce: &str| {
        let body = json!({"id_token": id_token, "nonce": nonce});
        world.api.post("/api/v1/oauth/apple/id-token", body).await
    };
    assert_eq!(send(&token("com.example.other"), "raw").await.code(), "invalid_id_token");
    let good = token(BUNDLE);
    let answer = send(&good, "raw").await;
    assert_eq!(world.me(&answer).await["email"], "x7@privaterelay.appleid.test");
    for nonce in ["raw", &hash] {
        assert_eq!(send(&good, nonce).await.code(), "invalid_id_token", "{nonce}");
    }
}

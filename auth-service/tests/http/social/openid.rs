//! OpenID Connect: with a provider that is not ours, and with one that says of each login what it should not.

use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{ClientProof, IdTokenAlgorithm, OpenIdProvider, OpenIdSetup, Reply, free_port};

use super::{
    steps::{Underway, arrive, browse},
    support::{World, client},
};
use crate::support::{Answer, Deployment, Engine};

const EMAIL: &str = "kim@example.com";

/// A world with a provider of others, named `real`.
async fn world(engine: Engine, algorithm: IdTokenAlgorithm, client_proof: ClientProof) -> (OpenIdProvider, World) {
    let port = free_port().unwrap();
    let accounts = vec![json!({"sub": "kim", "email": EMAIL, "email_verified": true, "name": "김민수"})];
    let setup = OpenIdSetup { clients: vec![client(port, "real")], accounts, algorithm, client_proof };
    let provider = OpenIdProvider::start(setup).unwrap();
    let deployment = Deployment::new(engine);
    provider.set_now(deployment.clock.now().as_second()).unwrap();
    let variables = [
        ("OIDC_REAL_ISSUER", provider.issuer()),
        ("OIDC_REAL_CLIENT_ID", "real-client".to_owned()),
        ("OIDC_REAL_CLIENT_SECRET", "real-secret".to_owned()),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let world = World::at(port, deployment, &variables).await;
    (provider, world)
}

enum Person {
    SignsIn,
    Cancels,
}

/// A login at that provider, up to where the browser comes back.
async fn begin(provider: &OpenIdProvider, world: &World, person: Person) -> Underway {
    let sent = browse("GET", &world.authorize_url("real"), &[], "").await;
    let cookie = sent.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let request = sent.location().unwrap();
    let callback = match person {
        Person::SignsIn => provider.sign_in(&request, EMAIL),
        Person::Cancels => provider.cancel(&request),
    };
    Underway { callback: callback.unwrap(), cookie }
}

async fn log_in(provider: &OpenIdProvider, world: &World) -> Answer {
    let reply = arrive(&begin(provider, world, Person::SignsIn).await).await;
    world.exchange(&reply.location_query("code").unwrap_or_else(|| panic!("{reply:?}"))).await
}

#[track_caller]
fn assert_refused(reply: &Reply, what: &str) {
    assert_eq!(reply.location_query("error").as_deref(), Some("server_error"), "{what}: {reply:?}");
}

#[rstest]
#[case(Engine::Sqlite, IdTokenAlgorithm::Rs256, ClientProof::Basic)]
#[case(Engine::Postgres, IdTokenAlgorithm::Es256, ClientProof::Post)]
#[tokio::test]
async fn people_log_in_through_a_provider_that_is_not_ours(
    #[case] engine: Engine,
    #[case] algorithm: IdTokenAlgorithm,
    #[case] client_proof: ClientProof,
) {
    let (provider, world) = world(engine, algorithm, client_proof).await;
    let first = log_in(&provider, &world).await;
    assert_eq!(first.status, 200, "{first:?}");
    let me = world.me(&first).await;
    assert_eq!(
        (&me["email"], &me["email_verified"], &me["display_name"]),
        (&json!(EMAIL), &json!(true), &json!("김민수"))
    );
    let again = log_in(&provider, &world).await;
    assert_eq!(world.me(&again).await["id"], me["id"]);
    let underway = begin(&provider, &world, Person::SignsIn).await;
    assert_eq!(underway.query("iss"), provider.issuer());
    assert_refused(&arrive(&underway.with("iss", None)).await, "it promises its name");
    let cancelled = arrive(&begin(&provider, &world, Person::Cancels).await).await;
    assert_eq!(cancelled.location_query("error").as_deref(), Some("access_denied"), "{cancelled:?}");
    // A code of another login of the same browser's owner: its verifier is another (RFC 7636).
    let (one, other) =
        (begin(&provider, &world, Person::SignsIn).await, begin(&provider, &world, Person::SignsIn).await);
    assert_refused(&arrive(&one.with("code", Some(&other.query("code")))).await, "a code that was injected");
    let orphan = begin(&provider, &world, Person::SignsIn).await;
    provider.stop().unwrap();
    let away = arrive(&orphan).await;
    assert_eq!(away.location_query("error").as_deref(), Some("temporarily_unavailable"), "{away:?}");
}

#[rstest]
#[tokio::test]
async fn its_id_token_for_an_app_is_good_once_and_with_its_nonce(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (provider, world) = world(engine, IdTokenAlgorithm::Es256, ClientProof::Basic).await;
    let id_token = provider.id_token("real-client", EMAIL, Some("nonce of the app")).unwrap();
    let send = async |nonce: &str| {
        let body = json!({"id_token": id_token, "nonce": nonce});
        world.api.post("/api/v1/oauth/real/id-token", body).await
    };
    assert_eq!(send("another").await.code(), "invalid_id_token");
    let good = send("nonce of the app").await;
    assert_eq!(world.me(&good).await["email"], EMAIL);
    assert_eq!(send("nonce of the app").await.code(), "invalid_id_token");
    let without = provider.id_token("real-client", EMAIL, None).unwrap();
    let body = json!({"id_token": without, "nonce": "any"});
    assert_eq!(world.api.post("/api/v1/oauth/real/id-token", body).await.code(), "invalid_id_token");
}

#[rstest]
#[tokio::test]
async fn an_id_token_that_is_not_of_this_login_ends_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let now = world.deployment.clock.now().as_second();
    world.acme.sign_in(json!({"id": 7}));
    let earlier = super::steps::query(&world.acme_request().await, "nonce").unwrap();
    for (name, value) in [
        ("nonce", json!(earlier)),
        ("nonce", json!(null)),
        ("aud", json!("kakao-client")),
        ("iss", json!(world.kakao.url())),
        ("exp", json!(now - 31)),
        ("iat", json!(now - 631)),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("sub", json!("a\nb")),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
    ] {
        world.acme.change_id_tokens(&json!({ name: value }));
        assert_refused(&arrive(&world.begin("acme").await).await, &format!("{name} {value}"));
        // Kakao asks its own API who it is, and still believes no token that does not fit.
        world
            .kakao
            .change_id_tokens(&json!({ name: if name == "iss" { json!("https://evil.example") } else { value } }));
        if name != "aud" {
            assert_refused(&arrive(&world.begin("kakao").await).await, &format!("{name} at Kakao"));
        }
    }
    world.kakao.change_id_tokens(&json!({"sub": "8"}));
    assert_refused(&arrive(&world.begin("kakao").await).await, "signed for another person");
    world.acme.change_id_tokens(&json!({"nonce": null, "email": null, "sub": "8"}));
    assert_refused(&arrive(&world.begin("acme").await).await, "described another person");
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM users").await, 0);
    world.acme.change_id_tokens(&Value::Null);
    assert_eq!(world.log_in("acme").await.status, 200);
}

impl World {
    /// What an earlier login asked of the issuer.
    async fn acme_request(&self) -> String {
        browse("GET", &self.authorize_url("acme"), &[], "").await.location().unwrap()
    }
}

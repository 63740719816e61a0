//! `auth-system keys rotate` and `withdraw`, as people with tokens see them.

use std::time::Duration;

use auth_service::{
    db::Db,
    keys::{self, JWKS_LIFE, KeyError, SecretsKey},
};
use auth_token::{Algorithm, RsaBits, SigningKey};
use rstest::rstest;
use serde_json::Value;
use test_peers::Log;

use crate::{
    support::{Deployment, Engine, Instance},
    waiting::{A_SECOND, until},
};

const SECRETS_KEY: &str = "dGhpcyBpcyAzMiBieXRlcywgYW5kIG5vIHNlY3JldC4=";
const OTHER_SECRETS_KEY: &str = "dGhlc2UgYXJlIDMyIG90aGVycywgbm8gc2VjcmV0LiA=";
const TOKEN_LIFE: Duration = Duration::from_secs(30 * 60);

fn sealed(engine: Engine) -> Deployment {
    Deployment::new(engine).set("SECRETS_KEY", SECRETS_KEY)
}

/// The ids of the published keys.
async fn published(api: &Instance) -> Vec<String> {
    let answer = api.get("/.well-known/jwks.json").await;
    let keys = answer.body["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn signing(api: &Instance) -> String {
    api.app.keys.signing_key().kid().to_owned()
}

/// Publishes a key as the command line does, from another process.
async fn rotate(deployment: &Deployment, algorithm: Algorithm) -> String {
    let db = Db::open(&deployment.config().db, None).unwrap();
    let secrets = SecretsKey::parse(deployment.get("SECRETS_KEY")).unwrap();
    keys::rotate(&db, Some(&secrets), algorithm, JWKS_LIFE, deployment.clock.now().into()).await.unwrap()
}

async fn withdraw(deployment: &Deployment, kid: &str) -> Result<(), KeyError> {
    let config = deployment.config();
    let db = Db::open(&config.db, None).unwrap();
    let now = deployment.clock.now().into();
    keys::withdraw(&db, config.keys.secrets_key.as_deref(), kid, TOKEN_LIFE, now).await
}

#[rstest]
#[case(Engine::Sqlite, Algorithm::EdDsa)]
#[case(Engine::Postgres, Algorithm::Es256)]
#[tokio::test]
async fn rotation_logs_nobody_out(#[case] engine: Engine, #[case] algorithm: Algorithm) {
    let deployment = sealed(engine);
    let api = deployment.start().await;
    let before = api.person("kim@example.com").await;
    let old = signing(&api);
    let new = rotate(&deployment, algorithm).await;
    until("the new key is published", A_SECOND, async || published(&api).await.contains(&new)).await;
    assert_eq!(signing(&api), old, "nobody who remembers the key set knows the new key yet");
    deployment.clock.advance(JWKS_LIFE - Duration::from_secs(1));
    let last = api.refresh(&before.refresh).await;
    deployment.clock.advance(Duration::from_secs(1));
    until("the new key signs", A_SECOND, async || signing(&api) == new).await;
    let first = api.refresh(&last.text("refresh_token")).await;
    for token in [&before.access, &last.text("access_token"), &first.text("access_token")] {
        assert_eq!(api.me(token).await.status, 200);
    }
    // The last second of the last token of the old key.
    deployment.clock.advance(TOKEN_LIFE - Duration::from_secs(2));
    assert_eq!(api.me(&last.text("access_token")).await.status, 200);
    deployment.clock.advance(Duration::from_secs(150));
    until("the old key is retired", A_SECOND, async || published(&api).await == [new.clone()]).await;
    let next = api.refresh(&first.text("refresh_token")).await;
    assert_eq!(api.me(&next.text("access_token")).await.status, 200);
}

#[tokio::test]
async fn an_instance_that_starts_after_a_rotation_signs_as_the_others_do() {
    let deployment = sealed(Engine::Postgres);
    let api = deployment.start().await;
    let new = rotate(&deployment, Algorithm::Rs256).await;
    deployment.clock.advance(JWKS_LIFE);
    until("the new key signs", A_SECOND, async || signing(&api) == new).await;
    assert_eq!(signing(&deployment.start().await), new);
}

#[rstest]
#[tokio::test]
async fn a_withdrawn_key_is_refused_everywhere_in_time_and_people_refresh_to_another(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = sealed(engine);
    let (a, b) = (deployment.start().await, deployment.start().await);
    let person = a.person("kim@example.com").await;
    let old = signing(&a);
    withdraw(&deployment, &old).await.unwrap();
    a.refuses_in_time(&person.access).await;
    b.refuses_in_time(&person.access).await;
    until("both sign by another key", A_SECOND, async || signing(&a) != old && signing(&a) == signing(&b)).await;
    let renewed = a.refresh(&person.refresh).await;
    for api in [&a, &b] {
        assert_eq!(api.me(&renewed.text("access_token")).await.status, 200);
        assert_eq!(published(api).await, [signing(&a)]);
        assert_eq!(api.me(&person.access).await.status, 401);
    }
    let unknown = withdraw(&deployment, &old).await.unwrap_err().to_string();
    assert!(unknown.contains("auth-system keys list"), "{unknown}");
}

#[tokio::test]
async fn without_a_secrets_key_there_is_no_rotation() {
    let deployment = Deployment::new(Engine::Sqlite);
    let api = deployment.start().await;
    let now = deployment.clock.now().into();
    let refused = keys::rotate(&api.app.db, None, Algorithm::Rs256, JWKS_LIFE, now).await.unwrap_err().to_string();
    assert!(refused.contains("SECRETS_KEY") && refused.contains("openssl rand -base64 32"), "{refused}");
    let refused = withdraw(&deployment, &signing(&api)).await.unwrap_err().to_string();
    assert!(refused.contains("SECRETS_KEY"), "{refused}");
    assert_eq!(published(&api).await, [signing(&api)], "and nothing has changed");
}

#[tokio::test]
async fn an_instance_with_another_secrets_key_says_so_and_serves_by_its_own_key() {
    let log = Log::collect();
    let deployment = sealed(Engine::Postgres);
    let api = deployment.start().await;
    let own = signing(&api);
    let new = rotate(&deployment, Algorithm::Es256).await;
    let deployment = deployment.set("SECRETS_KEY", OTHER_SECRETS_KEY);
    let stranger = deployment.start().await;
    deployment.clock.advance(JWKS_LIFE);
    until("the new key signs", A_SECOND, async || signing(&api) == new).await;
    // Long after the last token that the others signed by it.
    for _ in 0..4 {
        deployment.clock.advance(TOKEN_LIFE);
        let person = stranger.log_in_anew().await;
        assert_eq!(signing(&stranger), own);
        assert_eq!(stranger.me(&person).await.status, 200);
        until("its tokens are good elsewhere", A_SECOND, async || api.me(&person).await.status == 200).await;
    }
    let complaints = log.lines_with(&["jwt", "SECRETS_KEY is not the one that sealed it", &new]);
    assert!((1..=2).contains(&complaints.len()), "said when it matters, not each half second: {complaints:?}");
}

#[tokio::test]
async fn instances_with_keys_of_their_own_verify_each_others_tokens() {
    let deployment = Deployment::new(Engine::Postgres);
    let a = deployment.start().await;
    let own = SigningKey::generate(Algorithm::Rs256, RsaBits::default()).unwrap();
    let deployment = deployment.set("JWT_PRIVATE_KEY", &own.to_pkcs8_pem().unwrap());
    let b = deployment.start().await;
    for _ in 0..3 {
        assert_ne!(signing(&a), signing(&b));
        for (here, there) in [(&a, &b), (&b, &a)] {
            let access = here.log_in_anew().await;
            assert_eq!(here.me(&access).await.status, 200);
            until("known elsewhere", A_SECOND, async || there.me(&access).await.status == 200).await;
        }
        deployment.clock.advance(TOKEN_LIFE + JWKS_LIFE);
    }
}

impl Instance {
    /// An access token of somebody, registered or not yet.
    async fn log_in_anew(&self) -> String {
        let answer = self.register("somebody@example.com").await;
        assert!([201, 409].contains(&answer.status), "{answer:?}");
        self.log_in("somebody@example.com").await.access
    }
}

#[tokio::test]
async fn keys_are_listed_by_what_they_do() {
    let deployment = sealed(Engine::Sqlite);
    let api = deployment.start().await;
    let states = async || {
        let listed = keys::list(&api.app.db, TOKEN_LIFE, deployment.clock.now().into()).await.unwrap();
        listed.iter().map(|key| Value::from(key.state.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(states().await, ["signs"]);
    let new = rotate(&deployment, Algorithm::Es256).await;
    assert_eq!(states().await, ["signs", "published"]);
    deployment.clock.advance(JWKS_LIFE);
    until("the new key signs", A_SECOND, async || signing(&api) == new).await;
    assert_eq!(states().await, ["verifies", "signs"]);
    deployment.clock.advance(TOKEN_LIFE + Duration::from_secs(121));
    assert_eq!(states().await, ["retired", "signs"]);
    withdraw(&deployment, &new).await.unwrap();
    assert_eq!(states().await, ["retired", "withdrawn", "signs"]);
}

//! The operator's commands that are not about starting: keys, health checks, and what the program prints of itself.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;

use crate::{
    client::Answer,
    support::{Engine, Workplace, postgres},
};

fn kids(jwks: &Answer) -> Vec<String> {
    jwks.body["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_generated_pair_is_its_owners_alone_and_never_overwritten() {
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let place = Workplace::bare().set("JWT_ALGORITHM", algorithm);
        let made = place.run(&["keys", "generate"]);
        assert_eq!(made.code, Some(0), "{made:?}");
        assert!(made.out.contains("keys/private.pem") && made.out.contains("kid"), "{made:?}");
        let files = ["keys/private.pem", "keys/public.pem"].map(|name| place.path(name));
        for file in &files {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::metadata(place.path("keys")).unwrap().permissions().mode() & 0o777, 0o700);
        let before = files.each_ref().map(|file| fs::read(file).unwrap());
        let again = place.run(&["keys", "generate"]);
        assert_eq!(again.code, Some(1), "{again:?}");
        assert!(again.err.contains("keys/private.pem") && again.err.contains("exists"), "{again:?}");
        assert_eq!(files.each_ref().map(|file| fs::read(file).unwrap()), before);
    }
}

#[test]
fn a_lone_public_key_is_not_overwritten_and_leaves_no_half_pair() {
    let place = Workplace::bare();
    fs::create_dir(place.path("keys")).unwrap();
    fs::write(place.path("keys/public.pem"), "somebody's").unwrap();
    let refused = place.run(&["keys", "generate", "--algorithm", "ES256"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("keys/public.pem"), "{refused:?}");
    assert_eq!(fs::read_to_string(place.path("keys/public.pem")).unwrap(), "somebody's");
    assert!(!place.path("keys/private.pem").exists(), "a private key without its public half was left behind");
}

#[test]
fn there_is_no_pair_of_a_shared_secret() {
    let refused = Workplace::bare().run(&["keys", "generate", "--algorithm", "HS256"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("openssl rand -base64 64"), "{refused:?}");
}

#[tokio::test]
async fn rotation_publishes_a_key_that_signs_later_and_withdrawal_ends_tokens_at_once() {
    let place = Workplace::on(Engine::Sqlite).set("SECRETS_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let program = place.start().await;
    let person = program.client.person("kim@example.com").await;
    let old = kids(&program.client.get("/.well-known/jwks.json").await);
    assert_eq!(old.len(), 1);
    let rotated = place.run(&["keys", "rotate"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    program
        .until("both keys are published", async || kids(&program.client.get("/.well-known/jwks.json").await).len() == 2)
        .await;
    assert_eq!(program.client.me(&person.access).await.status, 200);
    let list = place.run(&["keys", "list"]).out;
    let states: Vec<_> = list.lines().map(|line| line.split_whitespace().nth(2).unwrap()).collect();
    assert_eq!(states, ["signs", "published"], "{list}");

    let withdrawn = place.run(&["keys", "withdraw", &old[0]]);
    assert_eq!(withdrawn.code, Some(0), "{withdrawn:?}");
    program.until("the old tokens are refused", async || program.client.me(&person.access).await.status == 401).await;
    program
        .until("people refresh to tokens of another key", async || {
            let fresh = program.client.log_in("kim@example.com").await;
            program.client.me(&fresh.access).await.status == 200
        })
        .await;
    assert!(!kids(&program.client.get("/.well-known/jwks.json").await).contains(&old[0]));
    assert_eq!(program.client.refresh(&person.refresh).await.status, 200, "a key ends tokens, not sessions");
    let unknown = place.run(&["keys", "withdraw", &old[0]]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("keys list"), "{unknown:?}");
}

#[tokio::test]
async fn development_seals_new_keys_by_the_secret_that_its_server_made() {
    let place = Workplace::on(Engine::Sqlite);
    let program = place.start().await;
    assert_eq!(fs::metadata(place.path("data")).unwrap().permissions().mode() & 0o777, 0o700);
    let first = kids(&program.client.get("/.well-known/jwks.json").await);
    let withdrawn = place.run(&["keys", "withdraw", &first[0]]);
    assert_eq!(withdrawn.code, Some(0), "{withdrawn:?}");
    let is_opened = async || {
        let published = kids(&program.client.get("/.well-known/jwks.json").await);
        published.len() == 1 && published != first
    };
    program.until("the server signs with the new key", is_opened).await;
    let person = program.client.person("kim@example.com").await;
    assert_eq!(program.client.me(&person.access).await.status, 200);
}

#[test]
fn a_key_whose_id_begins_with_a_hyphen_can_be_named() {
    let place = Workplace::on(Engine::Sqlite);
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    for kid in ["-2Zk", "-hZk", "--Zk"] {
        let unknown = place.run(&["keys", "withdraw", kid]);
        assert_eq!(unknown.code, Some(1), "{unknown:?}");
        assert!(unknown.err.contains(&format!("no live key has the id {kid}:")), "{unknown:?}");
    }
    assert_eq!(place.run(&["keys", "withdraw", "--help"]).code, Some(0));
}

#[test]
fn rotation_without_a_secret_to_seal_by_names_it() {
    let place = Workplace::on(Engine::Sqlite).set("ENV", "test");
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    let refused = place.run(&["keys", "rotate"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("SECRETS_KEY") && refused.err.contains("openssl rand -base64 32"), "{refused:?}");
}

#[tokio::test]
async fn the_health_check_of_an_image_tells_life_from_readiness() {
    let database = postgres().create_database().unwrap();
    let place = Workplace::on(Engine::Sqlite).set("DB_PRIMARY_DB_URL", &database).set("AUTO_MIGRATE", "false");
    let nobody = place.run(&["healthcheck"]);
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.err.contains("nothing answers at 127.0.0.1"), "{nobody:?}");
    let program = place.spawn(&["service"]);
    program.until_logged("auth-system migrate").await;
    assert_eq!(place.run(&["healthcheck"]).code, Some(0));
    assert_eq!(place.run(&["healthcheck", "--ready"]).code, Some(1));
    assert_eq!(place.run(&["migrate"]).code, Some(0));
    program.until_ready().await;
    let ready = place.run(&["healthcheck", "--ready"]);
    assert_eq!(ready.code, Some(0), "{ready:?}");
}

#[test]
fn generated_pages_need_no_environment_and_name_every_variable_alike() {
    let place = Workplace::bare();
    let print = |arguments: &[&str]| {
        let finished = place.run(arguments);
        assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""), "{arguments:?}");
        finished.out
    };
    let document: Value = serde_json::from_str(&print(&["openapi"])).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/api/v1/auth/login"]["post"].is_object());
    let (configuration, example) = (print(&["docs", "configuration"]), print(&["docs", "env-example"]));
    for variable in ["ENV", "DB_PRIMARY_DB_URL", "REDIS_URL", "JWT_ALGORITHM", "ALLOWED_HOSTS", "METRICS_ADDR"] {
        assert!(configuration.contains(&format!("`{variable}`")), "{variable} is not in\n{configuration}");
        assert!(example.contains(&format!("{variable}=")), "{variable} is not in\n{example}");
    }
    assert!(print(&["docs", "errors"]).contains("| `invalid_credentials` | 401 |"));
}

//! GET /api/v1/system/settings

use auth_service::Config;
use rstest::rstest;
use serde_json::{Value, json};
use service_kit::config::Env;

use crate::{
    support::{Deployment, Engine, FEED_TOKEN},
    team::Team,
};

const SETTINGS: &str = "/api/v1/system/settings";
/// A part of every secret below; so long that nothing holds it by chance.
const SECRET: &str = "kF7qWz2m";
/// 32 bytes in base64, and a part of it.
const SECRETS_KEY: (&str, &str) = ("dGhpcyBpcyAzMiBieXRlcywgYW5kIG5vIHNlY3JldC4=", "aXMgMzIgYnl0");

/// The variables, each with its section.
fn variables(body: &Value) -> Vec<(String, Value)> {
    let of = |section: &Value| {
        let title = section["title"].as_str().unwrap().to_owned();
        let variables = section["variables"].as_array().unwrap().clone();
        variables.into_iter().map(|variable| (title.clone(), variable)).collect::<Vec<_>>()
    };
    body["sections"].as_array().unwrap().iter().flat_map(of).collect()
}

fn find(body: &Value, name: &str) -> Value {
    let mut named = variables(body).into_iter().filter(|(_, variable)| variable["name"] == name);
    let (_, found) = named.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(named.next().is_none(), "{name} is there once");
    found
}

/// Every variable that holds a secret, set to one with [`SECRET`] in it.
fn secrets() -> Vec<(&'static str, String)> {
    let plain = [
        "JWT_SECRET_KEY",
        "KAKAO_ADMIN_KEY",
        "GOOGLE_CLIENT_SECRET",
        "KAKAO_CLIENT_SECRET",
        "NAVER_CLIENT_SECRET",
        "GITHUB_CLIENT_SECRET",
        "APPLE_PRIVATE_KEY",
        "OIDC_ACME_CLIENT_SECRET",
        "JWT_PRIVATE_KEY",
        "GATEWAY_FEED_TOKEN",
        "ADMIN_CLIENT_SECRET",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ];
    let mut all: Vec<_> = plain.map(|name| (name, format!("a-{SECRET}-of-32-characters-and-more"))).into();
    all.push(("SECRETS_KEY", SECRETS_KEY.0.to_owned()));
    for name in ["DB_PRIMARY_DB_URL", "DB_REPLICA_DB_URL"] {
        all.push((
            name,
            format!(
                "postgresql://u{SECRET}:p{SECRET}@db.example.com:5432/authdb?sslmode=verify-full&sslpassword={SECRET}"
            ),
        ));
    }
    all.push(("REDIS_URL", format!("rediss://:{SECRET}@cache.example.com:6379/0")));
    all.push(("SMTP_URL", format!("smtps://{SECRET}:{SECRET}@mail.example.com:465")));
    all
}

#[rstest]
#[tokio::test]
async fn every_variable_is_there_with_where_its_value_came_from(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine).set("JWT_AUDIENCE", "orders").set("OIDC_ACME_TITLE", "Acme");
    let team = Team::of(deployment).await;
    let answer = team.admin.get(SETTINGS).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let audience = json!({
        "name": "JWT_AUDIENCE", "documented_as": "JWT_AUDIENCE", "value": "orders", "default": "auth-system", "source": "environment",
        "secret": false, "description": "The `aud` of access tokens.",
    });
    assert_eq!(find(&answer.body, "JWT_AUDIENCE"), audience);
    let algorithm = find(&answer.body, "JWT_ALGORITHM");
    assert_eq!((&algorithm["value"], &algorithm["source"]), (&json!("RS256"), &json!("default")));
    let issuer = find(&answer.body, "JWT_ISSUER");
    assert_eq!(
        (&issuer["value"], &issuer["default"], &issuer["source"]),
        (&Value::Null, &Value::Null, &json!("default"))
    );
    let title = find(&answer.body, "OIDC_ACME_TITLE");
    assert_eq!((&title["value"], &title["documented_as"]), (&json!("Acme"), &json!("OIDC_<NAME>_TITLE")));
    assert_eq!(find(&answer.body, "OIDC_<NAME>_ISSUER")["source"], "default");
    let database = find(&answer.body, "DB_PRIMARY_DB_URL");
    let source = if engine == Engine::Postgres { "environment" } else { "default" };
    assert_eq!((&database["source"], &database["secret"]), (&json!(source), &json!(true)));

    let mut env = Env::from_pairs::<String, String>([]);
    Config::read(&mut env);
    let documented = env.finish().unwrap().documented;
    let listed = variables(&answer.body);
    for one in documented.iter().filter(|one| !one.name.ends_with("_TITLE")) {
        let found = listed.iter().any(|(section, variable)| section == one.section && variable["name"] == one.name);
        assert!(found, "{one:?}");
    }
}

#[test]
fn the_secrets_below_are_all_that_there_are() {
    let mut env = Env::from_pairs::<String, String>([]);
    let config = Config::read(&mut env);
    let is_secret = |setting: &&service_kit::config::Setting| setting.secrecy != service_kit::config::Secrecy::Public;
    let mut found: Vec<_> =
        config.settings.iter().filter(is_secret).map(|one| one.name.replace("<NAME>", "ACME")).collect();
    let mut listed: Vec<_> = secrets().into_iter().map(|(name, _)| name.to_owned()).collect();
    found.sort_unstable();
    listed.sort_unstable();
    assert_eq!(found, listed);
    for name in config.settings.iter().map(|one| one.name.as_str()) {
        let sounds_secret =
            ["SECRET", "PASSWORD", "PRIVATE_KEY", "TOKEN", "ADMIN_KEY"].iter().any(|part| name.contains(part));
        let is_told = ["_PATH", "_MINUTES", "_DAYS", "PASSWORD_", "_TOKENS"].iter().any(|part| name.contains(part));
        assert!(!sounds_secret || is_told || listed.contains(&name.replace("<NAME>", "ACME")), "{name} is kept secret");
    }
}

#[rstest]
#[tokio::test]
async fn no_secret_and_no_part_of_one_is_shown(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let deployment = Deployment::new(engine);
    let mut config = deployment.config();
    let mut env = Env::from_pairs(secrets());
    // It cannot run by these, but it can be asked about them.
    config.settings = Config::read(&mut env).settings;
    let api = deployment.start_with(config).await;
    let admin = deployment.person_as(&api, "admin@example.com", "admin").await;
    let answer = api.bearing(&admin.access).get(SETTINGS).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = answer.body.to_string();
    assert!(!text.contains(SECRET) && !text.contains(SECRETS_KEY.1), "{text}");
    for (name, _) in secrets() {
        let variable = find(&answer.body, name);
        assert_eq!((&variable["source"], &variable["secret"]), (&json!("environment"), &json!(true)), "{name}");
    }
    for (name, shown) in [
        ("DB_PRIMARY_DB_URL", json!("postgresql://***@db.example.com:5432/authdb?sslmode=verify-full")),
        ("REDIS_URL", json!("rediss://***@cache.example.com:6379/0")),
        ("SMTP_URL", json!("smtps://***@mail.example.com:465")),
        ("SECRETS_KEY", Value::Null),
        ("JWT_PRIVATE_KEY", Value::Null),
    ] {
        assert_eq!(find(&answer.body, name)["value"], shown);
    }
}

#[rstest]
#[tokio::test]
async fn what_a_running_instance_is_trusted_with_is_not_shown(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::of(Deployment::new(engine).set("SECRETS_KEY", SECRETS_KEY.0)).await;
    let text = team.admin.get(SETTINGS).await.body.to_string();
    for secret in [FEED_TOKEN, SECRETS_KEY.1, "PRIVATE KEY-----"] {
        assert!(!text.contains(secret), "{text}");
    }
    if engine == Engine::Postgres {
        let url = url::Url::parse(team.deployment.get("DB_PRIMARY_DB_URL")).unwrap();
        let credentials = format!("{}:{}@", url.username(), url.password().unwrap_or_default());
        assert!(!text.contains(&credentials), "{text}");
    }
}

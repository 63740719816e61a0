//! /api/v1/system/signing-keys

use std::time::Duration;

use auth_service::keys::JWKS_LIFE;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Deployment, Engine, Instance},
    team::{ADMIN, Team, USER},
    waiting::{A_SECOND, until},
};

const KEYS: &str = "/api/v1/system/signing-keys";
const SECRETS_KEY: &str = "dGhpcyBpcyAzMiBieXRlcywgYW5kIG5vIHNlY3JldC4=";
const TOKEN_LIFE: Duration = Duration::from_secs(30 * 60);

async fn team(engine: Engine) -> Team {
    Team::of(Deployment::new(engine).set("SECRETS_KEY", SECRETS_KEY)).await
}

async fn keys(admin: &Instance) -> Vec<Value> {
    let answer = admin.get(KEYS).await;
    assert_eq!((answer.status, &answer.body["jwks_lifetime_seconds"]), (200, &json!(300)), "{answer:?}");
    answer.body["keys"].as_array().unwrap().clone()
}

async fn states(admin: &Instance) -> Vec<String> {
    keys(admin).await.iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect()
}

fn signing(api: &Instance) -> String {
    api.app.keys.signing_key().kid().to_owned()
}

async fn withdraw(admin: &Instance, kid: &str) -> Answer {
    admin.post(&format!("{KEYS}/{kid}/withdraw"), json!({})).await
}

/// The details of the events of this name, oldest first.
async fn recorded(team: &Team, event: &str) -> Vec<Value> {
    let sql =
        format!("SELECT details FROM audit_logs WHERE event = '{event}' AND actor_id IS NOT NULL ORDER BY at, id");
    let details: Vec<String> = team.deployment.column(&sql).await;
    details.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[rstest]
#[tokio::test]
async fn a_key_is_rotated_in_and_logs_nobody_out(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = team(engine).await;
    let (api, old) = (&team.api, signing(&team.api));
    let configured = json!([{
        "kid": old, "algorithm": "RS256", "state": "signing", "source": "configuration",
        "created_at": "2026-01-01T00:00:00Z", "signs_from": "2026-01-01T00:00:00Z",
        "last_used_at": "2026-01-01T00:00:00Z", "withdrawn_at": null,
    }]);
    assert_eq!(Value::from(keys(&team.admin).await), configured);

    let made = team.admin.post(KEYS, json!({"algorithm": "ES256"})).await;
    let new = made.text("kid");
    let expected = json!({
        "kid": new, "algorithm": "ES256", "state": "next", "source": "database",
        "created_at": "2026-01-01T00:00:00Z", "signs_from": "2026-01-01T00:05:00Z",
        "last_used_at": null, "withdrawn_at": null,
    });
    assert_eq!((made.status, &made.body), (201, &expected));
    let published = api.get("/.well-known/jwks.json").await.body.to_string();
    assert!(published.contains(&old) && published.contains(&new), "at once: {published}");
    assert_eq!(signing(api), old);
    assert_eq!(recorded(&team, "signing_key_rotated").await, [json!({"kid": new, "algorithm": "ES256"})]);

    team.deployment.clock.advance(JWKS_LIFE);
    until("the new key signs", A_SECOND, async || signing(api) == new).await;
    assert_eq!(states(&team.admin).await, ["verifying", "signing"]);
    assert_eq!(api.me(&team.user.access).await.status, 200);
    let renewed = api.refresh(&team.user.refresh).await;
    team.deployment.clock.advance(TOKEN_LIFE + Duration::from_secs(121));
    let admin = api.bearing_as(ADMIN).await;
    assert_eq!(states(&admin).await, ["retired", "signing"]);
    assert_eq!(api.refresh(&renewed.text("refresh_token")).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn the_configured_algorithm_is_the_default_and_an_idempotency_key_makes_one_key(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = team(engine).await;
    let once = team.admin.with_header("idempotency-key", "rotate-1");
    let (first, again) = (once.post(KEYS, json!({})).await, once.post(KEYS, json!({})).await);
    assert_eq!((first.status, again.status, &first.body["algorithm"]), (201, 201, &json!("RS256")));
    assert_eq!(first.body, again.body);
    assert_eq!(states(&team.admin).await, ["signing", "next"]);
    let refused = team.admin.post(KEYS, json!({"algorithm": "none"})).await;
    assert_eq!((refused.status, refused.faults()), (422, vec![("algorithm", "unknown_algorithm")]));
}

#[rstest]
#[tokio::test]
async fn a_withdrawn_key_takes_its_tokens_with_it_everywhere(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = team(engine).await;
    let other = team.deployment.start().await;
    team.deployment.clock.advance(Duration::from_secs(1));
    let (api, old) = (&team.api, signing(&team.api));
    let gone = withdraw(&team.admin, &old).await;
    let members = (&gone.body["kid"], &gone.body["state"], &gone.body["withdrawn_at"]);
    assert_eq!((gone.status, members), (200, (&json!(old), &json!("withdrawn"), &json!("2026-01-01T00:00:01Z"))));
    assert_ne!(signing(api), old, "this instance has changed over when it answers");
    api.refuses_in_time(&team.user.access).await;
    other.refuses_in_time(&team.user.access).await;
    until("the other one signs by the new key", A_SECOND, async || signing(&other) == signing(api)).await;
    let renewed = api.refresh(&team.user.refresh).await;
    assert_eq!(other.me(&renewed.text("access_token")).await.status, 200);
    let admin = api.bearing_as(ADMIN).await;
    assert_eq!(states(&admin).await, ["withdrawn", "signing"]);
    assert_eq!(recorded(&team, "signing_key_withdrawn").await, [json!({"kid": old})]);
    for kid in [old.as_str(), "nothing"] {
        let answer = withdraw(&admin, kid).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{kid}");
    }
}

#[rstest]
#[tokio::test]
async fn a_key_that_does_not_sign_goes_without_a_successor(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = team(engine).await;
    let first = team.admin.post(KEYS, json!({"algorithm": "ES256"})).await.text("kid");
    team.deployment.clock.advance(JWKS_LIFE);
    until("it signs", A_SECOND, async || signing(&team.api) == first).await;
    let admin = team.api.bearing_as(ADMIN).await;
    let second = admin.post(KEYS, json!({"algorithm": "ES256"})).await.text("kid");
    assert_eq!(withdraw(&admin, &second).await.status, 200);
    assert_eq!(states(&admin).await, ["verifying", "signing", "withdrawn"]);
    assert_eq!(signing(&team.api), first);
}

#[rstest]
#[tokio::test]
async fn without_a_secrets_key_nothing_changes(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let kid = signing(&team.api);
    for answer in [team.admin.post(KEYS, json!({})).await, withdraw(&team.admin, &kid).await] {
        assert_eq!((answer.status, answer.code()), (503, "secrets_key_missing"), "{answer:?}");
    }
    assert_eq!(states(&team.admin).await, ["signing"]);
    assert_eq!(team.api.me(&team.user.access).await.status, 200);
    let events = "SELECT COUNT(*) FROM audit_logs WHERE event LIKE 'signing_key_%'";
    assert_eq!(team.deployment.number(events).await, 0);
}

#[rstest]
#[tokio::test]
async fn only_an_administrator_who_has_just_proven_themselves_changes_keys(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = team(engine).await;
    let kid = signing(&team.api);
    let key = team.admin.key_client(&team.api, &["system:read", "system:write"]).await;
    assert_eq!(key.get(KEYS).await.status, 200);
    let user = team.api.bearing_as(USER).await;
    let refused = async |caller: &Instance, code: &str| {
        for answer in [caller.post(KEYS, json!({})).await, withdraw(caller, &kid).await] {
            assert_eq!((answer.status, answer.code()), (403, code), "{answer:?}");
        }
    };
    refused(&key, "session_required").await;
    refused(&user, "forbidden").await;
    refused(&team.manager, "forbidden").await;
    team.deployment.clock.advance(Duration::from_secs(5 * 60 + 1));
    refused(&team.admin, "reauthentication_required").await;
    assert_eq!(states(&team.admin).await, ["signing"]);
}

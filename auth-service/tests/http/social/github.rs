//! GitHub: refusals with the status of success, and of all addresses the primary one, if it is verified.

use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{Consent, GitHub, HttpTrouble, free_port};

use super::{
    steps::arrive,
    support::{World, client},
};
use crate::support::{Deployment, Engine};

const EMAIL: &str = "kim@example.com";

async fn world(engine: Engine, variables: &[(&str, &str)]) -> (GitHub, World) {
    let port = free_port().unwrap();
    let github = GitHub::start(client(port, "github")).unwrap();
    let url = github.url();
    let ours = [
        ("GITHUB_CLIENT_ID", "github-client"),
        ("GITHUB_CLIENT_SECRET", "github-secret"),
        ("GITHUB_AUTH_URL", url.as_str()),
        ("GITHUB_API_URL", url.as_str()),
    ];
    let world = World::at(port, Deployment::new(engine), &[&ours[..], variables].concat()).await;
    (github, world)
}

fn address(email: &str, is_primary: bool, is_verified: bool) -> Value {
    json!({"email": email, "primary": is_primary, "verified": is_verified, "visibility": null})
}

#[rstest]
#[tokio::test]
async fn a_person_at_github_has_an_account_with_their_primary_address(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (github, world) = world(engine, &[]).await;
    let user = json!({"id": 583_231, "login": "kim", "name": null, "email": "public@example.com"});
    github.sign_in(user, json!([address("old@example.com", false, true), address(EMAIL, true, true)]));
    let first = world.log_in("github").await;
    assert_eq!(first.status, 200, "{first:?}");
    let me = world.me(&first).await;
    assert_eq!(
        (&me["email"], &me["email_verified"], &me["display_name"]),
        (&json!(EMAIL), &json!(true), &json!("kim"))
    );
    // Whoever takes over the name of an account that is gone is another person by its number.
    github.sign_in(json!({"id": 583_232, "login": "kim"}), json!([]));
    let other = world.log_in("github").await;
    assert_ne!(world.me(&other).await["id"], me["id"]);
    github.set_consent(Consent::Deny);
    let denied = arrive(&world.begin("github").await).await;
    assert_eq!(denied.location_query("error").as_deref(), Some("access_denied"), "{denied:?}");
}

#[rstest]
#[tokio::test]
async fn an_address_that_is_not_primary_or_not_verified_is_nobodys(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (github, world) = world(engine, &[]).await;
    world.api.person(EMAIL).await;
    for (id, emails) in [
        (1, json!([address(EMAIL, true, false)])),
        (2, json!([address(EMAIL, false, true), address("other@example.com", true, false)])),
        (3, json!([address(EMAIL, false, true)])),
        (4, json!([])),
    ] {
        github.sign_in(json!({"id": id, "login": "x", "email": EMAIL}), emails.clone());
        let answer = world.log_in("github").await;
        assert_eq!(world.me(&answer).await["email"], json!(null), "{emails}");
    }
    // No account is made without an address because one could not be read.
    github.sign_in(json!({"id": 5, "login": "x"}), json!({"email": EMAIL, "primary": true, "verified": true}));
    let unread = arrive(&world.begin("github").await).await;
    assert_eq!(unread.location_query("error").as_deref(), Some("temporarily_unavailable"), "{unread:?}");
    assert_eq!(world.api.login(EMAIL, crate::support::PASSWORD).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn without_the_scope_for_addresses_there_is_a_login_without_one(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (github, world) = world(engine, &[("GITHUB_SCOPES", "read:user")]).await;
    github.sign_in(json!({"id": 1, "login": "x", "email": EMAIL}), json!([address(EMAIL, true, true)]));
    let answer = world.log_in("github").await;
    assert_eq!(world.me(&answer).await["email"], json!(null));
}

#[rstest]
#[tokio::test]
async fn while_the_addresses_are_away_nobody_gets_an_account_without_one(#[values(Engine::Sqlite)] engine: Engine) {
    let (github, world) = world(engine, &[]).await;
    github.sign_in(json!({"id": 1, "login": "x"}), json!([address(EMAIL, true, true)]));
    for trouble in [HttpTrouble::Status(502), HttpTrouble::HangUp, HttpTrouble::Body("{}".to_owned())] {
        let underway = world.begin("github").await;
        github.set_trouble("/user/emails", trouble);
        let reply = arrive(&underway).await;
        assert_eq!(reply.location_query("error").as_deref(), Some("temporarily_unavailable"), "{reply:?}");
    }
    github.clear_trouble();
    let answer = world.log_in("github").await;
    assert_eq!(world.me(&answer).await["email"], EMAIL);
}

#[rstest]
#[tokio::test]
async fn a_code_of_another_login_is_refused_for_its_verifier(#[values(Engine::Sqlite)] engine: Engine) {
    let (_github, world) = world(engine, &[]).await;
    for provider in ["github", "kakao"] {
        let (victims, attackers) = (world.begin(provider).await, world.begin(provider).await);
        let injected = victims.with("code", Some(&attackers.query("code")));
        let reply = arrive(&injected).await;
        assert_eq!(reply.location_query("error").as_deref(), Some("server_error"), "{provider}: {reply:?}");
    }
}

//! What the doctor says of providers.

use auth_service::doctor::{self, Finding, Outcome};
use test_peers::HttpTrouble;

use super::support::World;
use crate::support::{Deployment, Engine};

/// What the doctor found of providers: whether all is well, and the line.
async fn findings(deployment: &Deployment) -> Vec<(bool, String)> {
    let findings = doctor::examine(&deployment.config()).await;
    let of_providers = findings.into_iter().filter(|finding| finding.subject == "login provider");
    let line = |finding: &Finding| {
        let (subject, line) = (finding.subject, finding.to_string());
        line.strip_prefix(&format!("{subject}: ")).unwrap().to_owned()
    };
    of_providers.map(|finding| (finding.outcome() != Outcome::Failed, line(&finding))).collect()
}

#[tokio::test]
async fn each_provider_is_tried_and_named_with_what_its_console_must_know() {
    let world = World::new(Engine::Sqlite).await;
    let found = findings(&world.deployment).await;
    assert!(found.iter().all(|(is_well, _)| *is_well), "{found:?}");
    for ((_, line), (name, place)) in found.iter().zip([
        ("kakao", format!("{}/oauth/authorize", world.kakao.url())),
        ("naver", format!("{}/oauth2.0/authorize", world.naver.url())),
    ]) {
        let callback = format!("{}/api/v1/oauth/{name}/callback", world.base);
        assert_eq!(line, &format!("{name}: people log in at {place}; it must know the redirect URI {callback}"));
    }
    assert!(found[2].1.starts_with("acme: ") && found.len() == 3, "{found:?}");
    assert!(!format!("{found:?}").contains("secret"), "{found:?}");
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_a_fault_of_its_own() {
    let world = World::new(Engine::Sqlite).await;
    world.kakao.set_trouble("/.well-known/openid-configuration", HttpTrouble::Status(503));
    world.naver.set_trouble("/oauth2.0/token", HttpTrouble::HangUp);
    for ((is_well, line), name) in findings(&world.deployment).await.iter().zip(["kakao", "naver"]) {
        assert!(!is_well && line.starts_with(&format!("{name}: ")) && line.contains("Check its address"), "{line}");
    }
    world.naver.clear_trouble();
    let found = findings(&world.deployment).await;
    assert_eq!(found.iter().map(|(is_well, _)| *is_well).collect::<Vec<_>>(), [false, true, true], "{found:?}");
}

#[tokio::test]
async fn what_the_configuration_lacks_is_said() {
    let world = World::with(Engine::Sqlite, &[("KAKAO_ADMIN_KEY", ""), ("PUBLIC_URL", "")]).await;
    let found = findings(&world.deployment).await;
    assert!(found[0].1.contains("set KAKAO_ADMIN_KEY") && found[0].1.contains("set PUBLIC_URL"), "{found:?}");
    let told = doctor::examine(&world.deployment.config()).await;
    let kakao = told.iter().find(|finding| finding.subject == "login provider").unwrap();
    assert_eq!(
        (kakao.code(), kakao.values()["lacks"].as_str()),
        ("provider_lacks", "no_public_url no_kakao_admin_key")
    );
    assert!(!found[1].1.contains("KAKAO_ADMIN_KEY"), "{found:?}");

    let no_app = Deployment::new(Engine::Sqlite).set("ENV", "test").set("NAVER_CLIENT_ID", "us");
    let no_app = no_app.set("NAVER_CLIENT_SECRET", "secret").set("NAVER_AUTH_URL", &world.naver.url());
    let found = findings(&no_app).await;
    let is_advised = found.iter().any(|(is_well, line)| !is_well && line.contains("OAUTH_REDIRECT_URIS"));
    assert!(is_advised, "{found:?}");

    assert!(findings(&Deployment::new(Engine::Sqlite)).await.is_empty(), "without providers there is nothing to say");
}

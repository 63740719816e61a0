//! What was handed out before a restore, at a gateway that verifies by itself and runs on through it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use test_peers::installation::postgres_clients;

use crate::{
    client::{Answer, Person},
    gateway::{ROUTES, Site},
    program::Program,
    support::{Engine, Workplace},
};

/// A gateway that lost its feed tries again within two seconds, and hears all there is with its first answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// The access token of an administrator.
async fn administrator(site: &Site, place: &Workplace) -> String {
    let made = place.run(&["users", "create-admin", "--email", "root@example.com"]);
    let password = made.out.lines().map(str::trim).find(|line| line.len() == 23 && !line.contains(' '));
    let login = json!({"email": "root@example.com", "password": password.unwrap_or_else(|| panic!("{made:?}"))});
    site.api().post("/api/v1/auth/login", login).await.text("access_token")
}

/// Registers a person who has no role.
async fn register_bare(site: &Site, root: &str, email: &str) {
    let person = site.api().person(email).await;
    let id = site.api().me(&person.access).await.text("id");
    let roles = site.api().bearing(root).request(Method::PUT, &format!("/api/v1/users/{id}/roles"));
    let answer = Answer::of(roles.json(&json!({"roles": []}))).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Stops the API, brings the backup back, and starts it again beside the gateway.
async fn restore(api: Program, place: &Workplace, file: &Path) -> Program {
    api.stop().await;
    let restored = place.run(&["restore", "--from", file.to_str().unwrap(), "--replace"]);
    assert_eq!((restored.code, restored.err.as_str()), (Some(0), ""), "{restored:?}");
    let api = place.spawn(&["service"]);
    api.until_ready().await;
    api
}

#[rstest]
#[tokio::test]
async fn no_token_of_before_passes_a_gateway_once_the_restored_service_is_there(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let site = Site::on(engine, ROUTES).await;
    let place = site.api_place.clone().set("PATH", postgres_clients().unwrap().to_str().unwrap());
    let file = place.path("a.backup");
    let root = administrator(&site, &place).await;
    register_bare(&site, &root, "bare@example.com").await;
    let kim = site.api().person("kim@example.com").await;
    assert_eq!(place.run(&["backup", "--to", "a.backup", "--unencrypted"]).code, Some(0));

    let refreshed = site.api().refresh(&kim.refresh).await.text("access_token");
    let bare = site.api().log_in("bare@example.com").await.access;
    register_bare(&site, &root, "late@example.com").await;
    let late = site.api().log_in("late@example.com").await.access;
    let front = site.front().clone();
    let passes = async |token: &str| front.bearing(token).get("/private/x").await.status;
    let outstanding = [("refreshed", refreshed), ("without a role", bare), ("unknown to the backup", late)];
    for (whose, token) in &outstanding {
        assert_eq!(passes(token).await, 200, "{whose}");
    }

    let api = restore(site.api, &place, &file).await;
    let began = Instant::now();
    for (whose, token) in &outstanding {
        api.until(&format!("the token is refused: {whose}"), async || passes(token).await == 401).await;
    }
    println!("{engine:?}: refused at the gateway {:?} after the restored service was ready", began.elapsed());
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());

    // The same backup once more: what was issued in between is of before, too.
    let Person { access: between, .. } = api.client.log_in("bare@example.com").await;
    assert_eq!(passes(&between).await, 200, "whoever logs in again is let through");
    let api = restore(api, &place, &file).await;
    api.until("the token is refused", async || passes(&between).await == 401).await;
    let anew = api.client.log_in("bare@example.com").await;
    assert_eq!(passes(&anew.access).await, 200);
}

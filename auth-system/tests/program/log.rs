//! The log: one JSON object a line, each with its request, and never a secret.

use reqwest::Method;
use serde_json::{Value, json};
use test_peers::{Security, Smtp};

use crate::{
    client::{Answer, Client, PASSWORD},
    support::{Engine, Workplace},
};

const EMAIL: &str = "kim.secret@example.com";
const WRONG_PASSWORD: &str = "WrongHorse987!";
const CHANGED_PASSWORD: &str = "Ch4nged-by-Its-Owner";

/// A life with everything that could leak; all the secrets in it.
async fn live(client: &Client) -> Vec<String> {
    let person = json!({"email": EMAIL, "password": PASSWORD, "username": "kim.username"});
    assert_eq!(client.post("/api/v1/auth/register", person).await.status, 201);
    let login = client.login(EMAIL).await;
    let (access, refresh) = (login.text("access_token"), login.text("refresh_token"));
    let device = login.header("x-device-token").to_owned();
    let cookie = login.header("set-cookie").split([';', '=']).nth(1).unwrap_or_default().to_owned();
    assert!(!device.is_empty() || !cookie.is_empty(), "the login gives a device token: {login:?}");
    let wrong = json!({"email": EMAIL, "password": WRONG_PASSWORD});
    assert_eq!(client.post("/api/v1/auth/login", wrong).await.status, 401);
    let refreshed = client.refresh(&refresh).await;
    let (second_access, second_refresh) = (refreshed.text("access_token"), refreshed.text("refresh_token"));
    let forged = format!("{second_access}x");
    assert_eq!(client.me(&forged).await.status, 401);
    assert_eq!(client.get(&format!("/api/v1/users/me?access_token={second_access}&email={EMAIL}")).await.status, 401);
    let change = json!({"current_password": PASSWORD, "new_password": CHANGED_PASSWORD});
    let request = client.bearing(&second_access).request(Method::PUT, "/api/v1/users/me/password").json(&change);
    assert_eq!(Answer::of(request).await.unwrap().status, 204);
    assert_eq!(client.logout(&second_access).await.status, 204);
    assert_eq!(client.refresh(&refresh).await.status, 401);
    let given = [EMAIL, PASSWORD, WRONG_PASSWORD, CHANGED_PASSWORD].map(str::to_owned);
    let made = [access, refresh, second_access, second_refresh, forged, device, cookie];
    given.into_iter().chain(made).filter(|secret| !secret.is_empty()).collect()
}

#[tokio::test]
async fn no_line_holds_a_secret_whatever_the_level() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        // Without a relay, a developer is shown mails in the log.
        let relay = Smtp::start(Security::Plain).unwrap();
        let place = Workplace::on(engine).set("SMTP_URL", &relay.url());
        let program = place.set("LOG_LEVEL", "trace").start().await;
        let secrets = live(&program.client).await;
        program.until_logged("Token validation failed").await;
        program.until("a mail was sent", async || !relay.mails().is_empty()).await;
        let (out, err) = (program.out(), program.err());
        program.stop().await;
        for secret in &secrets {
            assert!(!out.contains(secret.as_str()) && !err.contains(secret.as_str()), "{secret} is in\n{out}\n{err}");
        }
    }
}

#[tokio::test]
async fn each_line_is_json_and_names_its_request() {
    let program = Workplace::on(Engine::Sqlite).set("ENV", "test").set("LOG_LEVEL", "debug").start().await;
    let client = program.client.with_header("x-request-id", "my-request-7");
    assert_eq!(client.me("no.such.token").await.header("x-request-id"), "my-request-7");
    program.until_logged("Token validation failed").await;
    program.until_logged("\"status\":401").await;
    let out = program.out();
    let lines: Vec<Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    for line in &lines {
        for member in ["timestamp", "level", "target", "message"] {
            assert!(line[member].is_string(), "{member} is missing in {line}");
        }
    }
    let of_request: Vec<_> = lines.iter().filter(|line| line["request_id"] == json!("my-request-7")).collect();
    let refusal = of_request.iter().find(|line| line["message"].as_str().unwrap().contains("Token validation failed"));
    assert!(refusal.is_some_and(|line| line["message"].as_str().unwrap().contains("jwt")), "{of_request:?}");
    let access = of_request.iter().find(|line| line["target"] == json!("access")).unwrap();
    assert_eq!((&access["route"], &access["status"]), (&json!("/api/v1/users/me"), &json!(401)));
}

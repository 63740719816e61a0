//! The example app of docs/guides/social-login.md in a real browser, with the built program behind the gateway.
//!
//! The app and the providers are at 127.0.0.1, the service at localhost: to a browser these are two sites.

use std::sync::Arc;

use axum::{Router, response::Html, routing::get};
use serde_json::{Value, json};
use test_peers::{Apple, Browser, Kakao, OpenIdProvider, OpenIdSetup, RegisteredClient, free_port};

use crate::{
    program::Program,
    support::{Engine, Workplace},
};

const EXAMPLE: &str = include_str!("../../../deploy/examples/social-login.html");

/// A running program, the example app, and where browsers find both.
struct Site {
    _program: Program,
    app: String,
    place: Workplace,
}

impl Site {
    /// Starts the program, with these variables.
    async fn start(place: Workplace, variables: &[(&str, &str)]) -> Self {
        let base = base(&place);
        let app = format!("http://127.0.0.1:{}", serve_app(&base).await);
        let place = place.set("PUBLIC_URL", &base).set("CORS_ALLOWED_ORIGINS", &app);
        let place = variables.iter().fold(place, |place, (name, value)| place.set(name, value));
        Self { _program: place.start().await, app, place }
    }
}

fn base(place: &Workplace) -> String {
    format!("http://localhost:{}", place.gateway_port)
}

fn client(place: &Workplace, name: &str) -> RegisteredClient {
    let callback = format!("{}/api/v1/oauth/{name}/callback", base(place));
    RegisteredClient::new("us", "our-secret", &[&callback])
}

/// Serves the example app, which calls this API; its port.
async fn serve_app(api: &str) -> u16 {
    let page: Arc<str> = EXAMPLE.replace("http://localhost:8000", api).into();
    let router = Router::new().route("/", get(move || async move { Html(page.to_string()) }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", free_port().unwrap())).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// Runs what a person does, away from the runtime that serves the app.
async fn person(act: impl FnOnce(Browser) + Send + 'static) {
    tokio::task::spawn_blocking(|| act(Browser::start().unwrap())).await.unwrap();
}

#[tokio::test]
async fn a_person_logs_in_links_and_unlinks_in_browser() {
    let place = Workplace::on(Engine::Sqlite);
    let acme = OpenIdProvider::start(OpenIdSetup {
        clients: vec![client(&place, "acme")],
        accounts: vec![json!({"sub": "ada-1", "email": "ada@example.com", "email_verified": true, "name": "Ada"})],
        ..OpenIdSetup::default()
    })
    .unwrap();
    let kakao = Kakao::start(client(&place, "kakao")).unwrap();
    let site = Site::start(
        place,
        &[
            ("OIDC_ACME_ISSUER", &acme.issuer()),
            ("OIDC_ACME_CLIENT_ID", "us"),
            ("OIDC_ACME_CLIENT_SECRET", "our-secret"),
            ("OIDC_ACME_TITLE", "Acme"),
            ("KAKAO_CLIENT_ID", "us"),
            ("KAKAO_CLIENT_SECRET", "our-secret"),
            ("KAKAO_AUTH_URL", &kakao.url()),
            ("KAKAO_API_URL", &kakao.url()),
        ],
    )
    .await;
    kakao.sign_in(json!({"id": 9_007_199_254_740_993_u64}));
    person(move |browser| {
        assert_eq!(browser.goto(&site.app).unwrap(), 200);
        browser.click("button:has-text('Continue with Acme')").unwrap();
        browser.wait_for_url(&acme.issuer()).unwrap();
        browser.fill("input[name=login]", "ada-1").unwrap();
        browser.click("#sign-in").unwrap();
        browser.wait_for_url(&site.app).unwrap();
        browser.wait_for("#me:has-text('Ada')").unwrap();
        let of_login = |cookie: &Value| cookie["name"] == "__Host-oauth";
        let cookie = browser.cookies().unwrap().into_iter().find(of_login).unwrap();
        assert_eq!(
            (&cookie["httpOnly"], &cookie["secure"], &cookie["sameSite"]),
            (&json!(true), &json!(true), &json!("Lax"))
        );

        browser.click("button:has-text('Link Kakao')").unwrap();
        browser.wait_for("#told:has-text('kakao opens your account from now on')").unwrap();
        browser.wait_for("li:has-text('kakao')").unwrap();
        browser.click("li:has-text('acme') button").unwrap();
        browser.wait_for("button:has-text('Link Acme')").unwrap();
        browser.click("li:has-text('kakao') button").unwrap();
        browser.wait_for("#told:has-text('only way into the account')").unwrap();

        browser.click("#log-out").unwrap();
        browser.click("button:has-text('Continue with Kakao')").unwrap();
        browser.wait_for("#me:has-text('Ada')").unwrap();
        assert_eq!(browser.complaints().unwrap().iter().filter(|line| line.contains("CORS")).count(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_answer_posted_across_sites_ends_a_login_in_browser() {
    let place = Workplace::on(Engine::Sqlite);
    let apple = Apple::start(client(&place, "apple")).unwrap();
    let app = apple.app().unwrap();
    apple.sign_in(json!({"sub": "001", "email": "kim@example.com", "name": {"firstName": "Min", "lastName": "Kim"}}));
    let site = Site::start(
        place,
        &[
            ("APPLE_CLIENT_ID", "us"),
            ("APPLE_TEAM_ID", &app.team_id),
            ("APPLE_KEY_ID", &app.key_id),
            ("APPLE_PRIVATE_KEY", &app.private_key),
            ("APPLE_ISSUER", &apple.url()),
        ],
    )
    .await;
    person(move |browser| {
        browser.goto(&site.app).unwrap();
        browser.click("button:has-text('Continue with Apple')").unwrap();
        browser.wait_for("#me:has-text('Min Kim')").unwrap();
        // Told once: the next login knows the name no more, and keeps it.
        browser.click("#log-out").unwrap();
        browser.click("button:has-text('Continue with Apple')").unwrap();
        browser.wait_for("#me:has-text('Min Kim')").unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_login_that_nobody_began_is_explained_in_browser() {
    let place = Workplace::on(Engine::Sqlite);
    let kakao = Kakao::start(client(&place, "kakao")).unwrap();
    let site = Site::start(place, &[("KAKAO_CLIENT_ID", "us"), ("KAKAO_AUTH_URL", &kakao.url())]).await;
    person(move |browser| {
        let callback = format!("{}/api/v1/oauth/kakao/callback?code=a&state=b", base(&site.place));
        assert_eq!(browser.goto(&callback).unwrap(), 400);
        assert_eq!(browser.text("h1").unwrap(), "The login could not be finished");
    })
    .await;
}

//! Setting up, signing in and out, and what becomes of somebody whose session has ended.

use rstest::rstest;
use serde_json::json;

use super::{ADMIN, ADMIN_NAME, Console, proof::Aged, tongue::Tongue};
use crate::{
    client::PASSWORD,
    support::{Engine, Workplace},
};

#[rstest]
#[tokio::test]
async fn the_first_administrator_is_made_once_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = Console::start(tongue).await;
    console.go("/");
    assert_eq!(console.browser.url().unwrap(), console.at("/admin/setup"), "nobody could sign in yet");
    let link = console.setup_link().await;
    console.browser.fill("#token", &"A".repeat(43)).unwrap();
    console.browser.fill("#email", ADMIN).unwrap();
    console.browser.fill("#password", PASSWORD).unwrap();
    console.browser.click("main button.primary").unwrap();
    console.reads("[role=alert]", "setup-wrong-token");
    console.set_up(&link);
    console.reads("[role=status]", "done-set-up");
    console.reads_text(".self", ADMIN_NAME);
    console.go("/admin/");
    assert_eq!(console.count("[role=status]"), 0, "what was done is not said again");
    console.go(link.strip_prefix(&console.base).unwrap());
    assert!(console.browser.url().unwrap().starts_with(&console.at("/admin/sign-in")), "the token is spent");
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn only_who_may_comes_in_and_nothing_stays_behind_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = Console::open(tongue).await;
    console.program.client.person("guest@example.com").await;
    console.go("/admin/users");
    console.reads_text("main", "guest@example.com");
    let kept = "fetch('/admin/users').then((answer) => answer.headers.get('cache-control'))";
    assert_eq!(console.browser.evaluate(kept).unwrap(), "no-store");
    console.does("form[action='/admin/sign-out'] button:not([type=button])", "done-signed-out");
    console.browser.go_back().unwrap();
    console.reads("h1", "sign-in-title");
    assert!(!console.browser.text("body").unwrap().contains("guest@example.com"));

    console.sign_in_as(ADMIN, "not the password");
    console.reads("[role=alert]", "sign-in-refused");
    assert_eq!(console.browser.evaluate("document.querySelector('#name').value").unwrap(), ADMIN);
    console.sign_in_as("guest@example.com", PASSWORD);
    console.reads("[role=alert]", "sign-in-no-console");
    assert!(console.browser.cookies().unwrap().iter().all(|cookie| cookie["name"] != "__Host-console"));
    console.sign_in_as(ADMIN, PASSWORD);
    console.reads_text(".self", ADMIN_NAME);
    let cookies = console.browser.cookies().unwrap();
    let cookie = cookies.iter().find(|cookie| cookie["name"] == "__Host-console").unwrap();
    let flags = [&cookie["httpOnly"], &cookie["secure"], &cookie["sameSite"], &cookie["path"]];
    assert_eq!(flags, [&json!(true), &json!(true), &json!("Strict"), &json!("/")]);
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn whose_session_ended_elsewhere_signs_in_and_is_back_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = Console::open(tongue).await;
    let id = console.invite_one("kim@example.com", "김민수").await;
    let path = format!("/admin/users/{id}");
    console.go(&path);
    end_sessions(&console).await;
    console.go(&path);
    console.reads("main", "sign-in-again");
    console.sign_in_as(ADMIN, PASSWORD);
    console.reads_text("h1", "김민수");
    assert_eq!(console.browser.url().unwrap(), console.at(&path));

    // The same for a script that asks for a part of a page.
    console.go("/admin/users?sort=email");
    end_sessions(&console).await;
    console.browser.fill("#search", "kim").unwrap();
    console.reads("main", "sign-in-again");
    console.sign_in_as(ADMIN, PASSWORD);
    console.sees("#results");
    assert_eq!(console.browser.url().unwrap(), console.at("/admin/users?sort=email"));
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn whose_password_is_too_old_chooses_another_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let aged = Aged::open_in(Workplace::on(Engine::Sqlite).set("PASSWORD_EXPIRES_DAYS", "90"), tongue).await;
    let (console, browser) = (&aged.console, &aged.console.browser);
    aged.change("UPDATE users SET password_changed_at = password_changed_at - INTERVAL '90 days'");
    console.does("form[action='/admin/sign-out'] button:not([type=button])", "done-signed-out");
    console.sign_in_as(ADMIN, PASSWORD);
    console.reads("h1", "new-password-title");
    assert!(browser.cookies().unwrap().iter().all(|cookie| cookie["name"] != "__Host-console"), "nobody is in yet");
    browser.fill("#password", "short").unwrap();
    browser.click("main button.primary").unwrap();
    console.sees("[role=alert]");
    console.reads("h1", "new-password-title");
    browser.fill("#password", "another purple tram").unwrap();
    browser.click("main button.primary").unwrap();
    console.reads("[role=status]", "done-password-changed");
    console.sign_in_as(ADMIN, PASSWORD);
    console.reads("[role=alert]", "sign-in-refused");
    console.sign_in_as(ADMIN, "another purple tram");
    console.reads_text(".self", ADMIN_NAME);
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn a_browser_that_refuses_the_cookie_is_explained_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = Console::start(tongue).await;
    let elsewhere = format!("http://lan.example:{}", console.place.admin_port);
    console.browser.goto(&console.setup_link().await.replace(&console.base, &elsewhere)).unwrap();
    console.browser.fill("#email", ADMIN).unwrap();
    console.browser.fill("#password", PASSWORD).unwrap();
    console.browser.click("main button.primary").unwrap();
    console.reads("h1", "no-cookie-title");
    console.reads("main", "no-cookie-tls");
    console.reads("main", "no-cookie-localhost");
    console.browser.click("main a.button").unwrap();
    console.sign_in_as(ADMIN, PASSWORD);
    console.reads("h1", "no-cookie-title");
    assert_eq!(console.browser.cookies().unwrap().len(), 0);
}

/// Ends every session of the administrator, as they might from their phone.
async fn end_sessions(console: &Console) {
    let answer = console.api().await.request(reqwest::Method::DELETE, "/api/v1/auth/sessions").send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

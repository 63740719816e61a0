//! Roles and what they permit.

use rstest::rstest;
use serde_json::json;

use super::{Console, tongue::Tongue};

#[rstest]
#[tokio::test]
async fn roles_are_made_changed_and_deleted_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = Console::open(tongue).await;
    let browser = &console.browser;
    console.go("/admin/roles");
    console.reads("main", "matrix-why");
    browser.click("a[href='/admin/roles/new']").unwrap();
    browser.fill("dialog[open] #name", "Not A Name").unwrap();
    browser.click("dialog[open] button.primary").unwrap();
    console.sees("dialog[open] [role=alert]");
    browser.fill("dialog[open] #name", "support").unwrap();
    browser.fill("dialog[open] #description", "<script>window.hit=1</script>").unwrap();
    browser.check("dialog[open] input[value='users:read']").unwrap();
    console.does("dialog[open] button.primary", "done-role-made");
    console.reads_text("tbody", "<script>window.hit=1</script>");

    browser.click("tr:has-text('support') a[href$='/permissions']").unwrap();
    browser.check("dialog[open] input[value='audit:read']").unwrap();
    console.does("dialog[open] button.primary", "done-role-permissions");
    assert_eq!(permitted(&console, "support").await, json!(["audit:read", "users:read"]));
    browser.click(".matrix a:has-text('audit:read')").unwrap();
    console.reads_text("dialog[open]", "support");
    browser.press("Escape").unwrap();

    browser.click("tr:has-text('support') a[href$='/delete']").unwrap();
    console.reads_text("dialog[open] h1", &tongue.say_of("ask-role-delete", "support"));
    browser.click("dialog[open] [data-close]").unwrap();
    browser.click("tr:has-text('support') a[href$='/delete']").unwrap();
    console.does("dialog[open] button.primary", "done-role-deleted");
    assert_eq!(permitted(&console, "support").await, json!(null));
    assert_eq!(browser.evaluate("window.hit === undefined").unwrap(), true);
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn what_somebody_else_set_meanwhile_is_not_undone_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = Console::open(tongue).await;
    let made = console.api().await.post("/api/v1/roles", json!({"name": "support"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    console.go("/admin/roles");
    console.browser.click("tr:has-text('support') a[href$='/permissions']").unwrap();
    console.sees("dialog[open] form");
    let path = format!("/api/v1/roles/{}/permissions", made.text("id"));
    let other = console.api().await.request(reqwest::Method::PUT, &path).json(&json!({"permissions": ["users:read"]}));
    assert_eq!(other.send().await.unwrap().status(), 200);
    console.browser.check("dialog[open] input[value='audit:read']").unwrap();
    console.browser.click("dialog[open] button.primary").unwrap();
    console.reads("dialog[open] [role=alert]", "permissions-overtaken");
    assert_eq!(permitted(&console, "support").await, json!(["users:read"]));
    console.assert_content();
}

/// What a role permits; nothing if there is none.
async fn permitted(console: &Console, role: &str) -> serde_json::Value {
    let roles = console.api().await.get("/api/v1/roles?limit=100").await;
    let roles = roles.body["items"].as_array().unwrap().clone();
    roles.into_iter().find(|known| known["name"] == role).map_or(json!(null), |found| found["permissions"].clone())
}

//! What is hard to undo asks once more who is there, if they signed in long ago.

use rstest::rstest;
use serde_json::json;

use super::{Console, tongue::Tongue};
use crate::{
    client::PASSWORD,
    support::{Engine, Workplace, postgres},
};

/// A console on PostgreSQL, whose rows a test can age.
pub struct Aged {
    pub console: Console,
    database: String,
}

impl Aged {
    async fn open(tongue: Tongue) -> Self {
        Self::open_in(Workplace::on(Engine::Sqlite), tongue).await
    }

    /// The console of this place, its first administrator signed in.
    pub async fn open_in(place: Workplace, tongue: Tongue) -> Self {
        let database = postgres().create_database().unwrap();
        let place = place.set("DB_PRIMARY_DB_URL", &database);
        let console = Console::start_in(place, tongue).await;
        console.set_up(&console.setup_link().await);
        Self { console, database }
    }

    /// Lets ten minutes pass since anybody signed in.
    fn age(&self) {
        self.change("UPDATE sessions SET authenticated_at = authenticated_at - INTERVAL '10 minutes'");
    }

    /// Changes rows.
    pub fn change(&self, sql: &str) {
        postgres().psql(&self.database, ["-c", sql]).unwrap();
    }

    /// Answers the question for the password, in a dialog or on a page.
    fn answer(&self, within: &str, password: &str) {
        self.console.reads(within, "password-why");
        self.console.browser.fill(&format!("{within} #confirm-password"), password).unwrap();
        self.console.browser.click(&format!("{within} button.primary")).unwrap();
    }

    /// Is wrong once, and then right.
    fn guess(&self, within: &str) {
        self.answer(within, "not the password");
        self.console.sees(&format!("{within} .sheet [role=alert]"));
        assert_eq!(self.console.twice(), Vec::<String>::new());
        self.answer(within, PASSWORD);
    }
}

#[rstest]
#[tokio::test]
async fn who_signed_in_long_ago_proves_themselves_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let aged = Aged::open(tongue).await;
    let (console, browser) = (&aged.console, &aged.console.browser);
    let id = console.invite_one("kim@example.com", "김민수").await;
    let made = console.api().await.post("/api/v1/roles", json!({"name": "support"})).await;
    assert_eq!(made.status, 201, "{made:?}");

    console.go("/admin/signing-keys");
    aged.age();
    browser.click("a[href$='/rotate']").unwrap();
    console.reads("dialog[open] h1", "ask-rotate");
    browser.click("dialog[open] button.primary").unwrap();
    aged.guess("dialog[open]");
    console.reads("[role=status]", "done-rotated");
    browser.click("tr:has-text('RS256'):has(.warn) a[href$='/withdraw']").unwrap();
    console.does("dialog[open] button.primary", "done-withdrawn");

    console.go("/admin/roles");
    aged.age();
    browser.click("tr:has-text('support') a[href$='/permissions']").unwrap();
    browser.check("dialog[open] input[value='users:read']").unwrap();
    browser.click("dialog[open] button.primary").unwrap();
    aged.answer("dialog[open]", PASSWORD);
    console.reads("[role=status]", "done-role-permissions");

    console.go(&format!("/admin/users/{id}"));
    aged.age();
    browser.click("main a[href$='/roles']").unwrap();
    browser.check("dialog[open] input[value=support]").unwrap();
    browser.click("dialog[open] button.primary").unwrap();
    aged.guess("dialog[open]");
    console.reads("[role=status]", "done-roles");
    assert_eq!(console.account(&id).await["roles"], json!(["support", "user"]));

    aged.age();
    browser.click("main a[href$='/export']").unwrap();
    console.reads_text("main h1", &tongue.say_of("ask-export", "김민수"));
    aged.guess("main");
    assert_eq!(console.count("dialog[open]"), 0, "the page itself asks again");
    let export = format!("fetch('/admin/users/{id}/export').then((answer) => answer.headers.get('content-type'))");
    console.reads("[role=status]", "done-proven");
    assert_eq!(browser.evaluate(&export).unwrap(), "application/json");

    console.go(&format!("/admin/users/{id}"));
    aged.age();
    browser.click("main a[href$='/delete']").unwrap();
    browser.click("dialog[open] button.primary").unwrap();
    aged.answer("dialog[open]", PASSWORD);
    console.reads("[role=status]", "done-delete");
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn who_gives_rights_to_somebody_new_proves_themselves_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let aged = Aged::open(tongue).await;
    let (console, browser) = (&aged.console, &aged.console.browser);
    console.go("/admin/users");
    aged.age();
    browser.click("a[href$='/admin/users/new']").unwrap();
    browser.fill("dialog[open] #email", "lee@example.com").unwrap();
    browser.check("dialog[open] input[value=manager]").unwrap();
    browser.click("dialog[open] button.primary").unwrap();
    aged.guess("dialog[open]");
    console.reads("[role=status]", "done-invited");
    console.reads_text("main h1", "lee@example.com");

    console.go("/admin/roles");
    aged.age();
    browser.click("a[href$='/admin/roles/new']").unwrap();
    browser.fill("dialog[open] #name", "helper").unwrap();
    browser.check("dialog[open] input[value='users:read']").unwrap();
    browser.click("dialog[open] button.primary").unwrap();
    aged.guess("dialog[open]");
    console.reads("[role=status]", "done-role-made");
    let helper = console.api().await.get("/api/v1/roles?limit=100").await;
    let made = helper.body["items"].as_array().unwrap().iter().find(|role| role["name"] == "helper").unwrap();
    assert_eq!(made["permissions"], json!(["users:read"]));
    console.assert_content();
}

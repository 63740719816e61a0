//! The pages of the system: keys of others, keys that sign, mails, and what the installation says of itself.

use rstest::rstest;
use serde_json::json;
use test_peers::{Security, Smtp, Stage, Trouble};

use super::{Console, proof::Aged, tongue::Tongue};
use crate::support::{Engine, Workplace};

impl Console {
    /// Makes an API key of the administrator with this name.
    pub async fn make_api_key(&self, name: &str) {
        let key = json!({"name": name, "scopes": ["users:read"]});
        let answer = self.api().await.post("/api/v1/api-keys", key).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn keys_of_others_are_found_and_revoked_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = Console::open(tongue).await;
    let payload = "<img src=x onerror=window.hit=1>";
    for name in ["nightly backup", "billing", payload] {
        console.make_api_key(name).await;
    }
    console.go("/admin/api-keys");
    assert_eq!(console.count("tbody tr"), 3);
    console.reads_text("tbody", payload);
    console.browser.fill("#search", "bill").unwrap();
    console.sees("tbody tr:first-child:last-child");
    console.browser.click("tbody a[href$='/revoke']").unwrap();
    console.reads_text("dialog[open] h1", "billing");
    console.browser.click("dialog[open] [data-close]").unwrap();
    console.browser.click("tbody a[href$='/revoke']").unwrap();
    console.does("dialog[open] button.primary", "done-key-revoked");
    assert!(!console.browser.text("main").unwrap().contains("billing"));
    console.browser.click(&format!("tr:has-text({payload:?}) a[href$='/revoke']")).unwrap();
    console.reads_text("dialog[open] h1", payload);
    assert_eq!(console.browser.evaluate("window.hit === undefined").unwrap(), true);
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn the_installation_says_how_it_is_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = Console::open(tongue).await;
    console.invite_one("kim@example.com", "김민수").await;
    console.go("/admin/mails");
    console.reads("tbody tr:has-text('kim@example.com')", "mail-kind-invitation");
    console.browser.click("main nav a[href$='state=failed']").unwrap();
    console.reads("main", "mails-none");
    console.go("/admin/settings");
    console.reads("tr:has-text('ADMIN_ADDR')", "setting-environment");
    let (database, key) = match tongue {
        Tongue::Korean => ("데이터베이스의 postgresql:// 주소", "서명 키"),
        Tongue::English => ("postgresql:// address of the database", "signing key"),
    };
    console.reads_text(&format!("tr:has-text('DB_PRIMARY_DB_URL') [lang={}]", tongue.tag()), database);
    let private = console.browser.text("tr:has-text('JWT_PRIVATE_KEY') >> nth=0").unwrap();
    assert!(!private.contains("PRIVATE KEY-----"), "{private}");
    console.go("/admin/doctor");
    console.reads("main", "doctor-not-yet");
    console.browser.click("main button.primary").unwrap();
    console.reads_text(&format!("main .list li [lang={}]", tongue.tag()), key);
    assert_eq!(console.count(&format!("main .list [lang={}]", tongue.other().tag())), 0, "nothing in another language");
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn a_mail_that_was_given_up_is_sent_again_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let relay = Smtp::start(Security::Plain).unwrap();
    let place = Workplace::on(Engine::Sqlite).set("SMTP_URL", &relay.url()).set("MAIL_FROM", "no-reply@example.com");
    let aged = Aged::open_in(place.set("PUBLIC_URL", "https://auth.example.com"), tongue).await;
    let console = &aged.console;
    relay.set(Some(Trouble::Answer(Stage::Recipient, "550 5.1.1 Nobody of this name")));
    console.invite_one("kim@example.com", "김민수").await;
    let api = console.api().await;
    let state = async || {
        let mails = api.get("/api/v1/system/mails?limit=100").await;
        let mails = mails.body["items"].as_array().unwrap().clone();
        mails.into_iter().find(|mail| mail["recipient"] == "kim@example.com").unwrap()["state"].clone()
    };
    console.program.until("it is given up", async || state().await == "failed").await;
    // Whoever tried it last might come back to it within a minute.
    aged.change("UPDATE mail_outbox SET next_attempt_at = next_attempt_at - INTERVAL '1 minute'");
    console.go("/admin/mails");
    let line = "tr:has-text('kim@example.com')";
    console.reads(line, "mail-state-failed");
    console.reads_text(line, "Nobody of this name");
    let retry = format!("{line} a[href$='/retry']");
    console.browser.click(&retry).unwrap();
    console.reads("dialog[open] h1", "ask-mail-retry");
    console.browser.click("dialog[open] [data-close]").unwrap();
    assert_eq!(state().await, "failed", "nothing was done yet");

    relay.set(None);
    console.browser.click(&retry).unwrap();
    console.does("dialog[open] button.primary", "done-mail-retried");
    let came = || relay.mails().iter().filter(|mail| mail.to == ["kim@example.com"]).count();
    console.program.until("it comes", async || came() == 1).await;
    console.program.until("that is known", async || state().await == "sent").await;
    console.go("/admin/mails?state=sent");
    console.reads(line, "mail-state-sent");
    assert_eq!(console.count("main a[href$='/retry']"), 0, "what was sent is not sent twice");
    console.assert_content();
}

//! Who somebody is at providers, and taking that away.

use rstest::rstest;

use super::{Console, proof::Aged, tongue::Tongue};
use crate::support::{Engine, Workplace};

const EMAIL: &str = "kim@example.com";
const PANEL: &str = "section[aria-labelledby=identities-title]";

/// Somebody's identity, as a login there leaves it.
fn link(aged: &Aged, id: &str) {
    aged.change(&format!(
        "INSERT INTO oauth_accounts (id, user_id, provider, issuer, subject, email, email_verified, profile, created_at, \
         linked_at) VALUES (gen_random_uuid(), '{id}', 'naver', 'https://nid.naver.com', 'subject', 'kim@naver.example', \
         TRUE, '{{}}', NOW(), NOW())"
    ));
}

/// How many the account has.
async fn count(console: &Console, id: &str) -> usize {
    let identities = console.api().await.get(&format!("/api/v1/users/{id}/identities")).await;
    identities.body["items"].as_array().unwrap_or_else(|| panic!("{identities:?}")).len()
}

#[rstest]
#[tokio::test]
async fn an_identity_is_unlinked_unless_it_is_the_last_way_in_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let aged = Aged::open_in(Workplace::on(Engine::Sqlite), tongue).await;
    let (console, browser) = (&aged.console, &aged.console.browser);
    let id = console.program.client.me(&console.program.client.person(EMAIL).await.access).await.text("id");
    link(&aged, &id);
    console.go(&format!("/admin/users/{id}"));
    console.reads(PANEL, "method-naver");
    console.reads_text(PANEL, "kim@naver.example");
    let unlink = "main a[href$='/identities/naver']";
    browser.click(unlink).unwrap();
    console.reads_text("dialog[open] h1", &tongue.say_of("ask-unlink", EMAIL));
    console.reads_text("dialog[open] p", &tongue.say_of("ask-why-unlink", EMAIL));
    browser.click("dialog[open] [data-close]").unwrap();
    assert_eq!(count(console, &id).await, 1, "nothing was done yet");
    browser.click(unlink).unwrap();
    console.does("dialog[open] button.primary", "done-unlink");
    console.reads(PANEL, "identities-none");
    assert_eq!(count(console, &id).await, 0);

    link(&aged, &id);
    aged.change(&format!("UPDATE users SET password_hash = NULL WHERE id = '{id}'"));
    console.go(&format!("/admin/users/{id}"));
    browser.click(unlink).unwrap();
    browser.click("dialog[open] button.primary").unwrap();
    console.sees("dialog[open] [role=alert]");
    assert_eq!(console.twice(), Vec::<String>::new());
    assert_eq!(count(console, &id).await, 1);
    console.assert_content();
}

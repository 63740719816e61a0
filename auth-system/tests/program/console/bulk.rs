//! One thing done to many: what will happen to each, and what did.

use rstest::rstest;

use super::{ADMIN, ADMIN_NAME, Console, tongue::Tongue};

#[rstest]
#[tokio::test]
async fn many_are_shown_what_will_happen_and_what_did_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = Console::open(tongue).await;
    let people: Vec<_> = (0..3).map(|n| (format!("p{n}@example.com"), format!("사람 {n}"))).collect();
    let ids = console.invite(&people).await;
    let disabled = console.api().await.post(&format!("/api/v1/users/{}/disable", ids[0]), serde_json::json!({})).await;
    assert_eq!(disabled.status, 200);
    let choose = |email: &str| {
        console.browser.check(&format!("tr:has-text({email:?}) input[data-check]")).unwrap();
    };
    console.go("/admin/users?sort=email");
    assert_eq!(console.count("[data-bulk]:not([hidden])"), 0);
    choose("p0@example.com");
    choose("p1@example.com");
    choose(ADMIN);
    assert_eq!(console.browser.text("[data-bulk-count]").unwrap(), "3");
    console.browser.click("[data-bulk] button[value=disable]").unwrap();
    console.reads("h1", "act-disable");
    console.reads("tr:has-text('p0@example.com')", "bulk-needless");
    console.reads("tr:has-text('p1@example.com')", "bulk-due");
    console.reads_text("tbody", ADMIN_NAME);
    assert_eq!(console.count("tbody tr"), 3);
    console.browser.click("main a.button.quiet").unwrap();
    console.sees("#results");
    assert_ne!(console.account(&ids[1]).await["status"], "disabled", "nothing was done yet");

    choose("p0@example.com");
    choose("p1@example.com");
    choose(ADMIN);
    console.browser.click("[data-bulk] button[value=disable]").unwrap();
    console.browser.click("main form button.danger").unwrap();
    console.reads("tr:has-text('p0@example.com')", "bulk-needless");
    console.reads("tr:has-text('p1@example.com')", "bulk-done");
    console.reads(&format!("tr:has-text({ADMIN:?})"), "bulk-refused");
    assert_eq!(console.account(&ids[1]).await["status"], "disabled");
    assert_ne!(console.account(&ids[2]).await["status"], "disabled");
    console.browser.click("main a.button").unwrap();
    console.browser.check("[data-check-all]").unwrap();
    assert_eq!(console.browser.text("[data-bulk-count]").unwrap(), "4");
    console.assert_content();
}

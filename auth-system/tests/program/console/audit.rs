//! The audit log: found, followed and checked.

use rstest::rstest;

use super::{ADMIN_NAME, Console, tongue::Tongue};

#[rstest]
#[tokio::test]
async fn what_happened_is_found_followed_and_checked_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = Console::open(tongue).await;
    let browser = &console.browser;
    let id = console.invite_one("kim@example.com", "<script>window.hit=1</script>").await;
    console.go("/admin/audit");
    console.reads_text("#results", ADMIN_NAME);
    let all = console.count("#results .timeline > li");
    browser.evaluate("window.isSamePage = true").unwrap();
    browser.fill("#target", &id).unwrap();
    browser.wait_for_url(&console.at("/admin/audit?event=&outcome=&actor=&target=0")).unwrap();
    console.sees("#results .timeline > li");
    assert!((1..all).contains(&console.count("#results .timeline > li")));
    assert_eq!(browser.evaluate("window.isSamePage").unwrap(), true);
    browser.fill("#target", "no id").unwrap();
    console.sees("#results [role=alert]");

    console.go("/admin/audit");
    browser.click(&format!("#results a.button:has-text({:?})", tongue.say("audit-live-start"))).unwrap();
    console.reads("#results .tag", "audit-live");
    console.invite_one("lee@example.com", "이새롬").await;
    console.reads_text("#results .timeline", "이새롬");
    console.go("/admin/audit/verify");
    browser.click("main button.primary").unwrap();
    console.reads("#verification", "verify-head-why");
    console.sees("#verification .notice.ok");
    assert_eq!(browser.evaluate("window.hit === undefined").unwrap(), true);
    console.assert_content();
}

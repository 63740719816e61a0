//! The console where scripts may not run: everything is done, only slower.

use rstest::rstest;
use test_peers::{Outlook, Scripts};

use super::{ADMIN, ADMIN_NAME, Console, tongue::Tongue};
use crate::client::PASSWORD;

const NAME: &str = "김민수";

#[rstest]
#[tokio::test]
async fn everything_is_done_without_scripts_too_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = Console::open(tongue).await;
    let browser = &console.browser;
    let (kim, lee) = ("kim@example.com", "lee@example.com");
    let ids = console.invite(&[(kim.to_owned(), NAME.to_owned()), (lee.to_owned(), "이영희".to_owned())]).await;
    let unscripted = Outlook { scripts: Scripts::Off, locale: tongue.locale(), ..Outlook::default() };
    browser.start_afresh_as(&unscripted).unwrap();
    console.go("/admin/");
    console.sign_in_as(ADMIN, PASSWORD);
    console.reads_text(".self", ADMIN_NAME);

    browser.click("nav a[href='/admin/users']").unwrap();
    browser.fill("#search", "kim").unwrap();
    browser.click("form[role=search] button").unwrap();
    browser.wait_for_url(&console.at("/admin/users?search=kim")).unwrap();
    assert_eq!(console.count("tbody[data-rows] tr"), 1);
    browser.click("tbody[data-rows] a").unwrap();
    console.reads_text("h1", NAME);
    let page = console.at(&format!("/admin/users/{}", ids[0]));
    assert_eq!(browser.url().unwrap(), page);
    browser.click("main a[href$='/disable']").unwrap();
    browser.wait_for_url(&format!("{page}/disable")).unwrap();
    console.reads_text("main h1", &tongue.say_of("ask-disable", NAME));
    browser.wait_until_gone("[data-close]").unwrap();
    browser.click("main button.primary").unwrap();
    console.reads("[role=status]", "done-disable");
    assert_eq!(console.account(&ids[0]).await["status"], "disabled");

    // What scripts would open is open: the bar over what was chosen, and on a phone the menu.
    console.go("/admin/users");
    for email in [kim, lee] {
        browser.check(&format!("tr:has-text({email:?}) input[data-check]")).unwrap();
    }
    browser.click("[data-bulk] button[value=disable]").unwrap();
    console.reads(&format!("tr:has-text({kim:?})"), "bulk-needless");
    browser.click("main form button.danger").unwrap();
    console.reads(&format!("tr:has-text({lee:?})"), "bulk-done");
    assert_eq!(console.account(&ids[1]).await["status"], "disabled");
    browser.resize(390, 800).unwrap();
    browser.click("nav a[href='/admin/doctor']").unwrap();
    browser.click("main button.primary").unwrap();
    console.sees("main .list li .tag");
    browser.select(".self select[name=language]", tongue.other().tag()).unwrap();
    browser.click(".self form[action='/admin/likes'] button").unwrap();
    console.sees(&format!("html[lang={}]", tongue.other().tag()));

    browser.click("form[action='/admin/sign-out'] button:not([type=button])").unwrap();
    console.reads_text("[role=status]", &tongue.other().say("done-signed-out"));
    console.go("/admin/users");
    console.sees("#password");
    console.assert_content();
}

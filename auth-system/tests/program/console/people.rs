//! The list of people: found as one types, filtered, sorted, turned over, and walked by keys.

use rstest::rstest;

use super::{ADMIN, Console, tongue::Tongue};

const ROWS: &str = "tbody[data-rows] tr";

/// A console with sixty people more than its administrator, on the list of them.
async fn crowd(tongue: Tongue) -> Console {
    let console = Console::open(tongue).await;
    let people: Vec<_> = (0..60).map(|n| (format!("p{n:02}@example.com"), format!("사람 {n:02}"))).collect();
    console.invite(&people).await;
    console.go("/admin/users");
    console.browser.evaluate("window.isSamePage = true").unwrap();
    console
}

impl Console {
    /// The addresses in the rows, in their order.
    fn listed(&self) -> Vec<String> {
        let texts = "[...document.querySelectorAll('tbody[data-rows] .under')].map((under) => under.textContent)";
        let texts = self.browser.evaluate(texts).unwrap();
        texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// Waits until so many rows are shown, on the page that was there before.
    fn lists(&self, count: usize) {
        self.sees(&format!("{ROWS}:nth-child({count}):last-child"));
        assert_eq!(self.browser.evaluate("window.isSamePage === true").unwrap(), true, "the page was loaded again");
    }
}

#[rstest]
#[tokio::test]
async fn people_are_found_filtered_and_sorted_on_one_page_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = crowd(tongue).await;
    let browser = &console.browser;
    console.lists(50);
    browser.fill("#search", "p0").unwrap();
    console.lists(10);
    assert!(browser.wait_for_url(&console.at("/admin/users?search=p0")).is_ok(), "the address can be kept");
    browser.fill("#search", "사람 42").unwrap();
    console.lists(1);
    assert_eq!(console.listed(), ["p42@example.com"]);
    browser.fill("#search", "nobody at all").unwrap();
    console.reads("#results", "users-none-found");
    browser.fill("#search", "").unwrap();
    console.lists(50);
    browser.select("select[name=status]", "active").unwrap();
    console.lists(1);
    assert_eq!(console.listed(), [ADMIN]);
    browser.select("select[name=status]", "").unwrap();
    console.lists(50);
    browser.select("select[name=role]", "admin").unwrap();
    console.lists(1);
    browser.select("select[name=role]", "").unwrap();
    console.lists(50);
    browser.select("select[name=sort]", "-email").unwrap();
    console.sees(&format!("{ROWS}:first-child:has-text({ADMIN:?})"));
    browser.select("select[name=sort]", "email").unwrap();
    console.sees(&format!("{ROWS}:first-child:has-text('p00@example.com')"));
    let first = console.listed();
    browser.click("a[rel=next]").unwrap();
    console.sees(&format!("{ROWS}:nth-child(11):last-child"));
    let second = console.listed();
    assert_eq!(second.first().map(String::as_str), Some("p50@example.com"));
    assert!(first.iter().all(|email| !second.contains(email)), "nobody is on two pages");
    browser.go_back().unwrap();
    console.sees(&format!("{ROWS}:nth-child(50)"));
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn columns_stay_as_they_were_chosen_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = crowd(tongue).await;
    console.reads("thead", "column-created-at");
    console.browser.click("details summary").unwrap();
    console.browser.uncheck("details input[value=created_at]").unwrap();
    console.browser.uncheck("details input[value=roles]").unwrap();
    console.browser.click("details button").unwrap();
    let (created, roles) = (tongue.say("column-created-at"), tongue.say("column-roles"));
    console.browser.wait_until_gone(&format!("thead:has-text({created:?})")).unwrap();
    console.go("/admin/users");
    let head = console.browser.text("thead").unwrap();
    assert!(!head.contains(&created) && !head.contains(&roles), "{head}");
    console.reads("thead", "column-last-login-at");
    console.browser.click("details summary").unwrap();
    console.browser.check("details input[value=roles]").unwrap();
    console.browser.click("details button").unwrap();
    console.reads("thead", "column-roles");
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn the_list_is_walked_by_keys_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = crowd(tongue).await;
    let browser = &console.browser;
    let focused = || browser.evaluate("document.activeElement.id || document.activeElement.tagName").unwrap();
    browser.press("/").unwrap();
    assert_eq!(focused(), "search");
    browser.press("j").unwrap();
    assert_eq!(browser.evaluate("document.activeElement.value").unwrap(), "j", "a letter while one types");
    browser.press("Backspace").unwrap();
    browser.press("Escape").unwrap();
    assert_eq!(focused(), "BODY");
    browser.wait_for_url(&console.at("/admin/users?search=&")).unwrap();
    console.lists(50);
    for key in ["j", "j", "j", "k"] {
        browser.press(key).unwrap();
    }
    console.sees(&format!("{ROWS}:nth-child(2).at"));
    assert_eq!(console.count(&format!("{ROWS}.at")), 1);
    browser.press("?").unwrap();
    console.reads("dialog[open]", "keys-title");
    browser.press("j").unwrap();
    browser.press("Escape").unwrap();
    browser.wait_until_gone("dialog[open]").unwrap();
    console.sees(&format!("{ROWS}:nth-child(2).at"));
    let chosen = console.listed()[1].clone();
    browser.press("Enter").unwrap();
    console.reads_text("main .card", &chosen);
    console.assert_content();
}

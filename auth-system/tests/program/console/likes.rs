//! Language, theme and columns, as their person likes them.

use rstest::rstest;

use super::{Console, tongue::Tongue};

#[rstest]
#[tokio::test]
async fn language_and_theme_stay_as_they_were_chosen_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = Console::open(tongue).await;
    let attribute = |name: &str| {
        let text = console.browser.evaluate(&format!("document.documentElement.getAttribute({name:?})")).unwrap();
        text.as_str().unwrap().to_owned()
    };
    let background = || console.browser.evaluate("getComputedStyle(document.body).backgroundColor").unwrap();
    console.go("/admin/users?sort=email");
    let light = background();
    assert_eq!((attribute("lang"), attribute("data-theme")), (tongue.tag().to_owned(), "system".to_owned()));
    console.browser.select(".self select[name=theme]", "dark").unwrap();
    console.sees("html[data-theme=dark]");
    assert_eq!(console.browser.url().unwrap(), console.at("/admin/users?sort=email"), "on the same page");
    assert_ne!(background(), light);
    let other = tongue.other();
    console.browser.select(".self select[name=language]", other.tag()).unwrap();
    console.sees(&format!("html[lang={}]", other.tag()));
    console.reads_text("h1", &other.say("nav-users"));
    console.go("/admin/");
    assert_eq!((attribute("lang"), attribute("data-theme")), (other.tag().to_owned(), "dark".to_owned()));
    console.browser.select(".self select[name=theme]", "system").unwrap();
    console.sees("html[data-theme=system]");
    assert_eq!(background(), light);
    console.assert_content();
}

//! What people write about themselves is shown as they wrote it, and runs nothing.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Console, tongue::Tongue};
use crate::client::PASSWORD;

/// Each would leave a mark on the window if it ran, or turn the page around.
const PAYLOADS: [&str; 7] = [
    "<img src=x onerror=window.hit=1>",
    "<script>window.hit=1</script>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "\"><svg/onload=window.hit=1>",
    "' onfocus='window.hit=1' autofocus='",
    "javascript:window.hit=1//",
    "מנהל עברית",
];

#[rstest]
#[tokio::test]
async fn what_people_write_runs_nothing_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = Console::open(tongue).await;
    let people: Vec<_> =
        PAYLOADS.iter().enumerate().map(|(n, name)| (format!("p{n}@example.com"), (*name).to_owned())).collect();
    let ids = console.invite(&people).await;
    console.go("/admin/users?sort=email");
    let shown =
        console.browser.evaluate("[...document.querySelectorAll('bdi.name')].map((b) => b.textContent)").unwrap();
    assert_eq!(shown.as_array().unwrap()[..PAYLOADS.len()], PAYLOADS.map(|payload| json!(payload)));
    for (id, payload) in ids.iter().zip(PAYLOADS) {
        console.go(&format!("/admin/users/{id}"));
        assert_eq!(console.browser.text("h1 bdi").unwrap(), payload);
        let title = console.browser.evaluate("document.title").unwrap();
        assert!(title.as_str().unwrap().contains(payload), "{title}");
        for act in ["disable", "profile", "roles"] {
            console.browser.click(&format!("main a[href$='/{act}']")).unwrap();
            console.sees("dialog[open]");
            console.browser.press("Escape").unwrap();
            console.browser.wait_until_gone("dialog[open]").unwrap();
        }
    }
    assert_eq!(console.browser.evaluate("window.hit === undefined").unwrap(), true);
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn what_browsers_and_searches_say_runs_nothing_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let console = Console::open(tongue).await;
    let client = &console.program.client;
    let id = client.me(&client.person("kim@example.com").await.access).await.text("id");
    for payload in &PAYLOADS[..6] {
        let login = json!({"email": "kim@example.com", "password": PASSWORD, "device_name": payload});
        let answer = client.with_header("user-agent", payload).post("/api/v1/auth/login", login).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    console.go(&format!("/admin/users/{id}"));
    for payload in &PAYLOADS[..6] {
        console.reads_text("section[aria-labelledby=sessions-title]", payload);
    }
    for payload in PAYLOADS {
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("search", payload).finish();
        for path in ["/admin/users?", "/admin/sign-in?done=", "/admin/setup?token="] {
            console.go(&format!("{path}{query}"));
        }
        console.go(&format!("/admin/users?{query}"));
        assert_eq!(console.browser.evaluate("document.querySelector('#search').value").unwrap(), *payload);
    }
    assert_eq!(console.browser.evaluate("window.hit === undefined").unwrap(), true);
    console.assert_content();
}

/// Names that would turn what stands beside them around, and what is read of each.
const TURNING: [(&str, &str); 4] = [
    ("מנהל עברית", "מנהל עברית"),
    ("שרה (2)", "שרה (2)"),
    ("\u{2069}\u{202e}شركة", "شركة"),
    ("\u{202e}gnp.exe\u{2067}", "gnp.exe"),
];

#[rstest]
#[tokio::test]
async fn a_name_turns_nothing_around_but_itself_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let console = Console::open(tongue).await;
    let browser = &console.browser;
    for (number, (name, read)) in TURNING.into_iter().enumerate() {
        let id = console.invite_one(&format!("p{number}@example.com"), name).await;
        console.go(&format!("/admin/users/{id}"));
        assert_eq!(browser.evaluate("document.querySelector('h1 bdi').textContent").unwrap(), read);
        let title = browser.evaluate("document.title").unwrap();
        let (before, apart, after) = parts(title.as_str().unwrap(), read);
        assert_eq!((before, after), ("", " · auth-system"), "{title}");
        assert_eq!(apart, read.contains(|c: char| !c.is_ascii()));
        for act in ["disable", "delete"] {
            browser.click(&format!("main a[href$='/{act}']")).unwrap();
            console.sees("dialog[open]");
            let places = places(&console, "dialog[open] h1");
            let sentence: String = places.iter().map(|(letter, _)| *letter).collect();
            let (before, apart, after) = parts(&sentence, read);
            assert_eq!(format!("{before}{{ $name }}{after}"), tongue.say(&format!("ask-{act}")));
            assert_beside_each_other(&places, before.chars().count(), after.chars().count(), apart);
            browser.press("Escape").unwrap();
            browser.wait_until_gone("dialog[open]").unwrap();
        }
        browser.click("main a[href$='/profile']").unwrap();
        console.sees("dialog[open]");
        let written = "document.querySelector('dialog[open] #display_name').value";
        assert_eq!(browser.evaluate(written).unwrap(), name, "what is changed is what was written");
    }
    console.assert_content();
}

/// What stands before and after a name, and whether the name stands apart.
fn parts<'a>(text: &'a str, name: &str) -> (&'a str, bool, &'a str) {
    let (before, after) = text.split_once(name).unwrap_or_else(|| panic!("{text}"));
    match (before.strip_suffix('\u{2068}'), after.strip_prefix('\u{2069}')) {
        (Some(before), Some(after)) => (before, true, after),
        _ => (before, false, after),
    }
}

/// Each letter of the text in what a selector finds, and where it begins from the left.
fn places(console: &Console, selector: &str) -> Vec<(char, f64)> {
    let script = "((node) => [...node.data].map((letter, at) => {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        return [letter, range.getBoundingClientRect().left];
    }))";
    let places =
        console.browser.evaluate(&format!("{script}(document.querySelector({selector:?}).firstChild)")).unwrap();
    let place = |place: &Value| (place[0].as_str().unwrap().chars().next().unwrap(), place[1].as_f64().unwrap());
    places.as_array().unwrap().iter().map(place).collect()
}

/// Asserts that a sentence reads from the left, whichever way the name in it does.
fn assert_beside_each_other(places: &[(char, f64)], before: usize, after: usize, is_apart: bool) {
    let marks = usize::from(is_apart);
    let (head, rest) = places.split_at(before);
    let (name, tail) = rest.split_at(rest.len() - after);
    let name = &name[marks..name.len() - marks];
    for part in [head, tail] {
        assert!(part.windows(2).all(|pair| pair[0].1 < pair[1].1), "{places:?}");
    }
    let rises = name.windows(2).all(|pair| pair[0].1 < pair[1].1);
    assert_eq!(rises, !is_apart, "{places:?}");
    for (_, place) in name {
        assert!(head.iter().all(|(_, left)| left < place) && tail.iter().all(|(_, left)| left > place), "{places:?}");
    }
}

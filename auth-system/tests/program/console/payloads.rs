//! What people write about themselves is shown as they wrote it, and runs nothing.

use rstest::rstest;
use serde_json::json;

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
        assert!(title.as_str().unwrap().starts_with(payload), "{title}");
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

//! The console in a process of its own, with the Auth API here and gone, and behind the gateway.

use rstest::rstest;
use test_peers::free_port;

use super::{ADMIN_NAME, Console, tongue::Tongue, visitor::Visitor};
use crate::{
    client::Client,
    program::Program,
    support::{Engine, Workplace},
};

const SECRET: &str = "one-secret-of-the-two-and-nobody-else";

/// The Auth API, and the place of a console beside it, which know each other.
async fn apart() -> (Workplace, Program, Workplace) {
    let service = Workplace::on(Engine::Sqlite).set("ADMIN_CLIENT_SECRET", SECRET);
    let api = service.spawn(&["service"]);
    api.until_ready().await;
    let console = Workplace::bare()
        .set("ADMIN_CLIENT_SECRET", SECRET)
        .set("AUTH_API_URLS", &format!("http://127.0.0.1:{}", service.port))
        .set("ADMIN_METRICS_ADDR", &format!("127.0.0.1:{}", free_port().unwrap()));
    (service, api, console)
}

/// Starts the console alone.
async fn start_console(place: &Workplace) -> Program {
    let program = place.spawn_at(&["admin"], place.admin_port);
    program.until("the console answers", async || is_up(&program.client).await).await;
    program
}

async fn is_up(client: &Client) -> bool {
    let answer = client.request(reqwest::Method::GET, "/admin/health").send().await;
    answer.is_ok_and(|answer| answer.status() == 204)
}

#[rstest]
#[tokio::test]
async fn the_console_alone_says_that_the_api_is_gone_and_recovers_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let (service, api, place) = apart().await;
    let program = start_console(&place).await;
    let browser = Visitor::come(tongue);
    let base = format!("http://localhost:{}", place.admin_port);
    let console = Console { browser, tongue, base, program, place };
    let token = service.run(&["setup-token"]);
    assert_eq!(token.code, Some(0), "{token:?}");
    console.set_up(&console.at(&format!("/admin/setup?token={}", token.out.trim())));
    console.go("/admin/users");
    console.assert_content();

    drop(api);
    assert_eq!(console.browser.goto(&console.at("/admin/users")).unwrap(), 503);
    console.reads("h1", "failure-unreachable");
    console.reads("main", "failure-why-unreachable");
    console.assert_refused_once(503);
    let again = service.spawn(&["service"]);
    again.until_ready().await;
    console.browser.click("main a.button").unwrap();
    console.sees("#results");
    console.reads_text(".self", ADMIN_NAME);

    // A part of a page that is asked for meanwhile says so in place of it.
    drop(again);
    console.browser.fill("#search", "kim").unwrap();
    console.reads("#results", "failure-unreachable");
    console.assert_refused_once(503);
    let again = service.spawn(&["service"]);
    again.until_ready().await;
    console.browser.fill("#search", "root").unwrap();
    console.reads_text("#results", ADMIN_NAME);
    console.assert_content();
}

#[tokio::test]
async fn another_console_is_refused_by_the_api() {
    let (_service, _api, place) = apart().await;
    let program = start_console(&place.set("ADMIN_CLIENT_SECRET", "a-secret-that-somebody-else-has-made-up")).await;
    for path in ["/admin/sign-in", "/admin/setup"] {
        let answer = program.client.with_header("accept-language", "ko").get(path).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.body.as_str().unwrap().contains(&Tongue::Korean.say("failure-why-unacquainted")), "{answer:?}");
    }
}

#[rstest]
#[tokio::test]
async fn the_console_is_behind_the_gateway_too_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let mut console = Console::start(tongue).await;
    let link = console.setup_link().await;
    let token = link.strip_prefix(&console.base).unwrap().to_owned();
    console.base = format!("http://localhost:{}", console.place.gateway_port);
    console.set_up(&console.at(&token));
    console.go("/admin/users");
    console.browser.fill("#search", "root").unwrap();
    console.browser.wait_for_url(&console.at("/admin/users?search=root")).unwrap();
    console.browser.click("a[href='/admin/users/new']").unwrap();
    console.sees("dialog[open]");
    console.assert_content();
}

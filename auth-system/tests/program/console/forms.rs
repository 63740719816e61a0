//! Forms that are none of ours, as other sites and old pages send them.

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::ADMIN;
use crate::{
    client::{Answer, Client, PASSWORD},
    support::{Engine, Workplace},
};

const LOGIN: &str = "name=root%40example.com&password=TestPass123%21";

/// What comes back for a form that a browser would send with these headers.
async fn send(console: &Client, path: &str, headers: &[(&'static str, &str)], form: &str) -> Answer {
    let request = console.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Answer::of(request.body(form.to_owned())).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn forms_of_other_sites_and_of_no_session_do_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let place = Workplace::on(engine);
    let program = place.start().await;
    let console = Client::new(place.admin_port);
    program.until("the console answers", async || console.get("/admin/health").await.status == 204).await;
    let made = program.out();
    let token = made.split("/admin/setup?token=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    let set_up = format!("token={token}&email=root%40example.com&password=TestPass123%21");
    let here = format!("http://127.0.0.1:{}", place.admin_port);
    let foreign: [&[(&str, &str)]; 6] = [
        &[("sec-fetch-site", "cross-site"), ("origin", &here)],
        &[("sec-fetch-site", "same-site"), ("origin", &here)],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ];
    for headers in foreign {
        let answer = send(&console, "/admin/setup", headers, &set_up).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, ""), "{headers:?}");
    }
    let ours = [("sec-fetch-site", "same-origin")];
    assert_eq!(send(&console, "/admin/setup", &ours, &set_up).await.status, 303, "the token is still good");

    let entered = send(&console, "/admin/sign-in", &ours, LOGIN).await;
    let cookie = entered.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let cookie = cookie.into_iter().find(|line| line.starts_with("__Host-console=")).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let person = program.client.person("kim@example.com").await;
    let id = program.client.me(&person.access).await.text("id");
    let act = format!("/admin/users/{id}/disable");
    let page = console.with_header("cookie", cookie).get(&act).await;
    let token = token_in(page.body.as_str().unwrap());
    let right = format!("form_token={token}");
    for headers in foreign {
        let headers: Vec<_> = headers.iter().copied().chain([("cookie", cookie)]).collect();
        assert_eq!(send(&console, &act, &headers, &right).await.status, 403, "{headers:?}");
    }
    let with_cookie = [ours[0], ("cookie", cookie)];
    for wrong in ["", "form_token=", "form_token=AAAA", &format!("form_token={}", token_of_another(&token))] {
        assert_eq!(send(&console, &act, &with_cookie, wrong).await.status, 403, "{wrong}");
    }
    let signed_out = send(&console, &act, &ours, &right).await;
    assert_eq!((signed_out.status, signed_out.header("location").starts_with("/admin/sign-in?to=")), (303, true));
    assert_eq!(program.client.me(&person.access).await.status, 200, "nothing was done");
    let done = send(&console, &act, &with_cookie, &right).await;
    assert_eq!((done.status, done.header("location")), (303, format!("/admin/users/{id}?done=disable").as_str()));
    program.until("it was done", async || program.client.me(&person.access).await.status == 401).await;
    let login = json!({"email": ADMIN, "password": PASSWORD});
    assert_eq!(program.client.post("/internal/v1/console/login", login).await.status, 401, "only the console may");
}

fn token_in(page: &str) -> String {
    let rest = page.split("name=\"form_token\" value=\"").nth(1).unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// A token of the same form that belongs to nobody.
fn token_of_another(token: &str) -> String {
    let first = if token.starts_with('A') { 'B' } else { 'A' };
    format!("{first}{}", &token[1..])
}

//! The pages that links in mails open.

use reqwest::Method;
use rstest::rstest;

use crate::{
    mailbox::{letter, with_relay},
    support::{Answer, Engine, Instance, PASSWORD},
};

const NEW: &str = "Another-Pass-77%21";

/// Sends a page's form.
async fn send(api: &Instance, path: &str, form: &str) -> Answer {
    api.send(Method::POST, path, form.to_owned(), "application/x-www-form-urlencoded").await
}

fn text(page: &Answer) -> &str {
    page.body.as_str().unwrap()
}

#[rstest]
#[tokio::test]
async fn a_page_spends_its_link_by_its_button_alone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    let kim = api.person("kim@example.com").await;
    let token = letter(&relay, "kim@example.com", "Confirm your e-mail address").await.token("/verify-email");
    for _ in 0..2 {
        let page = api.get(&format!("/verify-email?token={token}")).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "no-referrer"));
        assert!(text(&page).contains(&format!("name=\"token\" value=\"{token}\"")), "{page:?}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self'") && policy.contains("style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    assert_eq!(api.me(&kim.access).await.body["email_verified"], false);
    let done = send(&api, "/verify-email", &format!("token={token}")).await;
    assert_eq!(done.status, 200);
    assert!(text(&done).contains("Your address is confirmed.") && !text(&done).contains("<form"), "{done:?}");
    assert_eq!(api.me(&kim.access).await.body["email_verified"], true);
    let again = send(&api, "/verify-email", &format!("token={token}")).await;
    assert_eq!(again.status, 400);
    assert!(text(&again).contains("not valid any more"), "{again:?}");
}

#[rstest]
#[tokio::test]
async fn a_page_takes_a_new_password_and_says_what_is_wrong_with_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let (relay, deployment) = with_relay(engine);
    let api = deployment.start().await.with_header("accept-language", "ko");
    api.person("kim@example.com").await;
    assert_eq!(api.post_email("/api/v1/auth/password/forgot", "kim@example.com").await.status, 202);
    let token = letter(&relay, "kim@example.com", "새 비밀번호를 설정해 주세요").await.token("/reset-password");
    for (password, told) in [("short", "8자 이상"), ("password123", "class=\"fault\""), ("", "8자 이상")] {
        let page = send(&api, "/reset-password", &format!("token={token}&new_password={password}")).await;
        assert_eq!(page.status, 422);
        assert!(text(&page).contains(told) && text(&page).contains(&token), "{page:?}");
        assert!(text(&page).contains("lang=\"ko\"") && page.header("content-language") == "ko", "{page:?}");
    }
    assert_eq!(send(&api, "/reset-password", &format!("token={token}&new_password={NEW}")).await.status, 200);
    assert_eq!(api.login("kim@example.com", PASSWORD).await.status, 401);
    assert_eq!(api.login("kim@example.com", "Another-Pass-77!").await.status, 200);
}

#[rstest]
#[tokio::test]
async fn pages_show_nothing_that_a_link_smuggles_in(#[values(Engine::Sqlite)] engine: Engine) {
    let (_relay, deployment) = with_relay(engine);
    let api = deployment.start().await;
    for path in ["/verify-email", "/reset-password", "/confirm-email", "/accept-invitation", "/not-me"] {
        let page = api.get(&format!("{path}?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&x=1")).await;
        assert!(page.status == 200 && !text(&page).contains("<script"), "{page:?}");
        for form in ["", "token=", "token=x", "token=%00&new_password=%FF", "new_password=Another-Pass-77!", "{}"] {
            let page = send(&api, path, form).await;
            assert_eq!(page.status, 400, "{path} {form}");
            assert!(text(&page).contains("not valid any more"), "{page:?}");
        }
        assert_eq!(api.get(path).await.status, 200);
        assert_eq!(api.delete(path).await.status, 405);
    }
}

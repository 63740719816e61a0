//! What is done to one person, after a question that names them.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Console, looks::RULES, tongue::Tongue};
use crate::client::{Client, PASSWORD};

const EMAIL: &str = "kim@example.com";
const NAME: &str = "김민수";

/// A console, and the page of somebody who is signed in on one device.
async fn at_person(tongue: Tongue) -> (Console, String, Client) {
    let console = Console::open(tongue).await;
    let person = console.program.client.person(EMAIL).await;
    let client = console.program.client.bearing(&person.access);
    let id = client.get("/api/v1/users/me").await.text("id");
    let named = console.api().await.request(reqwest::Method::PATCH, &format!("/api/v1/users/{id}"));
    assert_eq!(named.json(&json!({"display_name": NAME})).send().await.unwrap().status(), 200);
    console.go(&format!("/admin/users/{id}"));
    (console, id, client)
}

impl Console {
    /// Asks for an act on the page of a person; the question is there.
    fn ask(&self, act: &str) {
        self.browser.click(&format!("main a[href$='/{act}']")).unwrap();
        self.reads_text("dialog[open] h1", &self.tongue.say_of(&format!("ask-{act}"), NAME));
        self.reads_text("dialog[open] p", &self.tongue.say_of(&format!("ask-why-{act}"), NAME));
        self.reads("dialog[open] button.primary", &format!("act-{act}"));
    }

    /// Does it.
    fn carry_out(&self, act: &str) {
        self.ask(act);
        self.does("dialog[open] button.primary", &format!("done-{act}"));
    }

    /// Goes back from the question.
    fn cancel(&self, act: &str) {
        self.ask(act);
        self.browser.click("dialog[open] [data-close]").unwrap();
        self.browser.wait_until_gone("dialog[open]").unwrap();
        self.ask(act);
        self.browser.press("Escape").unwrap();
        self.browser.wait_until_gone("dialog[open]").unwrap();
    }
}

/// Who was sent a mail of this kind.
async fn mails(console: &Console, kind: &str) -> Vec<String> {
    let outbox = console.api().await.get("/api/v1/system/mails?limit=100").await;
    let mails = outbox.body["items"].as_array().unwrap_or_else(|| panic!("{outbox:?}"));
    let of_kind = mails.iter().filter(|mail| mail["kind"] == kind);
    of_kind.map(|mail| mail["recipient"].as_str().unwrap().to_owned()).collect()
}

/// The account without what changes by itself.
async fn state(console: &Console, id: &str) -> Value {
    let account = console.account(id).await;
    json!([account["status"], account["roles"], account["display_name"], account["username"], account["phone"]])
}

#[rstest]
#[tokio::test]
async fn whoever_cancels_changes_nothing_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let (console, id, person) = at_person(tongue).await;
    let before = state(&console, &id).await;
    for act in ["disable", "send-reset", "unlock", "end-sessions", "delete"] {
        console.cancel(act);
    }
    for form in ["profile", "roles"] {
        console.browser.click(&format!("main a[href$='/{form}']")).unwrap();
        console.sees("dialog[open] form");
        console.browser.click("dialog[open] [data-close]").unwrap();
        console.browser.wait_until_gone("dialog[open]").unwrap();
    }
    assert_eq!(state(&console, &id).await, before);
    assert_eq!(person.get("/api/v1/users/me").await.status, 200, "still signed in");
    assert_eq!(mails(&console, "reset_password").await, Vec::<String>::new());
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn people_are_disabled_enabled_and_deleted_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let (console, id, person) = at_person(tongue).await;
    console.carry_out("disable");
    console.reads(".card", "status-disabled");
    assert_eq!(console.account(&id).await["status"], "disabled");
    assert_eq!(person.get("/api/v1/users/me").await.status, 401);
    console.carry_out("enable");
    assert_eq!(console.account(&id).await["status"], "active");
    let again = console.program.client.log_in(EMAIL).await;
    console.go(&format!("/admin/users/{id}"));
    console.carry_out("end-sessions");
    console.reads("main", "sessions-none");
    assert_eq!(console.program.client.me(&again.access).await.status, 401);
    console.carry_out("delete");
    assert!(console.browser.url().unwrap().starts_with(&console.at("/admin/users")));
    assert!(!console.browser.text("#results").unwrap().contains(EMAIL));
    let login = json!({"email": EMAIL, "password": PASSWORD});
    assert_eq!(console.program.client.post("/api/v1/auth/login", login).await.status, 401);
    console.browser.select("select[name=status]", "deleted").unwrap();
    console.reads("#results", "status-deleted");
    console.browser.click(&format!("tr:has-text({EMAIL:?}) a")).unwrap();
    console.carry_out("restore");
    assert_eq!(console.account(&id).await["status"], "active");
    console.program.client.log_in(EMAIL).await;
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn one_session_is_ended_and_everything_held_is_handed_out_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let (console, id, first) = at_person(tongue).await;
    let second = console.program.client.log_in(EMAIL).await;
    console.go(&format!("/admin/users/{id}"));
    assert_eq!(console.count("main a[href*='/sessions/']"), 2);
    console.browser.click("main a[href*='/sessions/'] >> nth=1").unwrap();
    console.reads_text("dialog[open]", NAME);
    console.browser.click("dialog[open] button.primary").unwrap();
    console.sees("[role=status]");
    assert_eq!(console.count("main a[href*='/sessions/']"), 1);
    assert_eq!(first.get("/api/v1/users/me").await.status, 401, "the older one");
    assert_eq!(console.program.client.me(&second.access).await.status, 200);
    let export = "fetch(document.querySelector(\"main a[href$='/export']\").href).then(async (answer) => [answer.status, \
                  answer.headers.get('content-disposition').split(';')[0], JSON.stringify(await answer.json())])";
    let export = console.browser.evaluate(export).unwrap();
    assert_eq!((&export[0], &export[1]), (&json!(200), &json!("attachment")));
    assert!(export[2].as_str().unwrap().contains(EMAIL), "{export}");
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn whoever_is_locked_out_is_let_in_and_mailed_in_browser(
    #[values(Tongue::Korean, Tongue::English)] tongue: Tongue,
) {
    let (console, id, _) = at_person(tongue).await;
    let (client, wrong) = (&console.program.client, json!({"email": EMAIL, "password": "wrong"}));
    let right = json!({"email": EMAIL, "password": PASSWORD});
    let mut guesses = 0;
    while client.post("/api/v1/auth/login", right.clone()).await.status == 200 {
        for _ in 0..5 {
            client.post("/api/v1/auth/login", wrong.clone()).await;
        }
        guesses += 5;
        assert!(guesses < 50, "guesses are never refused");
    }
    console.go(&format!("/admin/users/{id}"));
    console.reads(".timeline", "outcome-refused");
    console.carry_out("unlock");
    assert_eq!(client.post("/api/v1/auth/login", right).await.status, 200);
    console.carry_out("send-reset");
    assert_eq!(mails(&console, "reset_password").await, [EMAIL]);
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn roles_are_given_until_a_day_and_taken_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let (console, id, person) = at_person(tongue).await;
    let opens = "main a[href$='/roles']:not([href='/admin/roles'])";
    console.browser.click(opens).unwrap();
    console.reads_text("dialog[open] h1", &tongue.say_of("roles-of", NAME));
    console.browser.check("dialog[open] input[value=manager]").unwrap();
    console.browser.fill("dialog[open] input[name='until:manager']", "2099-12-31").unwrap();
    console.does("dialog[open] button.primary", "done-roles");
    console.reads_text(".card", "manager");
    console.reads("section[aria-labelledby=roles-title]", "about-role-manager");
    assert_eq!(console.account(&id).await["roles"], json!(["manager", "user"]));
    assert_eq!(person.get("/api/v1/users/me").await.status, 401, "old rights are gone from the token");

    // What is held until a day is not held for good because another role was changed.
    console.browser.click(opens).unwrap();
    console.sees("dialog[open] form");
    let until = "document.querySelector(\"dialog[open] input[name='until:manager']\").value";
    assert_eq!(console.browser.evaluate(until).unwrap(), "2099-12-31");
    let ends = async || {
        let grants = console.api().await.get(&format!("/api/v1/users/{id}/roles")).await.body["items"].clone();
        grants
            .as_array()
            .unwrap()
            .iter()
            .find(|grant| grant["name"] == "manager")
            .map(|grant| grant["expires_at"].clone())
    };
    let before = ends().await;
    assert!(
        before.as_ref().is_some_and(|end| end.as_str().unwrap().starts_with(match tongue {
            Tongue::Korean => "2099-12-31T15:00:00",
            Tongue::English => "2100-01-01T00:00:00",
        })),
        "the end of that day where they read it: {before:?}"
    );
    console.browser.uncheck("dialog[open] input[value=user]").unwrap();
    console.does("dialog[open] button.primary", "done-roles");
    assert_eq!(ends().await, before);
    console.browser.click(opens).unwrap();
    console.browser.uncheck("dialog[open] input[value=manager]").unwrap();
    console.does("dialog[open] button.primary", "done-roles");
    assert_eq!(console.account(&id).await["roles"], json!([]));
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn profiles_are_changed_and_people_invited_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let (console, id, _) = at_person(tongue).await;
    let browser = &console.browser;
    browser.click("main a[href$='/profile']").unwrap();
    browser.fill("dialog[open] #display_name", "김민지").unwrap();
    browser.fill("dialog[open] #phone", "not a number").unwrap();
    browser.click("dialog[open] button.primary").unwrap();
    console.sees("dialog[open] [role=alert]");
    assert_eq!(browser.evaluate("document.querySelector('#display_name').value").unwrap(), "김민지", "nothing is lost");
    assert_eq!(console.account(&id).await["display_name"], NAME);
    browser.fill("dialog[open] #phone", "+821012345678").unwrap();
    console.does("dialog[open] button.primary", "done-profile");
    console.reads_text("h1", "김민지");
    let account = console.account(&id).await;
    assert_eq!((&account["display_name"], &account["phone"]), (&json!("김민지"), &json!("+821012345678")));

    console.go("/admin/users");
    browser.click("a[href='/admin/users/new']").unwrap();
    browser.fill("dialog[open] #email", EMAIL).unwrap();
    browser.click("dialog[open] button.primary").unwrap();
    console.sees("dialog[open] [role=alert]");
    browser.fill("dialog[open] #email", "lee@example.com").unwrap();
    browser.fill("dialog[open] #display_name", "이새롬").unwrap();
    browser.check("dialog[open] input[value=manager]").unwrap();
    console.does("dialog[open] button.primary", "done-invited");
    console.reads_text("h1", "이새롬");
    console.reads_text(".card", "manager");
    assert_eq!(mails(&console, "invitation").await, ["lee@example.com"]);
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn whoever_may_less_is_led_nowhere_else_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let (console, id, _) = at_person(tongue).await;
    let manager = console.program.client.person("manager@example.com").await;
    let of_manager = console.program.client.me(&manager.access).await.text("id");
    let roles = console.api().await.request(reqwest::Method::PUT, &format!("/api/v1/users/{of_manager}/roles"));
    assert_eq!(roles.json(&json!({"roles": ["manager"]})).send().await.unwrap().status(), 200);
    console.browser.forget_everything(tongue);
    console.go("/admin/sign-in");
    console.sign_in_as("manager@example.com", PASSWORD);
    console.sees("nav a[href='/admin/users']");
    assert_eq!(console.count("nav a[href='/admin/settings'], nav a[href='/admin/audit']"), 0);
    console.go(&format!("/admin/users/{id}"));
    console.sees("main a[href$='/disable']");
    assert_eq!(console.count("main a[href$='/delete']"), 0);
    // The console only hides: it is the API that refuses.
    console.go(&format!("/admin/users/{id}/delete"));
    console.browser.click("main button.primary").unwrap();
    console.sees("main .sheet [role=alert]");
    assert_eq!((console.twice(), console.count("dialog[open], .sheet form, form.sheet")), (Vec::new(), 1), "one form");
    assert_eq!(console.browser.violations(&RULES).unwrap(), []);
    assert_eq!(console.account(&id).await["status"], "active");
    console.assert_content();
}

#[rstest]
#[tokio::test]
async fn a_question_is_a_page_too_in_browser(#[values(Tongue::Korean, Tongue::English)] tongue: Tongue) {
    let (console, id, _) = at_person(tongue).await;
    console.go(&format!("/admin/users/{id}/disable"));
    console.reads_text("h1", &tongue.say_of("ask-disable", NAME));
    console.browser.click("[data-close]:visible").unwrap();
    console.reads_text(".card h1", NAME);
    assert_eq!(console.browser.url().unwrap(), console.at(&format!("/admin/users/{id}")));
    console.go(&format!("/admin/users/{id}/disable"));
    console.browser.evaluate("document.querySelector('main form').submit()").unwrap();
    console.reads("[role=status]", "done-disable");
    assert_eq!(console.account(&id).await["status"], "disabled");
    console.assert_content();
}
